"""A task in a worker process: its messages as they come, and the reasons to give it up."""

from __future__ import annotations

import queue
import signal
import sys
from collections.abc import Callable, Iterator
from time import monotonic
from typing import Any

from indexer.media.errors import Cancelled, UnreadableVideo
from indexer.workers.child import WorkerMemory
from indexer.workers.limits import WorkerLimits
from indexer.workers.process import Worker

_LOOK_SECONDS = 0.1
_START_SECONDS = 120.0  # for a process to start, on a machine that has much else to do
_MEMORY_SECONDS = 0.5  # between looks at the memory in use


class WorkersUnavailable(Exception):
    """No worker process can be started; the message says why. It is no fault of the file."""


class Task:
    """A task in a worker. Iterate it once, from one thread, to get its messages; then `result` is there.

    The worker waits while two of its messages have not been taken. A message counts as taken when the next one is
    asked for, and time counts against a task only while it has nothing to wait for.
    """

    def __init__(self, worker: Worker, path: str, limits: WorkerLimits, cancelled: Callable[[], bool]) -> None:
        """Follow a task that a worker was sent; see `indexer.workers.pool.WorkerPool.task`."""
        self.result: Any = None
        self.finished = False  # whether the worker is free again
        self._worker = worker
        self._path = path
        self._limits = limits
        self._cancelled = cancelled
        self._looked_at = monotonic()

    @property
    def progress(self) -> Any:
        """The state that the task sent with its last sign of progress."""
        return self._worker.progress

    def answer(self, answer: Any) -> None:
        """Answer the last message, which was a question (`Link.ask`)."""
        self._worker.post("answer", answer)

    def __iter__(self) -> Iterator[Any]:
        """Yield the messages.

        Raises:
            UnreadableVideo: The task was given up: "crashed", "stalled" or "memory".
            Cancelled: `cancelled()` returned True; it is polled ten times a second.
            WorkersUnavailable: The process cannot be started.
            Exception: What the task itself raised. `TaskFailed` if that cannot be sent.
        """
        while True:
            kind, value = self._next()
            if kind == "message":
                yield value
                self._worker.post("taken")
            elif kind == "result":
                self.result, self.finished = value, True
                return
            elif kind == "error":
                self._fail(value)
            elif kind == "unstarted":
                raise WorkersUnavailable(f"No process for decoding can be started ({value}).")
            else:
                raise self._ended(value)

    def _next(self) -> tuple[str, Any]:
        signs, idle = self._worker.signs, 0.0
        before = monotonic()
        while True:
            if self._cancelled():
                raise Cancelled(self._path)
            try:
                return self._worker.events.get(timeout=_LOOK_SECONDS)
            except queue.Empty:
                pass
            now = monotonic()
            idle += min(now - before, 1.0)  # less than the time itself if this process was stopped (Ctrl-Z)
            before = now
            if self._worker.signs != signs:
                signs, idle = self._worker.signs, 0.0
            limit = self._limits.stall_seconds
            if idle > (limit if signs else max(limit, _START_SECONDS)):
                raise UnreadableVideo(
                    self._path,
                    "stalled",
                    f"No progress for {limit:g} s, so it was given up: its drive is not responding, or the decoder "
                    "hangs.",
                )
            if self._limits.address_bytes is None and now - self._looked_at > _MEMORY_SECONDS:
                self._looked_at = now
                self._check_memory()

    def _check_memory(self) -> None:
        import psutil

        try:
            used = psutil.Process(self._worker.pid).memory_info().rss if self._worker.pid else 0
        except psutil.Error:
            return  # it has ended, which is the next event
        if used > self._limits.memory_bytes:
            raise self._too_much_memory()

    def _fail(self, error: Exception) -> None:
        if isinstance(error, WorkerMemory):  # the process ends with the task, and gives all of it back
            raise self._too_much_memory()
        self.finished = True
        raise error

    def _ended(self, code: int) -> UnreadableVideo | Cancelled:
        if self._cancelled():
            return Cancelled(self._path)
        if sys.platform != "win32" and code == -signal.SIGKILL:
            return UnreadableVideo(
                self._path, "memory", "The system killed its decoder (SIGKILL), most likely because memory ran out."
            )
        return UnreadableVideo(self._path, "crashed", f"The decoder crashed on it ({_name_of(code)}).")

    def _too_much_memory(self) -> UnreadableVideo:
        most = f"{self._limits.memory_gib:g} GiB"
        return UnreadableVideo(
            self._path, "memory", f"Decoding it takes more memory than the {most} allowed (--decode-memory)."
        )


def _name_of(code: int) -> str:
    """Return the name of an exit code."""
    if code < 0:
        try:
            return signal.Signals(-code).name
        except ValueError:
            return f"signal {-code}"
    return f"exit code {code:#x}" if code > 255 else f"exit code {code}"
