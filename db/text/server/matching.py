"""Queries of the full-text index of a server: the same answers as those of `db.text.matching`.

Every function runs in the caller's read transaction.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from db.sql import raw
from db.text import matches
from db.text.full_text_tokens import LineTokens, tokens_of, words_of
from db.text.matches import Matches, Range
from db.text.server.expressions import Phrase, parse, phrase_query, trigrams_query, wanted_phrases, words_query

_K1, _B = 1.2, 0.75  # of bm25, as in FTS5
_LEAST_IDF = 1e-6
_COUNT = "SELECT count(*) FROM (SELECT 1 FROM text_index WHERE words @@ CAST(? AS TSQUERY) LIMIT ?) AS found"


def match(connection: Connection, index: str, expression: str, ranges: Sequence[Range], limit: int) -> Matches:
    """Return the first matches of an FTS5 expression, by id; see `db.text.matching.match`."""
    tree = parse(expression)
    column, query = ("words", words_query(tree)) if index == "text_words" else ("trigrams", trigrams_query(tree))
    if query is None:
        return Matches(np.zeros(0, np.int64), True)
    firsts, lasts = [list(part) for part in zip(*ranges, strict=True)]
    if len(ranges) <= matches.MOST_RANGES:
        within = " OR ".join(["line_id BETWEEN ? AND ?"] * len(ranges))
        values: tuple[object, ...] = tuple(bound for each in ranges for bound in each)
    else:
        within = "EXISTS (SELECT 1 FROM unnest(CAST(? AS BIGINT[]), CAST(? AS BIGINT[])) AS asked (first, last)"
        within += " WHERE line_id BETWEEN first AND last)"
        values = (firsts, lasts)
    statement = f"SELECT line_id FROM text_index WHERE {column} @@ CAST(? AS TSQUERY) AND ({within})"
    found = raw(connection, f"{statement} ORDER BY line_id LIMIT {limit + 1}", (query, *values)).scalars().all()
    return Matches(np.array(found[:limit], np.int64), len(found) <= limit)


def relevance(connection: Connection, expression: str, found: Matches) -> NDArray[np.float64] | None:
    """Return bm25 of each match of words, as FTS5 reckons it: float64 (n,), the lower, the better.

    Args:
        connection: In a read transaction.
        expression: What was matched.
        found: All matches.

    Returns:
        None if a word is common.
    """
    phrases = wanted_phrases(parse(expression))
    words = words_of([phrase.text for phrase in phrases])
    lines, size = raw(connection, "SELECT lines, size FROM text_totals").one()
    weights = []
    for phrase, its in zip(phrases, words, strict=True):
        query = phrase_query(phrase, its)
        count = 0 if query is None else int(raw(connection, _COUNT, (query, matches.COMMON + 1)).scalar_one())
        if count > matches.COMMON:
            return None
        idf = math.log((lines - count + 0.5) / (count + 0.5)) if count < lines else 0.0
        weights.append(idf if idf > 0 else _LEAST_IDF)
    texts = raw(
        connection,
        "SELECT id, text, next FROM text_lines WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id",
        (str(found.ids.tolist()),),
    ).all()
    tokens = tokens_of([(text, following) for _, text, following in texts], trigrams=False)
    average = size / lines if lines else 1.0
    scores = {
        row[0]: _bm25(each, list(zip(phrases, words, weights, strict=True)), average)
        for row, each in zip(texts, tokens, strict=True)
    }
    return np.array([scores.get(line, 0.0) for line in found.ids.tolist()], np.float64)


def _bm25(line: LineTokens, phrases: Sequence[tuple[Phrase, list[str], float]], average: float) -> float:
    length = _K1 * (1 - _B + _B * (len(line.text) + len(line.joined)) / average)
    score = 0.0
    for phrase, words, weight in phrases:
        columns = (line.text,) if phrase.own else (line.joined,)
        often = sum(_count(column, words, phrase.prefix) for column in columns)
        score += weight * often * (_K1 + 1) / (often + length)
    return -score


def _count(line: Sequence[str], words: Sequence[str], prefix: bool) -> int:
    """Return how often words follow each other in a line."""
    *first, last = words or [""]
    return sum(
        list(line[at : at + len(first)]) == first
        and (line[at + len(first)].startswith(last) if prefix else line[at + len(first)] == last)
        for at in range(len(line) - len(first))
    )
