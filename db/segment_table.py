"""Filtering of segments with in-memory arrays, because a query to SQLite would visit every row for each filter.

A SegmentTable has the id, the video's id, the length and the shot of each segment that an encoder has embedded: 8 bytes
each, of the last three only if they were needed; seconds take 8 more, places of shots 8. The tables of the few encoders
used last are cached, and so are a VideoTable with the columns of videos that filters use, and VideoFacets once a filter
needs them. The change token is read in the transaction that updates the arrays, so every result reflects one state of
the file: the newest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, select

from db import reading, vectors
from db.database import Database
from db.integer_columns import integer_columns
from db.records import Facets, Filters, Stamp
from db.schema import embeddings, encoders, segments
from db.video_facets import VideoFacets, asks_facets, load_facets
from db.video_table import VideoTable, load_videos
from db.watch import Watch

_SECONDS_SLACK = 1e-6  # so that rounding in a time base cannot make a segment of exactly 2 s fail "at least 2 s"
_MAX_ENCODERS = 4  # two that are asked at once, with their quick rows
_BATCH = 1_000_000  # rows per query, which bounds its memory
_COLUMNS = (
    embeddings.c.segment_id,
    segments.c.video_id,
    segments.c.end_pts - segments.c.start_pts,
    segments.c.shot_number,
)
_SHOTS = 1 << 32  # more than a video has


@dataclass(frozen=True, slots=True, eq=False)
class SegmentTable:
    """The N segments that an encoder has embedded, by ascending id. Immutable.

    Attributes:
        stamp: The state of the encoder's embeddings.
        columns: int64 (1 to 4, N), read-only: ids, ids of the videos, lengths in pts of the video's own time base,
            numbers of the shots. Only what was needed is read: ids alone take a third of the time.
    """

    stamp: Stamp
    columns: NDArray[np.int64]


class SegmentTables:
    """The tables of one library, loaded on first use and updated after writes by any process."""

    def __init__(self, database: Database, library_id: str) -> None:
        self._watch = Watch(database)
        self._library_id = library_id
        self._token: str | None = None  # change token of the state in the tables and videos
        self._videos: VideoTable | None = None
        self._facets: VideoFacets | None = None
        self._tables: dict[str, SegmentTable] = {}  # by encoder, most recently used last
        self._current: set[str] = set()  # encoders whose tables reflect the state last seen
        self._seconds: tuple[SegmentTable, VideoTable, NDArray[np.float64]] | None = None
        self._shots: tuple[SegmentTable, NDArray[np.int64], int] | None = None

    def allowed(self, filters: Filters, encoder_id: str) -> NDArray[np.int64]:
        """Return int64 (N,), ascending, read-only: the segments that pass the filters.

        Raises:
            ValueError: The filters' folder is not absolute.
        """
        if not filters:
            with self._watch.reading() as (connection, token):
                everything: NDArray[np.int64] = self._current_table(connection, token, encoder_id, 1).columns[0]
            return everything
        if filters.folder is not None:
            reading.require_absolute(filters.folder)
        timed = filters.min_seconds is not None or filters.max_seconds is not None
        with self._watch.reading() as (connection, token):
            table = self._current_table(connection, token, encoder_id, 3 if timed else 2)
            if self._videos is None:
                self._videos = load_videos(connection)
            known = self._videos
            facets = self._current_facets(connection) if asks_facets(filters) else None
        ids: NDArray[np.int64] = table.columns[0]
        allowed = known.allowed(filters)
        if facets is not None:
            allowed = allowed[facets.allows(allowed, filters)]
        if allowed.size == known.ids.size and not timed:
            return ids
        mask = known.flags(allowed)[known.known(table.columns[1])]
        if timed:
            seconds = self._segment_seconds(table, known)
            if filters.min_seconds is not None:
                mask &= seconds >= filters.min_seconds - _SECONDS_SLACK
            if filters.max_seconds is not None:
                mask &= seconds <= filters.max_seconds + _SECONDS_SLACK
        return _read_only(ids[mask])

    def allowed_videos(self, filters: Filters) -> NDArray[np.int64]:
        """Return int64 (n,): the videos that pass the filters, except those on the length of segments.

        Raises:
            ValueError: The filters' folder is not absolute.
        """
        if filters.folder is not None:
            reading.require_absolute(filters.folder)
        with self._watch.reading() as (connection, token):
            self._drop_outdated(token)
            if self._videos is None:
                self._videos = load_videos(connection)
            allowed = self._videos.allowed(filters)
            return (
                allowed[self._current_facets(connection).allows(allowed, filters)] if asks_facets(filters) else allowed
            )

    def shot_count(self, filters: Filters, encoder_ids: Sequence[str]) -> int:
        """Return the number of shots of the segments that pass the filters, by at least one of these encoders."""
        first, *others = encoder_ids
        every = self.allowed(Filters(), first)
        if all(np.array_equal(every, self.allowed(Filters(), each)) for each in others):
            return self._shot_count(filters, first)
        found = [self._shots_of(filters, each) for each in encoder_ids]
        return len(np.unique(np.concatenate(found)))

    def _shots_of(self, filters: Filters, encoder_id: str) -> NDArray[np.int64]:
        """Return int64 (n,): a number for the shot of each segment that passes the filters."""
        with self._watch.reading() as (connection, token):
            columns = self._current_table(connection, token, encoder_id, len(_COLUMNS)).columns
        shots: NDArray[np.int64] = columns[1] * _SHOTS + columns[3]
        return shots[np.isin(columns[0], self.allowed(filters, encoder_id), assume_unique=True)] if filters else shots

    def _shot_count(self, filters: Filters, encoder_id: str) -> int:
        with self._watch.reading() as (connection, token):
            table = self._current_table(connection, token, encoder_id, len(_COLUMNS))
        places, count = self._shot_places(table)
        if not filters:
            return count
        found = np.zeros(count, np.bool_)
        found[places[np.isin(table.columns[0], self.allowed(filters, encoder_id), assume_unique=True)]] = True
        return int(found.sum())

    def owners(self, encoder_id: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return (segment ids, ids of their videos) of all segments embedded by the encoder: int64 (N,), read-only."""
        with self._watch.reading() as (connection, token):
            columns = self._current_table(connection, token, encoder_id, 2).columns
        return columns[0], columns[1]

    def facets(self) -> Facets:
        """Return the values that the videos have, for a choice of filters."""
        with self._watch.reading() as (connection, token):
            self._drop_outdated(token)
            return self._current_facets(connection).values()

    def _current_facets(self, connection: Connection) -> VideoFacets:
        """Return the facets as of the watch's transaction, after `_drop_outdated`."""
        if self._facets is None:
            self._facets = load_facets(connection)
        return self._facets

    def _drop_outdated(self, token: str) -> None:
        """Drop what belongs to an earlier state of the library."""
        if self._token != token:
            self._videos = self._facets = None
            self._current.clear()
            self._token = token

    def _current_table(self, connection: Connection, token: str, encoder_id: str, columns: int) -> SegmentTable:
        """Return a table of at least `columns` as of the watch's transaction; drop the videos after a change."""
        self._drop_outdated(token)
        table = self._tables.pop(encoder_id, None)
        if table is None or encoder_id not in self._current or len(table.columns) < columns:
            table = _updated(connection, vectors.stamp(connection, self._library_id, encoder_id), table, columns)
        self._tables[encoder_id] = table
        self._current.add(encoder_id)
        if len(self._tables) > _MAX_ENCODERS:
            oldest = next(iter(self._tables))
            del self._tables[oldest]
            self._current.discard(oldest)
        return table

    def _shot_places(self, table: SegmentTable) -> tuple[NDArray[np.int64], int]:
        """Return int64 (N,): the place of each segment's shot among all shots, whose number comes with it; kept."""
        kept = self._shots
        if kept is None or kept[0] is not table:
            shots, places = np.unique(table.columns[1] * _SHOTS + table.columns[3], return_inverse=True)
            self._shots = kept = (table, places, shots.size)
        return kept[1], kept[2]

    def _segment_seconds(self, table: SegmentTable, known: VideoTable) -> NDArray[np.float64]:
        """Return float64 (N,): length * num / den, rounded twice; kept until the table or the videos are replaced."""
        kept = self._seconds
        if kept is None or kept[0] is not table or kept[1] is not known:
            num, den = known.time_bases()
            _, video_ids, lengths = table.columns[:3]
            video_ids = known.known(video_ids)
            seconds = lengths.astype(np.float64)
            seconds *= num[video_ids]
            with np.errstate(divide="ignore", invalid="ignore"):  # of damaged rows
                seconds /= den[video_ids]
            self._seconds = kept = (table, known, seconds)
        return kept[2]


