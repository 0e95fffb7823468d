"""In-memory table of the columns of videos that filters use.

A video takes about 300 bytes, mostly for its path and name.
"""

from __future__ import annotations

import os
from bisect import bisect_left
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, func, select

from db.integer_columns import integer_columns
from db.media_roots import NO_ROOTS, MediaRoots
from db.names import comparison_key
from db.path_types import roots_of
from db.records import Filters
from db.schema import videos
from db.sql import Number

_COLUMNS = ("id", "modified_ns", "recorded_at", "width", "height", "time_base_num", "time_base_den", "has_audio")

_MAX_ID = 1 << 27  # a higher id of a video is damage, for which no table of that size is made
_UNKNOWN = -1  # date of recording of a video that states none


class VideoTable:
    """V videos, sorted by the bytes of their paths. Immutable.

    Args:
        paths: The paths as stored, in ascending order.
        columns: int64 (8, V), in the order of _COLUMNS.
        roots: By which folders are found among them.
    """

    def __init__(self, paths: list[bytes], columns: NDArray[np.int64], roots: MediaRoots = NO_ROOTS) -> None:
        self.paths = paths
        self._roots = roots
        by_name: dict[str, NDArray[np.int64]] = dict(zip(_COLUMNS, columns, strict=True))
        self.ids, self._modified_ns = by_name["id"], by_name["modified_ns"]
        self._recorded_at = by_name["recorded_at"]
        self._has_sound = by_name["has_audio"] != 0
        self._width, self._height = by_name["width"], by_name["height"]
        self._num, self._den = by_name["time_base_num"], by_name["time_base_den"]
        self._size = int(self.ids.max(initial=0)) + 1

    def allowed(self, filters: Filters) -> NDArray[np.int64]:
        """Return int64 (n,): ids of the videos that pass the filters, except those on the length of segments
        and on facets.

        Args:
            filters: Their folder must be absolute.
        """
        mask = np.ones(len(self.paths), dtype=bool)
        if filters.folder is not None:
            mask &= self._below(filters.folder)
        if filters.since_ns is not None:
            mask &= self._modified_ns >= filters.since_ns
        if filters.until_ns is not None:
            mask &= self._modified_ns <= filters.until_ns
        if filters.recorded_since is not None:
            mask &= self._recorded_at >= max(filters.recorded_since, _UNKNOWN + 1)
        if filters.recorded_until is not None:
            mask &= (self._recorded_at <= filters.recorded_until) & (self._recorded_at > _UNKNOWN)
        if filters.min_short_side is not None:
            mask &= self._short_side >= filters.min_short_side
        if filters.max_short_side is not None:
            mask &= self._short_side <= filters.max_short_side
        if filters.orientation == "landscape":
            mask &= self._width > self._height
        elif filters.orientation == "portrait":
            mask &= self._width < self._height
        elif filters.orientation == "square":
            mask &= self._width == self._height
        if filters.has_sound is not None:
            mask &= self._has_sound == filters.has_sound
        if filters.name is not None:
            wanted = comparison_key(filters.name)
            mask &= np.fromiter((wanted in name for name in self._names), dtype=bool, count=len(self.paths))
        return self.ids[mask]

    def known(self, ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return video ids, with 0 (the id of no video) in place of those beyond a table of this size."""
        outside = ids.size and (ids.max() >= self._size or ids.min() < 0)
        return np.where((ids >= 0) & (ids < self._size), ids, 0) if outside else ids

    def flags(self, ids: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return bool (highest id + 1,), indexed by video id: True for those in `ids`."""
        found = np.zeros(self._size, dtype=bool)
        found[ids] = True
        return found

    def time_bases(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return numerators and denominators of the time bases (seconds per pts): float64, indexed by video id."""
        num, den = np.ones(self._size), np.ones(self._size)
        num[self.ids], den[self.ids] = self._num, self._den
        return num, den

    def _below(self, folder: str) -> NDArray[np.bool_]:
        """Return bool (V,), as in `reading.below`: the videos in a folder are slices of the sorted paths."""
        mask = np.zeros(len(self.paths), dtype=bool)
        for begin, end in self._roots.ranges(folder):
            mask[bisect_left(self.paths, begin) : bisect_left(self.paths, end)] = True
        return mask

    @cached_property
    def _short_side(self) -> NDArray[np.int64]:
        return np.minimum(self._width, self._height)

    @cached_property
    def _names(self) -> list[str]:
        """Return the comparison keys of the file names."""
        return [comparison_key(os.path.basename(os.fsdecode(path))) for path in self.paths]


def load_videos(connection: Connection) -> VideoTable:
    """Load all videos inside the caller's transaction."""
    cursor = connection.execute(select(videos.c.id, videos.c.path).order_by(videos.c.path)).cursor
    assert cursor is not None  # the driver's, which returns bytes
    named = cursor.fetchall()
    selected = {name: videos.c[name] for name in _COLUMNS} | {
        "recorded_at": func.coalesce(videos.c.recorded_at, _UNKNOWN),
        "has_audio": Number(videos.c.has_audio),
    }
    columns = integer_columns(connection, select(*selected.values()).order_by(videos.c.path))
    if [video_id for video_id, _ in named] != columns[0].tolist() or not all(type(path) is bytes for _, path in named):
        there = {video_id for video_id, path in named if type(path) is bytes} & set(columns[0].tolist())
        columns = columns[:, np.isin(columns[0], list(there))]  # without damaged rows
        named = [(video_id, path) for video_id, path in named if video_id in there]
    possible = (columns[0] >= 0) & (columns[0] <= _MAX_ID)
    if not possible.all():
        columns = columns[:, possible]
        named = [(video_id, path) for video_id, path in named if 0 <= video_id <= _MAX_ID]
    return VideoTable([path for _, path in named], columns, roots_of(connection.dialect))
