"""Where the files of a segment lie, asked of the library once for many requests: a page shows 200 posters at a time."""

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

MOST = 5000  # about 2 KiB each
_SETTLED_NS = 1_000_000_000
State = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A segment with its video and its files, which may or may not be there."""

    segment: Segment
    video: Video
    poster: Path
    preview: Path


class Lookups:
    """At most MOST places, forgotten whenever any process changes the library. Safe from several threads.

    What tells a change are size and time of the database's files. A commit writes there a moment before others can
    see it, so what was read within a second of a write is not kept.
    """

    def __init__(self, library: Library, *, now_ns: Callable[[], int] = time.time_ns) -> None:
        self._library = library
        self._now_ns = now_ns
        self._lock = threading.Lock()
        self._state: State = ()
        self._places: OrderedDict[int, Place] = OrderedDict()

    def place(self, segment_id: int, *, fresh: bool = False) -> Place:
        """Raises ApiError (404) where there is no such segment. fresh: ask the library in any case."""
        state = self._library_state()
        with self._lock:
            if state != self._state:
                self._places.clear()
                self._state = state
            elif not fresh and segment_id in self._places:
                self._places.move_to_end(segment_id)
                return self._places[segment_id]
        place = self._ask(segment_id)
        if max((changed for changed, _ in state), default=0) + _SETTLED_NS < self._now_ns():
            with self._lock:
                if state == self._state:
                    self._places[segment_id] = place
                    while len(self._places) > MOST:
                        self._places.popitem(last=False)
        return place

    def _ask(self, segment_id: int) -> Place:
        found = self._library.segments([segment_id])
        if not found:
            raise ApiError(404, "There is no such segment; its video may have been removed or indexed again.")
        ((segment, video),) = found.values()
        return Place(
            segment=segment,
            video=video,
            poster=self._library.poster_path(video, segment.number),
            preview=self._library.preview_path(video, segment.number),
        )

    def _library_state(self) -> State:
        """(time of the last write in ns, size) of the database and of its write-ahead log."""
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
