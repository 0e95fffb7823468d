"""Ranges of the ids of lines, in memory, as the lines of a source have consecutive ids: by video and kind.

A source takes 24 bytes. The arrays are read again after a write by any process.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import get_args

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, select

from db.database import Database
from db.integer_columns import integer_columns
from db.text.matches import Range
from db.text.tables import text_sources
from db.text.writing import ids_of_kind
from db.timed_text import TextKind
from db.watch import Watch


class TextRanges:
    """The ranges of ids of one library's sources."""

    def __init__(self, database: Database) -> None:
        self._watch = Watch(database)
        self._token: str | None = None
        self._columns = np.zeros((3, 0), np.int64)  # first line, number of lines, video; by first line

    def ranges(self, kinds: Collection[TextKind] | None, videos: NDArray[np.int64] | None) -> list[Range]:
        """Return the ranges of the ids that lines of these kinds and videos have, ascending, as few as possible.

        Args:
            kinds: None for all.
            videos: int64 (n,), ids of videos; None for all.
        """
        chosen = [kind for kind in get_args(TextKind) if kinds is None or kind in kinds]
        if videos is None:
            return _merged([(ids_of_kind(kind)[0], ids_of_kind(kind)[1] - 1) for kind in chosen])
        first, lines, owners = self._current()
        passes = np.isin(owners, videos)
        of_kind = np.zeros(first.size, bool)
        for kind in chosen:
            least, beyond = ids_of_kind(kind)
            of_kind |= (first >= least) & (first < beyond)
        passes &= of_kind
        # Neighbours that both pass are one range, whatever ids between them are no longer in use.
        edges = np.flatnonzero(np.diff(np.concatenate([[False], passes, [False]]).astype(np.int8)))
        starts, ends = edges[::2], edges[1::2] - 1
        return list(zip(first[starts].tolist(), (first[ends] + lines[ends] - 1).tolist(), strict=True))

    def videos_of(self, ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return int64 (n,): the videos of lines, 0 for lines that are not there."""
        first, lines, owners = self._current()
        at = np.searchsorted(first, ids, side="right") - 1
        if not first.size:
            return np.zeros(ids.size, np.int64)
        known = (at >= 0) & (ids < first[at] + lines[at])
        return np.where(known, owners[at], 0)

    def _current(self) -> NDArray[np.int64]:
        with self._watch.reading() as (connection, token):
            if token != self._token:
                self._columns, self._token = _load(connection), token
            return self._columns


def _load(connection: Connection) -> NDArray[np.int64]:
    columns = text_sources.c.first_line, text_sources.c.lines, text_sources.c.video_id
    statement = select(*columns).where(text_sources.c.lines > 0).order_by(text_sources.c.first_line)
    return integer_columns(connection, statement)


def _merged(ranges: list[Range]) -> list[Range]:
    merged: list[Range] = []
    for first, last in ranges:
        if merged and merged[-1][1] + 1 == first:
            first = merged.pop()[0]
        merged.append((first, last))
    return merged
