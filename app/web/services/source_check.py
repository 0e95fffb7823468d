"""Check that the file at a video's path is still the indexed one. No other file is ever sent to a browser.

A path alone proves nothing: another file could be put there, or a link to any file on the machine.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

from app.web.http.errors import ApiError

if TYPE_CHECKING:
    from db.records import Video

_MAX_RESULTS = 512
_CHANGED = "The file has changed since it was indexed; index its folder again to play it."


class SourceCheck:
    """Compares size and time with the indexed ones, and content once if only the time differs. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._unchanged: OrderedDict[tuple[str, int, int, int, int], bool] = OrderedDict()

    def require_unchanged(self, video: Video, info: os.stat_result) -> None:
        """Raise unless the file is the indexed one. Comparing contents reads 1.5 MiB.

        Args:
            video: The video as indexed.
            info: Status of the open file.

        Raises:
            ApiError: 409 for other content.
            OSError: The file cannot be read.
        """
        if info.st_size != video.size_bytes:
            raise ApiError(409, _CHANGED)
        if info.st_mtime_ns == video.modified_ns:
            return
        key = (video.fingerprint, info.st_dev, info.st_ino, info.st_size, info.st_mtime_ns)
        with self._lock:
            unchanged = self._unchanged.get(key)
        if unchanged is None:
            from indexer.fingerprint import fingerprint

            unchanged = fingerprint(video.path) == video.fingerprint
            with self._lock:
                self._unchanged[key] = unchanged
                while len(self._unchanged) > _MAX_RESULTS:
                    self._unchanged.popitem(last=False)
        if not unchanged:
            raise ApiError(409, _CHANGED)
