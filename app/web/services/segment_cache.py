"""Cache of segments with the paths of their poster and preview: a page requests 200 posters at a time."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app.web.http.errors import ApiError

if TYPE_CHECKING:
    from db.library import Library
    from db.records import Segment, Video

MAX_SEGMENTS = 5000  # about 2 KiB each


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentFiles:
    """A segment with its video and the paths of its files, which may be missing."""

    segment: Segment
    video: Video
    poster: Path
    preview: Path


class SegmentCache:
    """A cache of at most MAX_SEGMENTS segments, cleared whenever any process changes the library. Thread-safe.

    Args:
        library: The library of the segments.
    """

    def __init__(self, library: Library) -> None:
        self._library = library
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
        token = self._library.change_token()  # fetched first, so that the data read is from this state or a later one
        with self._lock:
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
            raise ApiError(404, "There is no such segment; its video may have been removed or indexed again.")
        ((segment, video),) = found.values()
        return SegmentFiles(
            segment=segment,
            video=video,
            poster=self._library.poster_path(video, segment.number),
            preview=self._library.preview_path(video, segment.number),
        )
