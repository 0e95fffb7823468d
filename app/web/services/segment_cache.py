"""Cache of segments with the paths of their poster and preview: a page requests 200 posters at a time."""

from __future__ import annotations

import math
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
MAX_STALE_SECONDS = 0.01
"""Time for which the library counts as unchanged. A page requests dozens of posters at a time, and a query to SQLite by
each of them would cost a tenth of their time: it hands the interpreter to another thread."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentFiles:
    """A segment with its video and the paths of its files, which may be missing."""

    segment: Segment
    video: Video
    poster: Path
    preview: Path


class SegmentCache:
    """A cache of at most MAX_SEGMENTS segments, cleared MAX_STALE_SECONDS after any process has changed the library.

    Thread-safe.

    Args:
        library: The library of the segments.
        clock: Returns seconds, for tests.
    """

    def __init__(self, library: Library, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._library = library
        self._clock = clock
        self._asked_at = -math.inf  # when the library was asked for its change token
        self._lock = threading.Lock()
        self._token = ""  # the library's change token when the segments were looked up
        self._segments: OrderedDict[int, SegmentFiles] = OrderedDict()

    def get(self, segment_id: int, *, fresh: bool = False) -> SegmentFiles:
        """Return a segment.

        Args:
            segment_id: Id of the segment.
            fresh: Bypass the cache.

        Raises:
            ApiError: 404, if the segment does not exist.
        """
        now = self._clock()
        with self._lock:
            if not fresh and now - self._asked_at < MAX_STALE_SECONDS and segment_id in self._segments:
                self._segments.move_to_end(segment_id)
                return self._segments[segment_id]
        token = self._library.change_token()  # fetched first, so that the data read is from this state or a later one
        with self._lock:
            self._asked_at = now
            if token != self._token:
                self._segments.clear()
                self._token = token
            elif not fresh and segment_id in self._segments:
                self._segments.move_to_end(segment_id)
                return self._segments[segment_id]
        found = self._look_up(segment_id)
        with self._lock:
            if token == self._token:
                self._segments[segment_id] = found
                while len(self._segments) > MAX_SEGMENTS:
                    self._segments.popitem(last=False)
        return found

    def _look_up(self, segment_id: int) -> SegmentFiles:
        found = self._library.segments([segment_id])
        if not found:
            raise ApiError(404, "There is no such shot; its video may have been removed or indexed again.")
        ((segment, video),) = found.values()
        return SegmentFiles(
            segment=segment,
            video=video,
            poster=self._library.poster_path(video, segment.number),
            preview=self._library.preview_path(video, segment.number),
        )