def _updated(connection: Connection, stamp: Stamp, table: SegmentTable | None, columns: int) -> SegmentTable:
    """Return the table as of the stamp of this transaction. If rows were only added, read only those."""
    state = (stamp.generation, stamp.dim)
    if table is None or (table.stamp.generation, table.stamp.dim) != state or len(table.columns) < columns:
        return SegmentTable(stamp, _rows_after(connection, stamp.encoder_id, 0, columns))
    if table.stamp.last_id == stamp.last_id:
        return replace(table, stamp=stamp)
    new = _rows_after(connection, stamp.encoder_id, table.stamp.last_id, len(table.columns))
    return SegmentTable(stamp, _read_only(np.concatenate([table.columns, new], axis=1)))


def _rows_after(connection: Connection, encoder_id: str, after: int, columns: int) -> NDArray[np.int64]:
    """Return int64 (columns, n), read-only: the first of _COLUMNS of segments with ids above `after`, ascending."""
    number = select(encoders.c.number).where(encoders.c.id == encoder_id).scalar_subquery()
    source = embeddings if columns == 1 else embeddings.join(segments, segments.c.id == embeddings.c.segment_id)
    statement = select(*_COLUMNS[:columns]).select_from(source).where(embeddings.c.encoder == number)
    statement = statement.order_by(embeddings.c.segment_id).limit(_BATCH)
    found = np.zeros((columns, 0), np.int64)
    while True:
        batch = integer_columns(connection, statement.where(embeddings.c.segment_id > after))
        found = np.concatenate([found, batch], axis=1) if found.size else batch
        if batch.shape[1] < _BATCH:
            return _read_only(found)
        after = int(batch[0, -1])


def _read_only(array: NDArray[np.int64]) -> NDArray[np.int64]:
    """Mark an array read-only, because all callers share it."""
    array.flags.writeable = False
    return array
