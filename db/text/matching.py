"""Queries of the full-text indexes. Every function runs in the caller's read transaction.

FTS5 gives matches in the order of their ids, and stops when enough were asked for: 0.4 us a match. Ranking by bm25
takes 2 us a match, and counts each word in the whole library first, which for a word in half of a million lines takes
longer than a person notices. So at most MOST matches are looked at, and bm25 is left out where a word is in more than
COMMON lines: a word that is everywhere tells lines apart by their length alone, and so does the ranking then.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from db.sql import on_server, raw
from db.text import matches
from db.text.matches import Matches, Range
from db.text.server import matching as server

Index = Literal["text_words", "text_trigrams"]

_BLOCK = 4096
_BM25 = "SELECT rowid, bm25(text_words) FROM text_words WHERE text_words MATCH ? AND rowid BETWEEN ? AND ?"


def match(connection: Connection, index: Index, expression: str, ranges: Sequence[Range], limit: int) -> Matches:
    """Return the first matches of an FTS5 expression, by id.

    Args:
        connection: In a read transaction.
        index: The full-text index.
        expression: A valid expression, in which a person's words are quoted.
        ranges: Of the ids that count, ascending.
        limit: Of matches.
    """
    if on_server(connection):
        return server.match(connection, index, expression, ranges, limit)
    found: list[int] = []
    asked = ranges if len(ranges) <= matches.MOST_RANGES else [(ranges[0][0], ranges[-1][1])]
    for first, last in asked:
        statement = f"SELECT rowid FROM {index} WHERE {index} MATCH ? AND rowid BETWEEN ? AND ? ORDER BY rowid"
        if asked is ranges:
            statement += f" LIMIT {limit + 1 - len(found)}"
        cursor = _cursor(connection, statement, (expression, first, last))
        while block := cursor.fetchmany(_BLOCK):
            ids = [row[0] for row in block]
            found += ids if asked is ranges else _within(ids, ranges)
            if len(found) > limit:
                cursor.close()
                break
        if len(found) > limit:
            break
    return Matches(np.array(found[:limit], np.int64), len(found) <= limit)


def relevance(
    connection: Connection, expression: str, words: Sequence[str], ranges: Sequence[Range], found: Matches
) -> NDArray[np.float64]:
    """Return bm25 of each match of `text_words`, or the length of the line: float64 (n,), the lower, the better.

    Args:
        connection: In a read transaction.
        expression: What was matched.
        words: Expressions of its words and phrases, each alone.
        ranges: As for `match`.
        found: Its result.
    """
    few = found.complete and len(ranges) <= matches.MOST_RANGES and found.ids.size > 0
    if few and on_server(connection):
        ranks = server.relevance(connection, expression, found)
        return lengths(connection, found) if ranks is None else ranks
    if few and not any(_is_common(connection, word) for word in words):
        scores: dict[int, float] = {}
        for first, last in ranges:
            scores.update(_rows(connection, _BM25, (expression, first, last)))
        return np.array([scores.get(line, 0.0) for line in found.ids.tolist()], np.float64)
    return lengths(connection, found)


def lengths(connection: Connection, found: Matches) -> NDArray[np.float64]:
    """Return the length of each line in characters, float64 (n,)."""
    statement = "SELECT id, length(text) FROM text_lines WHERE id IN (SELECT value FROM json_each(?))"
    by_id = dict(_rows(connection, statement, (json.dumps(found.ids.tolist()),)))
    return np.array([by_id.get(line, 0) for line in found.ids.tolist()], np.float64)


def terms_beginning_with(connection: Connection, beginning: str, limit: int) -> list[str]:
    """Return trigrams that begin with one or two characters (in lower case), at most `limit`.

    On a server, the characters themselves stand for all of them.
    """
    if on_server(connection):
        return [beginning]
    statement = "SELECT term FROM text_trigram_terms WHERE term >= ? AND term < ? LIMIT ?"
    found = connection.exec_driver_sql(statement, (beginning, beginning + "\U0010ffff", limit))
    return [str(term) for term in found.scalars()]


def texts(connection: Connection, ids: NDArray[np.int64]) -> Iterator[tuple[int, str]]:
    """Yield id and text of lines, by id. Unknown ids and damaged rows are left out."""
    statement = "SELECT id, text FROM text_lines WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id"
    for line, text in _cursor(connection, statement, (json.dumps(ids.tolist()),)):
        if type(text) is str:
            yield line, text


def all_lines(connection: Connection, ranges: Sequence[Range], limit: int) -> Matches:
    """Return the first lines of ranges, whatever they say."""
    found: list[int] = []
    for first, last in ranges:
        statement = "SELECT id FROM text_lines WHERE id BETWEEN ? AND ? ORDER BY id LIMIT ?"
        found += raw(connection, statement, (first, last, limit + 1 - len(found))).scalars()
        if len(found) > limit:
            break
    return Matches(np.array(found[:limit], np.int64), len(found) <= limit)


def _cursor(connection: Connection, statement: str, values: tuple[Any, ...]) -> Any:
    """Return the driver's cursor: rows of a million lines, without SQLAlchemy's part of the time."""
    cursor = raw(connection, statement, values).cursor
    assert cursor is not None
    return cursor


def _rows(connection: Connection, statement: str, values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    return list(_cursor(connection, statement, values).fetchall())


def _is_common(connection: Connection, word: str) -> bool:
    statement = f"SELECT count(*) FROM (SELECT 1 FROM text_words WHERE text_words MATCH ? LIMIT {matches.COMMON + 1})"
    return int(connection.exec_driver_sql(statement, (word,)).scalar_one()) > matches.COMMON


def _within(ids: list[int], ranges: Sequence[Range]) -> list[int]:
    bounds = np.array(ranges, np.int64)
    asked = np.array(ids, np.int64)
    at = np.searchsorted(bounds[:, 0], asked, side="right") - 1
    return list(asked[(at >= 0) & (asked <= bounds[at, 1])].tolist())
