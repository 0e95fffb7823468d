"""Whether the file at a video's path still holds what was indexed: nothing else is ever sent.

A path is only a name: another file can be put there, or a link to any file of the machine.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

from app.web.http.errors import ApiError

if TYPE_CHECKING:
    from db.records import Video

_MOST = 512
_CHANGED = "The file has changed since it was indexed; index its folder again to play it."


class SourceCheck:
    """Size and time as indexed are enough; where only the time differs, the content is compared once (1.5 MiB read)."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._same: OrderedDict[tuple[str, int, int, int, int], bool] = OrderedDict()

    def require(self, video: Video, info: os.stat_result) -> None:
        """info: of the opened file. Raises ApiError (409) for other content, OSError where it cannot be read."""
        if info.st_size != video.size_bytes:
            raise ApiError(409, _CHANGED)
        if info.st_mtime_ns == video.modified_ns:
            return
        key = (video.fingerprint, info.st_dev, info.st_ino, info.st_size, info.st_mtime_ns)
        with self._lock:
            same = self._same.get(key)
        if same is None:
            from indexer.fingerprint import fingerprint

            same = fingerprint(video.path) == video.fingerprint
            with self._lock:
                self._same[key] = same
                while len(self._same) > _MOST:
                    self._same.popitem(last=False)
        if not same:
            raise ApiError(409, _CHANGED)
