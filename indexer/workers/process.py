"""One worker process, seen from the process that started it."""

from __future__ import annotations

import logging
import os
import pickle
import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO, Any, BinaryIO

from indexer.workers.child import Preparation
from indexer.workers.limits import WorkerLimits
from indexer.workers.wire import read_message, write_message

_log = logging.getLogger(__name__)

_ROOT = str(Path(__file__).resolve().parents[2])
_CODE = """\
import sys
sys.path.insert(0, sys.argv[1])
from indexer.workers.child import main
main()
"""
_ENVIRONMENT = {
    # A decoder has threads of its own; those of numpy would only take address space.
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "4",  # each reserves 64 MB of it
}
_MOST_WORDS = 4000  # of what a process printed last
_END_SECONDS = 10.0  # for a process to end by itself


class Worker:
    """A process, and the thread that starts it and reads what it sends.

    Linux kills a worker when the thread that started it ends, so that thread must live as long.

    Attributes:
        events: What the process sends, as pairs of a kind and a value: ("message", ...), ("result", ...),
            ("error", exception), and at its end ("ended", exit code), negative for a signal, or ("unstarted", reason).
        progress: The state that a task sent with its last sign of progress.
        signs: Number of signs of progress so far; the first is that the process has started.
    """

    def __init__(self, limits: WorkerLimits, prepare: Callable[[], None] | None) -> None:
        """Start a process, without waiting for it. prepare: called there first; an importable function."""
        self.events: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
        self.progress: Any = None
        self.signs = 0
        self._preparation = Preparation(os.getpid(), list(sys.path), pickle.dumps(prepare), limits.address_bytes)
        self._process: subprocess.Popen[bytes] | None = None
        self._tried = threading.Event()
        self._killed = False
        threading.Thread(target=self._run, name="worker", daemon=True).start()

    @property
    def pid(self) -> int | None:
        """Id of the process; None if it has not been started."""
        return None if self._process is None else self._process.pid

    def post(self, kind: str, value: Any = None) -> None:
        """Send a task, an answer, or that a message was taken. If the process is gone, `events` says so."""
        self._tried.wait()
        if self._process is not None:
            with suppress(OSError):
                write_message(_pipe(self._process.stdin), (kind, value))

    def kill(self) -> None:
        """Kill the process whatever it does, without waiting: a read from a dead drive cannot be interrupted."""
        self._killed = True
        if self._process is not None:
            self._process.kill()

    def _run(self) -> None:
        with ExitStack() as opened:
            try:  # the file, too: somebody waits for the answer where no more can be opened
                printed = opened.enter_context(tempfile.TemporaryFile())
                process = self._start(printed)
                with suppress(OSError):
                    write_message(_pipe(process.stdin), self._preparation)  # before any task: it is read first
                self._process = process
            except OSError as error:
                self.events.put(("unstarted", error.strerror or str(error)))
                return
            finally:
                self._tried.set()
            if self._killed:
                process.kill()
            try:
                self._listen(_pipe(process.stdout))
            except (EOFError, OSError):
                pass  # it has ended, or is about to: what it ended with is to be known
            except Exception:  # noqa: BLE001  what cannot be read here, as after an update of the program meanwhile
                _log.debug("reading from worker %d", process.pid, exc_info=True)
                process.kill()
            code = _wait(process)
            words = _last_words(printed)
        _log.debug("worker %d ended with %d: %s", process.pid, code, words)
        if self.signs or self._killed or code < 0:
            self.events.put(("ended", code))
        else:
            self.events.put(("unstarted", (words.splitlines() or [f"exit code {code}"])[-1]))
        for pipe in (process.stdin, process.stdout):
            with suppress(OSError):
                _pipe(pipe).close()

    def _start(self, printed: IO[bytes]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-P", "-c", _CODE, _ROOT],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=printed,
            env={**os.environ, **_ENVIRONMENT},  # noqa: TID251  passed on, not read
            start_new_session=True,  # Ctrl-C in a terminal goes to all processes of a session's group
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),  # Windows only
        )

    def _listen(self, stream: BinaryIO) -> None:
        while True:
            kind, value = read_message(stream)
            if kind == "progress":
                self.progress = value
                self.signs += 1
            else:
                self.events.put((kind, value))


def _wait(process: subprocess.Popen[bytes]) -> int:
    """Return the exit code of a process that has nothing more to say; kill it if it does not end by itself."""
    try:
        return process.wait(_END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def _pipe(stream: IO[bytes] | None) -> BinaryIO:
    assert stream is not None
    return stream  # type: ignore[return-value]


def _last_words(printed: IO[bytes]) -> str:
    size = printed.seek(0, os.SEEK_END)
    printed.seek(max(0, size - _MOST_WORDS))
    return printed.read().decode("utf-8", "replace").strip()
