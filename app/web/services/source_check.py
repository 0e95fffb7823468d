"""Check that a video's file is still the indexed one. No other file is ever sent to a browser.

A path alone proves nothing: another file could be put there, or a link to any file on the machine. Contents are
compared in threads of their own: a request waits for a moment at most, in which small differences are settled.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

from app.exporting.sources import reachable
from app.web.http.errors import ApiError
from indexer.identity import Identity, IdentityCheck, Verdict

if TYPE_CHECKING:
    from db.library import Library
    from db.records import Video

WAIT_SECONDS = 1.0
_AT_ONCE = 2  # files compared at the same time
_CHANGED = "The file has changed since it was indexed; index its folder again to play it."
_COMPARING = (
    "The file may have changed since it was indexed and is being checked; try again in a moment, or index its folder "
    "again."
)


class SourceCheck:
    """Compares files with what was indexed: by `indexer.identity`, and in the background. Thread-safe.

    Args:
        library: For other files with the content of one that is not there; None: there are no others.
    """

    def __init__(self, library: Library | None = None) -> None:
        self._library = library
        self._check = IdentityCheck()
        self._lock = threading.Lock()
        self._running: dict[tuple[Identity, str], threading.Event] = {}
        self._slots = threading.BoundedSemaphore(_AT_ONCE)

    def reachable(self, video: Video) -> Video:
        """Return a video or, if its file is not there, another one of the same content whose file is."""
        return video if self._library is None else reachable(self._library, video)

    def require_unchanged(self, video: Video, info: os.stat_result) -> None:
        """Raise unless the file is the indexed one.

        Args:
            video: The video as indexed.
            info: Status of the open file.

        Raises:
            ApiError: 409 for other content, or while contents are being compared.
        """
        identity = Identity.of(video)
        verdict = self._check.known(identity, info)
        if verdict is Verdict.UNKNOWN and not self._check.compared(identity, info):
            if not self._compared(identity, video.path).wait(WAIT_SECONDS):
                raise ApiError(409, _COMPARING)
            verdict = self._check.known(identity, info)
        if verdict is not Verdict.SAME:
            raise ApiError(409, _CHANGED)

    def _compared(self, identity: Identity, path: str) -> threading.Event:
        """Start the comparison of a file unless it runs; return what is set at its end."""
        with self._lock:
            done = self._running.get((identity, path))
            if done is None:
                done = self._running[identity, path] = threading.Event()
                threading.Thread(target=self._compare, args=(identity, path, done), name="compare", daemon=True).start()
            return done

    def _compare(self, identity: Identity, path: str, done: threading.Event) -> None:
        try:
            with self._slots:
                self._check.compare(identity, path)
        except OSError:
            pass  # whoever opens it is told why
        finally:
            with self._lock:
                del self._running[identity, path]
            done.set()
