"""Quick hits that somebody looks at, encoded in full one after the other while the page goes on."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from app.media_workers import ReadMedia

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from db.library import Library
    from search.engines import Engine

logger = logging.getLogger(__name__)

MOST_READING_SECONDS = 60.0
"""The longest that reading one shot may take."""
_END_SECONDS = 5.0


class Deepening:
    """Deepens shots in a thread of its own, which lives while there are any. Thread-safe."""

    def __init__(self, library: Library, open_engine: Callable[[], Engine], read: ReadMedia) -> None:
        """Prepare; the engine is opened when the first shot is looked at.

        Args:
            library: The library. In one that can only be read, nothing is deepened.
            open_engine: Returns the engine that searches ask, whose full encoders these are.
            read: Calls the function that reads a clip.
        """
        self._library = library
        self._open_engine = open_engine
        self._read = read
        self._lock = threading.Lock()
        self._waiting: deque[int] = deque()
        self._current: int | None = None
        self._deepened: set[int] = set()
        self._thread: threading.Thread | None = None
        self._stopped = False

    def look_at(self, segment_ids: Iterable[int]) -> None:
        """Deepen these shots, in this order, in place of those that were still to come: nobody looks at them now."""
        wanted = () if self._library.read_only else tuple(dict.fromkeys(segment_ids))
        with self._lock:
            if self._stopped:
                return
            self._waiting = deque(each for each in wanted if each != self._current)
            self._deepened &= set(wanted)
            if self._waiting and self._thread is None:
                self._thread = threading.Thread(target=self._work, name="deepening", daemon=True)
                self._thread.start()

    def state(self) -> tuple[list[int], list[int]]:
        """Return the shots that are still to be deepened, and those that were, since they were looked at."""
        with self._lock:
            current = [] if self._current is None else [self._current]
            return [*current, *self._waiting], sorted(self._deepened)

    def stop(self) -> None:
        """Deepen nothing more, and wait a moment for the shot in progress."""
        with self._lock:
            self._stopped = True
            self._waiting.clear()
            thread = self._thread
        if thread is not None:
            thread.join(_END_SECONDS)

    def _work(self) -> None:
        done: int | None = None
        while True:
            with self._lock:
                if done is not None:
                    self._deepened.add(done)
                self._current = self._waiting.popleft() if self._waiting else None
                if self._current is None:
                    self._thread = None
                    return
                current = self._current
            done = current if self._deepen(current) else None

    def _deepen(self, segment_id: int) -> bool:
        """Deepen a shot; return whether it has a full row now. What fails is left to the full pass."""
        from indexer.deepening import deepen

        try:
            encoders = [space.encoder for space in self._open_engine().spaces if not space.is_quick]
            found = [deepen(self._library, encoder, segment_id, read=self._clip) for encoder in encoders]
            return any(found)
        except Exception as error:  # noqa: BLE001 - nobody waits for it, and the next one may go well
            logger.info("shot %d could not be deepened: %s", segment_id, error)
            return False

    def _clip(self, path: str, *args: Any, **options: Any) -> NDArray[np.uint8]:
        from indexer.media.clip import read_clip

        return self._read(read_clip, path, *args, **options, path=path, most_seconds=MOST_READING_SECONDS)
