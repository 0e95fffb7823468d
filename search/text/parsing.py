"""The parser of what a person types to search in text.

    red kite            both words          red OR kite       either
    "red kite"          the phrase          red NOT kite      without kite, as red -kite
    ki*                 words that begin so (red OR blue) kite

AND, OR and NOT count in capitals only. Nothing is an error that can be understood somehow: a quote that is not closed
reaches to the end, an operator without words on both sides is left out, and so is punctuation.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field

from db.text.joining import is_unspaced
from search.text.terms import All, Either, Piece, Term, TextQueryError, Words

MAX_CHARACTERS = 1000
MAX_TERMS = 64
MAX_DEPTH = 20
_MIN_PREFIX = 2  # letters; FTS5 would merge the lines of all words that begin with one letter

_QUOTES = {'"': '"', "“": '”“"', "„": '“”"', "«": "»", "»": "«", "”": '”"', "＂": "＂"}
"""Opening quotes, each with those that close it. Brackets of Chinese and Japanese are punctuation."""
_BREAKS = frozenset(" ()") | _QUOTES.keys()
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\s]")
_MARKS = re.compile(r"[\u0300-\u036f]")  # what is left of accents after composition
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str  # ( ) AND OR NOT term
    term: Words | Piece | None = None


@dataclass(slots=True)
class _Reader:
    tokens: list[_Token]
    at: int = field(default=0)

    @property
    def kind(self) -> str:
        return self.tokens[self.at].kind if self.at < len(self.tokens) else ""


def parse(text: str) -> Term:
    """Return what a person's words ask for.

    Raises:
        TextQueryError: There is nothing to search for, or too much.
    """
    if len(text) > MAX_CHARACTERS:
        raise TextQueryError(
            f"the words to search for have {len(text):,} characters; up to {MAX_CHARACTERS:,} can be searched for"
        )
    plain = _MARKS.sub("", unicodedata.normalize("NFC", _CONTROLS.sub(" ", text)))
    tokens = list(_tokens(plain))
    if sum(token.kind == "term" for token in tokens) > MAX_TERMS:
        raise TextQueryError(f"more than {MAX_TERMS} words or phrases are too many for one search; leave some out")
    found = _either(_Reader(_balanced(tokens)), 0)
    if found is None:
        raise TextQueryError("there is no word to search for; write one, or a phrase in quotes")
    negated, term = found
    if negated:
        raise TextQueryError("there are only words to leave out; add one to search for")
    return term


def _balanced(tokens: list[_Token]) -> list[_Token]:
    """Return the tokens without brackets that close what nothing opened. (What nothing closes reaches to the end.)"""
    kept, depth = [], 0
    for token in tokens:
        depth += {"(": 1, ")": -1}.get(token.kind, 0)
        if depth >= 0:
            kept.append(token)
        depth = max(0, depth)
    return kept


Part = tuple[bool, Term]
"""Whether a term is to be left out, and the term."""


def _either(reader: _Reader, depth: int) -> Part | None:
    parts: list[Part] = []
    while True:
        group: list[Part] = []
        while reader.kind not in ("", ")", "OR"):
            if reader.kind == "AND":
                reader.at += 1
            elif (part := _one(reader, depth)) is not None:
                group.append(part)
        negated, term = _all(group)
        if term is not None:
            parts.append((negated, term))
        if reader.kind != "OR":
            break
        reader.at += 1
    if len(parts) < 2:
        return parts[0] if parts else None
    if any(negated for negated, _ in parts):
        raise TextQueryError("beside OR there are only words to leave out; add one to search for there, too")
    return False, Either(tuple(term for _, term in parts))


def _one(reader: _Reader, depth: int) -> Part | None:
    negated = False
    while reader.kind == "NOT":
        negated = not negated
        reader.at += 1
    if reader.kind in ("", ")", "OR", "AND"):  # an operator without a word
        return None
    token = reader.tokens[reader.at]
    reader.at += 1
    if token.kind != "(":
        return None if token.term is None else (negated, token.term)
    if depth >= MAX_DEPTH:
        raise TextQueryError(f"brackets within brackets, {MAX_DEPTH} deep, are too many; leave some out")
    inner = _either(reader, depth + 1)
    reader.at += reader.kind == ")"
    return None if inner is None else (negated != inner[0], inner[1])


def _all(parts: list[Part]) -> tuple[bool, Term | None]:
    """Return the parts as one term; whether it is to be left out, as a whole, comes first."""
    wanted = tuple(term for negated, term in parts if not negated)
    excluded = tuple(term for negated, term in parts if negated)
    if not wanted:
        return bool(excluded), Either(excluded) if len(excluded) > 1 else next(iter(excluded), None)
    return False, wanted[0] if len(wanted) == 1 and not excluded else All(wanted, excluded)


def _tokens(text: str) -> Iterator[_Token]:
    at = 0
    while at < len(text):
        letter = text[at]
        if letter == " ":
            at += 1
        elif letter in "()":
            at += 1
            yield _Token(letter)
        elif letter in _QUOTES:
            end = next((place for place in range(at + 1, len(text)) if text[place] in _QUOTES[letter]), len(text))
            starred = text[end + 1 : end + 2] == "*"
            yield _Token("term", _leaf(text[at + 1 : end], starred))
            at = end + 1 + starred
        elif letter == "-" and (at == 0 or text[at - 1] in " (") and text[at + 1 : at + 2].strip(" -)"):
            at += 1
            yield _Token("NOT")
        else:
            end = next((place for place in range(at, len(text)) if text[place] in _BREAKS), len(text))
            word = text[at:end]
            at = end
            yield _Token(word) if word in ("AND", "OR", "NOT") else _Token("term", _leaf(word, word.endswith("*")))


def _leaf(text: str, starred: bool) -> Words | Piece | None:
    """Return a word or phrase as a term; None if it has nothing but punctuation."""
    words = tuple(_WORD.findall(text))
    symbols = not words and any(unicodedata.category(letter)[0] == "S" for letter in text)
    if symbols or any(map(is_unspaced, text)):
        parts = (_bare(part) for part in text.split())
        pieces = tuple(part for part in parts if part)
        return Piece(pieces) if pieces else None
    if not words:
        return None
    if starred and len(words[-1]) < _MIN_PREFIX:
        raise TextQueryError(f"write at least {_MIN_PREFIX} letters before the star of {words[-1]}*")
    return Words(words, starred)


def _bare(part: str) -> str:
    """Return a part without punctuation around it."""
    kept = [at for at, letter in enumerate(part) if unicodedata.category(letter)[0] not in "PZC"]
    return part[kept[0] : kept[-1] + 1] if kept else ""
