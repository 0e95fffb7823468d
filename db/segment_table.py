"""Which segments filters allow, answered from arrays in memory: a question to SQLite walks over every row.

Kept are, of each segment that an encoder has embedded, its id, its video's id and its length (20 bytes; 28 once lengths
were asked for), for the two encoders asked about last, and of each video what filters look at (`db.video_table`).
The counter that tells whether anybody, in this process or another, has written since is read in the transaction that
brings the arrays up to date, so an answer is that of one state of the file: the newest.
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

_MOST_ENCODERS = 2


@dataclass(frozen=True, slots=True, eq=False)
class SegmentTable:
    """What one encoder has embedded, by ascending id; arrays of N. Never changed, only replaced."""

    stamp: Stamp
    ids: NDArray[np.int64]
    video_ids: NDArray[np.signedinteger]  # int32 while ids fit
    lengths: NDArray[np.int64]  # in pts of the video's own time base


class SegmentTables:
    """The tables of one library, made when they are first of use and caught up with when somebody has written."""

    def __init__(self, database: Database, library_id: str) -> None:
        self._database = database
        self._watch = database.watch()
        self._library_id = library_id
        self._token: str | None = None  # of the state that the tables and videos are of
        self._asked = False
        self._videos: VideoTable | None = None
        self._tables: dict[str, SegmentTable] = {}  # by encoder, the one asked about last at the end
        self._current: set[str] = set()  # encoders whose tables are of the state last seen
        self._seconds: tuple[SegmentTable, VideoTable, NDArray[np.float64]] | None = None

    def allowed(self, filters: Filters, encoder_id: str) -> NDArray[np.int64]:
        """int64 (N,), ascending, read-only: what `reading.allowed_ids` gives.

        The first question of all is put to SQLite: a program that asks only one need not read every row for it.
        """
        if not self._asked:
            self._asked = True
            with self._database.reading() as connection:
                return reading.allowed_ids(connection, filters, encoder_id)
        if not filters:
            return self._table(encoder_id).ids
        if filters.folder is not None:
            reading.below(filters.folder)  # raises ValueError where it is not absolute
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
        """(segment ids ascending, ids of their videos), int64 (N,): of all segments that the encoder has embedded."""
        table = self._table(encoder_id)
        return table.ids, table.video_ids.astype(np.int64)

    def _table(self, encoder_id: str) -> SegmentTable:
        with self._watch.reading() as (connection, token):
            return self._current_table(connection, token, encoder_id)

    def _table_and_videos(self, encoder_id: str) -> tuple[SegmentTable, VideoTable]:
        """Both of one state of the file."""
        with self._watch.reading() as (connection, token):
            table = self._current_table(connection, token, encoder_id)
            if self._videos is None:
                self._videos = load_videos(connection)
            return table, self._videos

    def _current_table(self, connection: Connection, token: str, encoder_id: str) -> SegmentTable:
        """Return the table as of the watch's transaction, and forget the videos where somebody has written."""
        if self._token != token:
            self._videos = None
            self._current.clear()
            self._token = token
        table = self._tables.pop(encoder_id, None)
        if table is None or encoder_id not in self._current:
            table = _caught_up(connection, vectors.stamp(connection, self._library_id, encoder_id), table)
        self._tables[encoder_id] = table
        self._current.add(encoder_id)
        if len(self._tables) > _MOST_ENCODERS:
            oldest = next(iter(self._tables))
            del self._tables[oldest]
            self._current.discard(oldest)
        return table

    def _segment_seconds(self, table: SegmentTable, known: VideoTable) -> NDArray[np.float64]:
        """float64 (N,): to the bit what SQLite makes of pts and time base; kept until table or videos are others."""
        kept = self._seconds
        if kept is None or kept[0] is not table or kept[1] is not known:
            num, den = known.time_bases()
            seconds = table.lengths.astype(np.float64)
            seconds *= num[table.video_ids]
            seconds /= den[table.video_ids]
            self._seconds = kept = (table, known, seconds)
        return kept[2]


def _caught_up(connection: Connection, stamp: Stamp, table: SegmentTable | None) -> SegmentTable:
    """The table as of the stamp, which is of this transaction. Where rows only came, only they are read."""
    if table is None or (table.stamp.generation, table.stamp.dim) != (stamp.generation, stamp.dim):
        return _frozen(stamp, _rows_after(connection, stamp.encoder_id, 0))
    if table.stamp.last_id == stamp.last_id:
        return replace(table, stamp=stamp)
    new = _frozen(stamp, _rows_after(connection, stamp.encoder_id, table.stamp.last_id))
    return SegmentTable(
        stamp=stamp,
        ids=_read_only(np.concatenate([table.ids, new.ids])),
        video_ids=np.concatenate([table.video_ids, new.video_ids]),
        lengths=np.concatenate([table.lengths, new.lengths]),
    )


def _rows_after(connection: Connection, encoder_id: str, after: int) -> NDArray[np.int64]:
    """int64 (n, 3): segment, video, length in pts, by ascending segment id > `after`."""
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


def _frozen(stamp: Stamp, found: NDArray[np.int64]) -> SegmentTable:
    return SegmentTable(
        stamp=stamp,
        ids=_read_only(np.ascontiguousarray(found[:, 0])),
        video_ids=found[:, 1].astype(np.min_scalar_type(-int(found[:, 1].max(initial=2**16)))),
        lengths=np.ascontiguousarray(found[:, 2]),
    )


def _read_only(ids: NDArray[np.int64]) -> NDArray[np.int64]:
    """Whoever gets them shares them."""
    ids.flags.writeable = False
    return ids
