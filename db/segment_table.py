"""Filtering of segments with in-memory arrays, because a query to SQLite would visit every row.

A SegmentTable has the id, the video's id and the length of each segment that an encoder has embedded: 20 bytes per
segment, 28 once a filter has used lengths. The tables of the two encoders used last are cached, and a VideoTable with
the columns of videos that filters use. The change token is read in the transaction that updates the arrays, so every
result reflects one state of the file: the newest.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import chain

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, select

from db import reading, vectors
from db.connection import Database
from db.records import Filters, Stamp
from db.schema import embeddings, encoders, segments
from db.video_table import VideoTable, load_videos
from db.watch import Watch

_MAX_ENCODERS = 2


@dataclass(frozen=True, slots=True, eq=False)
class SegmentTable:
    """The N segments that an encoder has embedded, by ascending id. Immutable."""

    stamp: Stamp
    ids: NDArray[np.int64]
    video_ids: NDArray[np.signedinteger]  # int32 while ids fit
    lengths: NDArray[np.int64]  # in pts of the video's own time base


class SegmentTables:
    """The tables of one library, loaded on first use and updated after writes by any process."""

    def __init__(self, database: Database, library_id: str) -> None:
        self._database = database
        self._watch = Watch(database)
        self._library_id = library_id
        self._token: str | None = None  # change token of the state in the tables and videos
        self._used = False
        self._videos: VideoTable | None = None
        self._tables: dict[str, SegmentTable] = {}  # by encoder, most recently used last
        self._current: set[str] = set()  # encoders whose tables reflect the state last seen
        self._seconds: tuple[SegmentTable, VideoTable, NDArray[np.float64]] | None = None

    def allowed(self, filters: Filters, encoder_id: str) -> NDArray[np.int64]:
        """Return int64 (N,), ascending, read-only: the same ids as `reading.allowed_ids`.

        The first call queries SQLite, because a program that filters once need not load every row.

        Raises:
            ValueError: The filters' folder is not absolute.
        """
        if not self._used:
            self._used = True
            with self._database.reading() as connection:
                return reading.allowed_ids(connection, filters, encoder_id)
        if not filters:
            return self._table(encoder_id).ids
        if filters.folder is not None:
            reading.below(filters.folder)  # raises ValueError if it is not absolute
        table, known = self._table_and_videos(encoder_id)
        allowed = known.allowed(filters)
        timed = filters.min_seconds is not None or filters.max_seconds is not None
        if allowed.size == known.ids.size and not timed:
            return table.ids
        mask = known.flags(allowed)[table.video_ids]
        if timed:
            seconds = self._segment_seconds(table, known)
            if filters.min_seconds is not None:
                mask &= seconds >= filters.min_seconds - reading.SECONDS_SLACK
            if filters.max_seconds is not None:
                mask &= seconds <= filters.max_seconds + reading.SECONDS_SLACK
        return _read_only(table.ids[mask])

    def owners(self, encoder_id: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return (segment ids, ids of their videos), int64 (N,), ascending, of all segments embedded by the encoder."""
        table = self._table(encoder_id)
        return table.ids, table.video_ids.astype(np.int64)

    def _table(self, encoder_id: str) -> SegmentTable:
        with self._watch.reading() as (connection, token):
            return self._current_table(connection, token, encoder_id)

    def _table_and_videos(self, encoder_id: str) -> tuple[SegmentTable, VideoTable]:
        """Return both, in one state of the file."""
        with self._watch.reading() as (connection, token):
            table = self._current_table(connection, token, encoder_id)
            if self._videos is None:
                self._videos = load_videos(connection)
            return table, self._videos

    def _current_table(self, connection: Connection, token: str, encoder_id: str) -> SegmentTable:
        """Return the table as of the watch's transaction; drop the videos if the library was changed."""
        if self._token != token:
            self._videos = None
            self._current.clear()
            self._token = token
        table = self._tables.pop(encoder_id, None)
        if table is None or encoder_id not in self._current:
            table = _updated(connection, vectors.stamp(connection, self._library_id, encoder_id), table)
        self._tables[encoder_id] = table
        self._current.add(encoder_id)
        if len(self._tables) > _MAX_ENCODERS:
            oldest = next(iter(self._tables))
            del self._tables[oldest]
            self._current.discard(oldest)
        return table

    def _segment_seconds(self, table: SegmentTable, known: VideoTable) -> NDArray[np.float64]:
        """Return float64 (N,), bit for bit what SQLite computes; kept until the table or the videos are replaced."""
        kept = self._seconds
        if kept is None or kept[0] is not table or kept[1] is not known:
            num, den = known.time_bases()
            seconds = table.lengths.astype(np.float64)
            seconds *= num[table.video_ids]
            seconds /= den[table.video_ids]
            self._seconds = kept = (table, known, seconds)
        return kept[2]


def _updated(connection: Connection, stamp: Stamp, table: SegmentTable | None) -> SegmentTable:
    """Return the table as of the stamp of this transaction. If rows were only added, read only those."""
    if table is None or (table.stamp.generation, table.stamp.dim) != (stamp.generation, stamp.dim):
        return _to_table(stamp, _rows_after(connection, stamp.encoder_id, 0))
    if table.stamp.last_id == stamp.last_id:
        return replace(table, stamp=stamp)
    new = _to_table(stamp, _rows_after(connection, stamp.encoder_id, table.stamp.last_id))
    return SegmentTable(
        stamp=stamp,
        ids=_read_only(np.concatenate([table.ids, new.ids])),
        video_ids=np.concatenate([table.video_ids, new.video_ids]),
        lengths=np.concatenate([table.lengths, new.lengths]),
    )


def _rows_after(connection: Connection, encoder_id: str, after: int) -> NDArray[np.int64]:
    """Return int64 (n, 3): segment, video, length in pts, by ascending segment id > `after`."""
    number = select(encoders.c.number).where(encoders.c.id == encoder_id).scalar_subquery()
    cursor = connection.execute(
        select(segments.c.id, segments.c.video_id, segments.c.end_pts - segments.c.start_pts)
        .select_from(embeddings)
        .join(segments, segments.c.id == embeddings.c.segment_id)
        .where(embeddings.c.encoder == number, embeddings.c.segment_id > after)
        .order_by(embeddings.c.segment_id)
    ).cursor
    assert cursor is not None
    # Straight from the driver, row by row: a list of a million tuples would need ten times the memory.
    return np.fromiter(chain.from_iterable(iter(cursor.fetchone, None)), dtype=np.int64).reshape(-1, 3)


def _to_table(stamp: Stamp, found: NDArray[np.int64]) -> SegmentTable:
    return SegmentTable(
        stamp=stamp,
        ids=_read_only(np.ascontiguousarray(found[:, 0])),
        video_ids=found[:, 1].astype(np.min_scalar_type(-int(found[:, 1].max(initial=2**16)))),
        lengths=np.ascontiguousarray(found[:, 2]),
    )


def _read_only(ids: NDArray[np.int64]) -> NDArray[np.int64]:
    """Mark an array read-only, because all callers share it."""
    ids.flags.writeable = False
    return ids
