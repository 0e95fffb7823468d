"""Calls that wait for a drive, each in a thread of its own: one that does not respond is given up after a while."""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from files.filesystems import mounts

T = TypeVar("T")

ANSWER_SECONDS = 6.0
"""Time within which a drive must respond."""
_MOST_GIVEN_UP = 2  # threads that wait for one drive, and that nothing can end


class NoAnswer(Exception):
    """The drive did not respond in time."""


class DriveCalls:
    """Calls functions that ask a drive. A call to a dead network drive cannot be interrupted, so it is abandoned.

    While calls to a drive are abandoned, further ones to it fail at once, so that a dead drive holds few threads.
    """

    def __init__(self) -> None:
        self._given_up: Counter[str] = Counter()  # by drive
        self._lock = threading.Lock()

    def __call__(self, path: str, function: Callable[[], T], seconds: float = ANSWER_SECONDS) -> T:
        """Return what `function` returns.

        Args:
            path: What the function asks about; it tells the drive.
            function: Called in a thread.
            seconds: The longest wait.

        Raises:
            NoAnswer: The drive did not respond in time, or has not responded to earlier calls.
            Exception: What the function raised.
        """
        drive = drive_of(path)
        with self._lock:
            if self._given_up[drive] >= _MOST_GIVEN_UP:
                raise NoAnswer(path)
        call = _Call(function)
        thread = threading.Thread(target=self._run, args=(call, drive), name="folder", daemon=True)
        thread.start()
        thread.join(seconds)
        with self._lock:
            if not call.ended:
                call.given_up = True
                self._given_up[drive] += 1
                raise NoAnswer(path)
        if call.error is not None:
            raise call.error
        return call.results[0]

    def _run(self, call: _Call[Any], drive: str) -> None:
        call.run()
        with self._lock:
            call.ended = True
            if call.given_up:
                self._given_up[drive] -= 1


class _Call(Generic[T]):
    """A call in a thread."""

    def __init__(self, function: Callable[[], T]) -> None:
        self.results: list[T] = []
        self.error: Exception | None = None
        self.ended = self.given_up = False
        self._function = function

    def run(self) -> None:
        try:
            self.results.append(self._function())
        except Exception as error:  # noqa: BLE001 - raised again where the call was made
            self.error = error


def drive_of(path: str) -> str:
    """Return the mount point or drive letter of a path, by its text alone: asking the drive itself may take forever."""
    drive = os.path.splitdrive(path)[0]
    if drive:
        return drive.lower()
    points = (mount.point for mount in mounts() if (path + "/").startswith(mount.point.rstrip("/") + "/"))
    return max(points, key=len, default="/")
