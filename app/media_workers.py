"""Reading of media in worker processes: a crash, a hang or a lack of memory costs one file or one answer."""

from __future__ import annotations

import math
import sys
import threading
from collections.abc import Callable, Mapping
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from indexer.media.errors import Cancelled, UnreadableVideo
from indexer.workers.limits import WorkerLimits
from indexer.workers.pool import WorkerPool
from indexer.workers.task import WorkersUnavailable

if TYPE_CHECKING:
    from indexer.workers.child import Link

T = TypeVar("T")

LIMITS = WorkerLimits(stall_seconds=30.0)
_MOST_AT_ONCE = 2
_LOOK_SECONDS = 1.0
_READ_BYTES = 4096  # more than it takes to look how much was read
_TOO_LONG = "Reading this file takes too long."
_TOO_MUCH = "Reading this file takes too much memory; choose a smaller or shorter one."


class ReadMedia(Protocol):
    """Calls an importable function that reads a media file.

    Args:
        function: The function.
        arguments: Its arguments.
        path: The file, for errors.
        most_seconds: The longest that it may take; None: as long as it makes progress.
        keywords: Its keyword arguments.

    Raises:
        UnreadableVideo: The function crashed ("crashed"), made no progress or took too long ("stalled"), took too much
            memory ("memory"), or cannot be called now ("error").
        Exception: What the function raised.
    """

    def __call__(
        self, function: Callable[..., T], *arguments: Any, path: str, most_seconds: float | None = None, **keywords: Any
    ) -> T:
        """Return its result."""
        ...


def read_here(
    function: Callable[..., T], *arguments: Any, path: str, most_seconds: float | None = None, **keywords: Any
) -> T:
    """Call the function in this process; a ReadMedia."""
    return function(*arguments, **keywords)


class MediaWorkers:
    """A ReadMedia over worker processes, for any number of threads. They start when they are needed."""

    def __init__(self, limits: WorkerLimits = LIMITS, *, most: int = _MOST_AT_ONCE) -> None:
        """Make the workers; none is started yet.

        Args:
            limits: What each may use.
            most: How many read at once.
        """
        self._limits = limits
        self._pool = WorkerPool(limits, prepare=_import_readers)
        self._room = threading.Semaphore(most)

    def __call__(
        self, function: Callable[..., T], *arguments: Any, path: str, most_seconds: float | None = None, **keywords: Any
    ) -> T:
        """See `ReadMedia`."""
        until = math.inf if most_seconds is None else monotonic() + most_seconds
        if not self._room.acquire(timeout=self._limits.stall_seconds):
            raise UnreadableVideo(path, "error", "Other files are still being read; try again in a moment.")
        try:
            late = partial(_is_past, until)
            with self._pool.task(_read, function, arguments, keywords, path=path, cancelled=late) as task:
                for _ in task:
                    pass
            result: T = task.result
            return result
        except UnreadableVideo as error:
            if error.kind == "memory":
                raise UnreadableVideo(path, "memory", _TOO_MUCH) from error
            raise
        except (Cancelled, WorkersUnavailable) as error:
            if isinstance(error, Cancelled) and _is_past(until):
                raise UnreadableVideo(path, "stalled", _TOO_LONG) from error
            raise UnreadableVideo(path, "error", f"The file cannot be read now ({error}).") from error
        finally:
            self._room.release()

    def close(self) -> None:
        """Kill the workers, without waiting."""
        self._pool.close()


def _is_past(moment: float) -> bool:
    return monotonic() > moment


# In the worker


def _import_readers() -> None:
    import indexer.media.clip
    import indexer.media.preview  # noqa: F401


def _read(link: Link, function: Callable[..., T], arguments: tuple[Any, ...], keywords: Mapping[str, Any]) -> T:
    done = threading.Event()
    threading.Thread(target=_tell_progress, args=(link, done), daemon=True).start()
    try:
        return function(*arguments, **keywords)
    finally:
        done.set()


def _tell_progress(link: Link, done: threading.Event) -> None:
    """Say that the task makes progress as long as it reads on: no limit holds for how much there is to read."""
    import psutil

    process, before = psutil.Process(), 0
    while not done.wait(_LOOK_SECONDS):
        if sys.platform == "darwin":  # which does not tell
            now = int(process.cpu_times().user * _READ_BYTES * 10)
        else:
            now = process.io_counters().read_chars
        if now - before > _READ_BYTES:
            link.progress()
        before = now
