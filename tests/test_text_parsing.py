"""What a person types: always a sensible search or one clear line, and never FTS5's own language."""

from __future__ import annotations

import random
import re
import sqlite3
import unicodedata

import pytest

from search.text.expressions import trigrams_expression, word_expressions, words_expression
from search.text.parsing import parse
from search.text.terms import All, Either, Piece, Term, TextQueryError, Words, has_pieces


def words(*each: str, prefix: bool = False) -> Words:
    return Words(each, prefix)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("kite", words("kite")),
        ("red kite", All((words("red"), words("kite")))),
        ("red AND kite", All((words("red"), words("kite")))),
        ("red and kite", All((words("red"), words("and"), words("kite")))),
        ('"red kite"', words("red", "kite")),
        ("“red kite” hill", All((words("red", "kite"), words("hill")))),
        ("«red kite»", words("red", "kite")),
        ('"red kite', words("red", "kite")),
        ("red OR blue kite", Either((words("red"), All((words("blue"), words("kite")))))),
        ("(red OR blue) kite", All((Either((words("red"), words("blue"))), words("kite")))),
        ("(red OR blue", Either((words("red"), words("blue")))),
        ("red) OR blue)", Either((words("red"), words("blue")))),
        ("kite -red", All((words("kite"),), (words("red"),))),
        ("NOT red kite", All((words("kite"),), (words("red"),))),
        (
            'kite -"red hill" NOT (a OR b)',
            All((words("kite"),), (words("red", "hill"), Either((words("a"), words("b"))))),
        ),
        ("NOT NOT red", words("red")),
        ("kite -(red -blue)", All((words("kite"),), (All((words("red"),), (words("blue"),)),))),
        ("well-known", words("well", "known")),
        ("- kite", words("kite")),
        ("ki*", words("ki", prefix=True)),
        ('"red ki"*', words("red", "ki", prefix=True)),
        ("3.14", words("3", "14")),
        ("don't", words("don", "t")),
        ("AND kite OR", words("kite")),
        ("kite NOT", words("kite")),
        ("kite ! ... ?", words("kite")),
        ("() kite ()", words("kite")),
        ("text:kite", words("text", "kite")),
        ("{text}:kite", words("text", "kite")),
        ("^kite", words("kite")),
        ("NEAR(red kite, 5)", All((words("NEAR"), All((words("red"), words("kite"), words("5")))))),
        ("kite\x00red\tblue", All((words("kite"), words("red"), words("blue")))),
        ("e\u0301cole x\u0331y", All((words("école"), words("xy")))),
        ("猫", Piece(("猫",))),
        ('"東京 タワー"', Piece(("東京", "タワー"))),
        ("「猫」", Piece(("猫",))),
        ("สวัสดี kite", All((Piece(("สวัสดี",)), words("kite")))),
        ("♪ 😀", All((Piece(("♪",)), Piece(("😀",))))),
        ("C++ 100%", All((words("C"), words("100")))),
    ],
)
def test_what_is_typed_is_understood(typed: str, expected: Term) -> None:
    assert parse(typed) == expected


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "no word"),
        ("  \x00 ", "no word"),
        ('"" !? ()', "no word"),
        ("AND OR NOT", "no word"),
        ("-kite", "only words to leave out"),
        ("NOT (kite red)", "only words to leave out"),
        ("red OR -kite", "beside OR"),
        ("k*", "at least 2 letters"),
        ("kite " * 20_000, "100,000 characters"),
        ("a " * 65, "more than 64"),
        ("(" * 30 + "kite" + ")" * 30, "20 deep"),
    ],
)
def test_what_cannot_be_searched_for_is_one_clear_line(typed: str, said: str) -> None:
    with pytest.raises(TextQueryError, match=said) as refusal:
        parse(typed)
    assert "\n" not in str(refusal.value)


PIECES = [
    "kite", "red", "École", "ΑΘΗΝΑ", "ß", "İx", "3.14", "½", "猫", "東京タワー", "สวัสดี", "한국어", "😀", "♪",
    "\ud83d", "\x00",
    '"', '""', "'", "“", "”", "«", "(", ")", "{", "}", "[", "]", "^", "*", "**", "+", "-", "--",
    ":", ",", ";", "\\", "%",
    "AND", "OR", "NOT", "NEAR", "NEAR(", "text:", "{joined} :", "rowid:", "x" * 300, "e\u0301",
    "\u202e", "\n", "\u3000",
    "' OR 1=1 --", '" OR "', 'a" : "b', "col : *", "_", "a_b", "１２３", "\U00020000",
]  # fmt: skip


def typed_texts(count: int) -> list[str]:
    draw = random.Random(18)
    found = [
        "".join(draw.choice(PIECES) + draw.choice(["", " ", "  "]) for _ in range(draw.randint(1, 8)))
        for _ in range(count)
    ]
    return found + [
        "".join(chr(draw.randrange(0x20, 0x3000)) for _ in range(draw.randint(1, 30))) for _ in range(count)
    ]


@pytest.fixture(scope="module")
def index() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE VIRTUAL TABLE words USING fts5(text, joined, tokenize='unicode61 remove_diacritics 2')")
    connection.execute("CREATE VIRTUAL TABLE trigrams USING fts5(joined, tokenize='trigram', detail=none)")
    for number, text in enumerate(PIECES):
        text = text.encode("utf-8", "replace").decode()
        connection.execute("INSERT INTO words VALUES (?, ?)", (text, f"{text} {number}"))
        connection.execute("INSERT INTO trigrams VALUES (?)", (text,))
    return connection


def test_nothing_that_is_typed_reaches_match_unquoted(index: sqlite3.Connection) -> None:
    """Outside of its strings, an expression has only what this program writes; FTS5 accepts every one."""
    understood = 0
    for typed in typed_texts(1000):
        try:
            term = parse(typed)
        except TextQueryError:
            continue
        understood += 1
        expressions = [] if has_pieces(term) else [words_expression(term), *word_expressions(term)]
        trigrams = trigrams_expression(term, lambda short: [(short + 'x"')[:3], (short + "  ")[:3]])
        for table, expression in [("words", each) for each in expressions] + [("trigrams", trigrams or "")]:
            if not expression:
                continue
            ours = re.sub(r'"(?:[^"]|"")*"', "S", expression)
            assert re.fullmatch(r"(?:\{(?:text|joined)\} : |S\*?|AND|OR|NOT|[() ])+", ours), expression
            list(index.execute(f"SELECT rowid FROM {table} WHERE {table} MATCH ?", (expression,)))
    assert understood > 1000


def test_a_text_is_found_by_each_of_its_words(index: sqlite3.Connection) -> None:
    """The parser and SQLite agree on what a word is, for the letters of today's scripts."""
    draw = random.Random(3)
    letters = [chr(code) for code in range(0x30, 0x2000) if unicodedata.category(chr(code)) in ("Ll", "Lu", "Lo", "Nd")]
    for _ in range(200):
        text = unicodedata.normalize("NFC", "".join(draw.choice(letters) for _ in range(4)))  # as it is stored
        try:
            term = parse(text)
        except TextQueryError:
            continue
        if isinstance(term, Words):
            connection = index.execute("INSERT INTO words VALUES (?, '')", (text,))
            found = index.execute("SELECT rowid FROM words WHERE words MATCH ?", (f'"{" ".join(term.words)}"',))
            assert connection.lastrowid in {row[0] for row in found}, text.encode("unicode-escape")
