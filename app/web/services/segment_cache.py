"""Cache of segments with the paths of their poster and preview: a page requests 200 posters at a time."""

from __future__ import annotations

import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app.web.http.errors import ApiError

if TYPE_CHECKING:
    from db.library import Library
    from db.records import Segment, Video

MAX_SEGMENTS = 5000  # about 2 KiB each
_SETTLED_NS = 1_000_000_000
State = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentFiles:
    """A segment with its video and the paths of its files, which may be missing."""

    segment: Segment
    video: Video
    poster: Path
    preview: Path


class SegmentCache:
    """At most MAX_SEGMENTS segments, dropped whenever any process changes the library. Thread-safe.

    A change shows in size and time of the database's files. A commit writes there a moment before others can see it,
    so what was read within a second of a write is not kept.

    Args:
        library: The library that segments are looked up in.
        now_ns: Clock, in nanoseconds since the epoch.
    """

    def __init__(self, library: Library, *, now_ns: Callable[[], int] = time.time_ns) -> None:
        self._library = library
        self._now_ns = now_ns
        self._lock = threading.Lock()
        self._state: State = ()
        self._segments: OrderedDict[int, SegmentFiles] = OrderedDict()

    def get(self, segment_id: int, *, fresh: bool = False) -> SegmentFiles:
        """Return a segment.

        Args:
            segment_id: Id of the segment.
            fresh: Ask the library in any case.

        Raises:
            ApiError: 404, if there is no such segment.
        """
        state = self._library_state()
        with self._lock:
            if state != self._state:
                self._segments.clear()
                self._state = state
            elif not fresh and segment_id in self._segments:
                self._segments.move_to_end(segment_id)
                return self._segments[segment_id]
        found = self._look_up(segment_id)
        if max((changed for changed, _ in state), default=0) + _SETTLED_NS < self._now_ns():
            with self._lock:
                if state == self._state:
                    self._segments[segment_id] = found
                    while len(self._segments) > MAX_SEGMENTS:
                        self._segments.popitem(last=False)
        return found

    def _look_up(self, segment_id: int) -> SegmentFiles:
        found = self._library.segments([segment_id])
        if not found:
            raise ApiError(404, "There is no such segment; its video may have been removed or indexed again.")
        ((segment, video),) = found.values()
        return SegmentFiles(
            segment=segment,
            video=video,
            poster=self._library.poster_path(video, segment.number),
            preview=self._library.preview_path(video, segment.number),
        )

    def _library_state(self) -> State:
        """Return (time of the last write in ns, size) of the database and of its write-ahead log."""
        from db.library import FILE_NAME

        found = []
        for name in (FILE_NAME, f"{FILE_NAME}-wal"):
            try:
                info = os.stat(self._library.directory / name)
            except OSError:
                found.append((0, 0))
            else:
                found.append((info.st_mtime_ns, info.st_size))
        return tuple(found)
