"""The worker process: runs one task after another, and sends what they have to say to the process that started it."""

from __future__ import annotations

import faulthandler
import os
import pickle
import queue
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic
from typing import Any, BinaryIO

from indexer.workers.limits import die_with_parent, limit_address_space
from indexer.workers.wire import read_message, write_message

AHEAD = 2
"""Messages of a task that may be under way before it waits; bounds memory, and lets decoding go on meanwhile."""

_PROGRESS_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Preparation:
    """What a process is told when it starts."""

    parent: int  # id of the process that started it
    module_path: list[str]
    prepare: bytes  # a pickled function without arguments, or None
    address_bytes: int | None


class WorkerMemory(MemoryError):
    """A task ran out of memory; stands for any exception that says so."""


class TaskFailed(Exception):
    """An exception of a task that cannot be sent as it is; its text names it."""


class Link:
    """The connection of a running task to the process that waits for it. Its threads may share it."""

    def __init__(self, write: Callable[[Any], None]) -> None:
        self._write = write
        self._room = threading.Semaphore(AHEAD)
        self._answers: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._told_at = 0.0

    def send(self, message: Any) -> None:
        """Send a message, and wait first while AHEAD others have not been taken."""
        self._room.acquire()
        self._write(("message", message))

    def ask(self, question: Any) -> Any:
        """Send a message and return the answer to it, from `Task.answer`."""
        self.send(question)
        return self._answers.get()

    def progress(self, state: Any = None, *, now: bool = False) -> None:
        """Say that the task makes progress, as often as it does: it is given up if it says so no more.

        Args:
            state: What `Task.progress` is to be. It is sent ten times a second at most, unless `now` is set.
            now: Send it in any case.
        """
        moment = monotonic()
        if now or moment - self._told_at >= _PROGRESS_SECONDS:
            self._told_at = moment
            self._write(("progress", state))

    # For the thread that reads what the parent sends

    def on_taken(self) -> None:
        self._room.release()

    def on_answer(self, answer: Any) -> None:
        self._answers.put(answer)


class _Child:
    def __init__(self, reading: BinaryIO, writing: BinaryIO) -> None:
        self._reading = reading
        self._writing = writing
        self._lock = threading.Lock()
        self._tasks: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._link = Link(self._write)

    def run(self) -> None:
        preparation: Preparation = read_message(self._reading)
        die_with_parent(preparation.parent)
        sys.path[:] = preparation.module_path
        if preparation.address_bytes is not None:
            limit_address_space(preparation.address_bytes)
        threading.Thread(target=self._listen, name="parent", daemon=True).start()
        prepare = pickle.loads(preparation.prepare)
        if prepare is not None:
            prepare()
        self._write(("progress", None))
        while True:
            task = self._tasks.get()
            self._write(self._outcome(task))

    def _outcome(self, task: bytes) -> tuple[str, Any]:
        try:
            function, arguments = pickle.loads(task)
            return "result", function(self._link, *arguments)
        except Exception as error:  # noqa: BLE001  whatever it is, the parent is to know
            return "error", _sendable(error)

    def _write(self, message: Any) -> None:
        try:
            with self._lock:
                write_message(self._writing, message)
        except OSError:
            os._exit(1)  # the parent is gone

    def _listen(self) -> None:
        with suppress(EOFError, OSError):
            while True:
                kind, value = read_message(self._reading)
                if kind == "task":
                    self._link = Link(self._write)
                    self._tasks.put(value)
                elif kind == "taken":
                    self._link.on_taken()
                else:
                    self._link.on_answer(value)
        os._exit(0)  # also in the middle of a task


def call(link: Link, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    """Call a function that has nothing to say but its result; a task."""
    return function(*arguments)


def main() -> None:
    """Run the process, with messages on standard input and output, until its input ends."""
    reading, writing = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    # What libraries read and print goes elsewhere.
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    faulthandler.enable()
    for number in (signal.SIGINT, signal.SIGTERM):  # for the parent; a service manager sends them to all processes
        signal.signal(number, signal.SIG_IGN)
    _Child(reading, writing).run()


def _sendable(error: Exception) -> Exception:
    """Return an exception that can be pickled."""
    if isinstance(error, MemoryError) or (type(error).__module__ == "cv2" and getattr(error, "code", 0) == -4):
        return WorkerMemory()
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:  # noqa: BLE001  pickling runs the exception's own code
        return TaskFailed(f"{type(error).__name__}: {error}")
    return error
