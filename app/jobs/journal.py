"""The journal that a long job keeps while it runs, for whoever looks: written beside the work, never in its way.

A thread of its own does all that touches the disk, at most twice a second. Where the disk is full or gone, the job goes
on without a journal.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from app.jobs.state import (
    MOST_CURRENT,
    MOST_FAILURES,
    STATE_FILE,
    STOP_FILE,
    JobFailure,
    JobProgress,
    JobState,
    Outcome,
    bounded_report,
    bounded_text,
    ended,
    write_state,
)

WRITE_SECONDS = 0.5
BEAT_SECONDS = 5.0
"""How often the file is touched where there is nothing to write: a sign of life that other machines can read."""
_PATIENCE_SECONDS = 10.0  # for a disk that does not answer, at the end
_RESERVE = ".reserve"
_RESERVE_BYTES = 65_536


class Job:
    """A run as it keeps its journal. Made by `Jobs.begin`; every method may be called from any thread, and none raises.

    As a context it ends itself: done, stopped by Ctrl-C, or failed with what was raised.
    """

    def __init__(self, folder: Path | None, state: JobState) -> None:
        """folder None: there is no place for a journal, and nothing is written."""
        self.id = state.id
        self._folder = folder
        self._state = state
        self._lock = threading.Lock()
        self._changed = False
        self._stop = threading.Event()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        if folder is not None:
            self._keep_reserve(folder)
            self._write(durable=True)
            self._thread = threading.Thread(target=self._keep, name="run journal", daemon=True)
            self._thread.start()

    def tell(
        self,
        *,
        fraction: float | None = None,
        eta_seconds: float | None = None,
        speed: float | None = None,
        phase: str = "",
        text: str = "",
        files_done: int = 0,
        files_total: int = 0,
        current: Iterable[str] = (),
    ) -> None:
        """How far it is; what is left out is not known. Costs nothing: call it as often as there is news."""
        progress = JobProgress(
            fraction=fraction,
            eta_seconds=eta_seconds,
            speed=speed,
            phase=phase,
            text=bounded_text(text),
            files_done=files_done,
            files_total=files_total,
            current=tuple(current)[:MOST_CURRENT],
        )
        with self._lock:
            self._state = replace(self._state, progress=progress)
            self._changed = True

    def fail(self, path: str, reason: str) -> None:
        """One file or clip came to nothing, and the run goes on. The last reason told for a path counts."""
        told = JobFailure(path, bounded_text(reason))
        with self._lock:
            before = self._state.failures
            if told in before:
                return
            known = any(each.path == path for each in before)
            kept = tuple(told if each.path == path else each for each in before) if known else (*before, told)
            self._state = replace(
                self._state, failures=kept[:MOST_FAILURES], failed=self._state.failed + (0 if known else 1)
            )
            self._changed = True

    def replace_failures(self, failures: Iterable[tuple[str, str]]) -> None:
        """(path, reason) of all that failed, in place of what was told so far."""
        told = [JobFailure(path, bounded_text(reason)) for path, reason in failures]
        with self._lock:
            self._state = replace(self._state, failures=tuple(told[:MOST_FAILURES]), failed=len(told))
            self._changed = True

    def stop_requested(self) -> bool:
        """Whether somebody asked it to stop; at most half a second late."""
        return self._stop.is_set()

    def end(self, outcome: Outcome, report: dict[str, Any] | None = None, message: str = "") -> None:
        """The last word; only the first call counts. Waits until it is written, but not for ever."""
        with self._lock:
            if self._ended.is_set():
                return
            state = replace(self._state, report=bounded_report(report or {}))
            self._state = ended(state, outcome, bounded_text(message))
            self._changed = True
            self._ended.set()
        if self._thread is not None:
            self._thread.join(_PATIENCE_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.end("done")
        elif isinstance(error, KeyboardInterrupt):
            self.end("stopped")
        else:
            self.end("failed", message=" ".join(str(error).split()) or type(error).__name__)

    def _keep(self) -> None:
        """What the thread does, until the run has ended."""
        assert self._folder is not None
        beaten = time.monotonic()
        while not self._ended.wait(WRITE_SECONDS):
            if not self._stop.is_set() and os.path.lexists(self._folder / STOP_FILE):
                self._stop.set()
            if self._changed:
                self._write()
                beaten = time.monotonic()
            elif time.monotonic() - beaten >= BEAT_SECONDS:
                beaten = time.monotonic()
                with suppress(OSError):
                    os.utime(self._folder / STATE_FILE)
        self._write(durable=True)
        with suppress(OSError):
            (self._folder / _RESERVE).unlink(missing_ok=True)

    def _write(self, *, durable: bool = False) -> None:
        assert self._folder is not None
        with self._lock:
            self._changed = False
            state = self._state = replace(self._state, updated_at=time.time())
        try:
            write_state(self._folder / STATE_FILE, state, durable=durable)
        except FileNotFoundError:
            return  # the run was forgotten, or its drive is gone
        except OSError:
            # A full disk is worth telling about: the last words go where room was kept for them.
            if durable:
                with suppress(OSError):
                    (self._folder / _RESERVE).unlink()
                    write_state(self._folder / STATE_FILE, replace(state, failures=state.failures[:50]))

    @staticmethod
    def _keep_reserve(folder: Path) -> None:
        with suppress(OSError):
            (folder / _RESERVE).write_bytes(os.urandom(_RESERVE_BYTES))
