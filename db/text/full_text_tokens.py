"""Words and trigrams of texts, as SQLite's full-text search sees them, for engines that have no such search.

FTS5 itself says what they are, from a database in memory: what is found then does not depend on the engine.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field

from db.text.tables import WORD_TOKENIZER

_TABLES = f"""
CREATE VIRTUAL TABLE words USING fts5(text, joined, tokenize='{WORD_TOKENIZER}');
CREATE VIRTUAL TABLE word_places USING fts5vocab(words, 'instance');
CREATE VIRTUAL TABLE trigrams USING fts5(joined, tokenize='trigram', detail=none);
CREATE VIRTUAL TABLE trigram_places USING fts5vocab(trigrams, 'instance');
"""


@dataclass(slots=True)
class LineTokens:
    """The tokens of a line.

    Attributes:
        text: Its words, in order.
        joined: Its words and those of the beginning of the next one, in order.
        trigrams: Any three characters in a row of the latter, in lower case; not in order.
    """

    text: list[str] = field(default_factory=list)
    joined: list[str] = field(default_factory=list)
    trigrams: list[str] = field(default_factory=list)


def tokens_of(lines: Sequence[tuple[str, str]], *, trigrams: bool = True) -> list[LineTokens]:
    """Return the tokens of lines, each a text and the beginning of the next one as `text_lines.next` has it."""
    found = [LineTokens() for _ in lines]
    numbered = [(at, text, text + following) for at, (text, following) in enumerate(lines)]
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(_TABLES)
        connection.executemany("INSERT INTO words (rowid, text, joined) VALUES (?, ?, ?)", numbered)
        places = connection.execute("SELECT doc, col, term FROM word_places ORDER BY doc, col, offset")
        for at, column, term in places:
            (found[at].text if column == "text" else found[at].joined).append(term)
        if trigrams:
            joined = ((at, text) for at, _, text in numbered)
            connection.executemany("INSERT INTO trigrams (rowid, joined) VALUES (?, ?)", joined)
            for at, term in connection.execute("SELECT doc, term FROM trigram_places"):
                found[at].trigrams.append(term)
    return found


def words_of(texts: Sequence[str]) -> list[list[str]]:
    """Return the words of texts, in order."""
    return [each.text for each in tokens_of([(text, "") for text in texts], trigrams=False)]


def trigrams_of(texts: Sequence[str]) -> list[list[str]]:
    """Return the trigrams of texts."""
    return [each.trigrams for each in tokens_of([(text, "") for text in texts])]
