"""The journal of a running job, for any process that follows it. Writing it never delays or fails the job.

A background thread writes to disk, at most twice a second. If the disk is full or gone, the job continues without a
journal.
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
    MAX_CURRENT,
    MAX_FAILURES,
    STATE_FILE,
    STOP_FILE,
    JobFailure,
    JobProgress,
    JobState,
    Outcome,
    bounded_report,
    bounded_text,
    finished,
    write_state,
)
from files.durability import create_empty

WRITE_SECONDS = 0.5
HEARTBEAT_SECONDS = 5.0
"""Interval of touching the state file while there is nothing to write, for readers on other machines."""
_PATIENCE_SECONDS = 10.0  # wait for an unresponsive disk at the end
_RESERVE = ".reserve"
_RESERVE_BYTES = 65_536


class Job:
    """A running job, which writes its own journal. Created by `Jobs.begin`.

    Every method may be called from any thread, and none raises. As a context manager, the job finishes itself: done,
    stopped by Ctrl-C, or failed with the exception that was raised.
    """

    def __init__(self, folder: Path | None, state: JobState) -> None:
        """Begin the journal in `folder`; None writes nothing."""
        self.id = state.id
        self._folder = folder
        self._state = state
        self._lock = threading.Lock()
        self._changed = False
        self._stop = threading.Event()
        self._finished = threading.Event()
        self._thread: threading.Thread | None = None
        if folder is not None:
            self._keep_reserve(folder)
            self._write(durable=True)
            self._thread = threading.Thread(target=self._keep, name="job journal", daemon=True)
            self._thread.start()

    def report_progress(
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
        """Replace the progress; arguments are the fields of JobProgress, and omitted ones are unknown.

        Cheap enough to call at every change.
        """
        progress = JobProgress(
            fraction=fraction,
            eta_seconds=eta_seconds,
            speed=speed,
            phase=phase,
            text=bounded_text(text),
            files_done=files_done,
            files_total=files_total,
            current=tuple(current)[:MAX_CURRENT],
        )
        with self._lock:
            self._state = replace(self._state, progress=progress)
            self._changed = True

    def add_failure(self, path: str, reason: str) -> None:
        """Record a file or clip that failed while the job continues. The last reason for a path counts."""
        failure = JobFailure(path, bounded_text(reason))
        with self._lock:
            before = self._state.failures
            if failure in before:
                return
            known = any(each.path == path for each in before)
            kept = tuple(failure if each.path == path else each for each in before) if known else (*before, failure)
            self._state = replace(
                self._state, failures=kept[:MAX_FAILURES], failed=self._state.failed + (0 if known else 1)
            )
            self._changed = True

    def replace_failures(self, failures: Iterable[tuple[str, str]]) -> None:
        """Replace what `add_failure` recorded by these pairs of path and reason."""
        every = [JobFailure(path, bounded_text(reason)) for path, reason in failures]
        with self._lock:
            self._state = replace(self._state, failures=tuple(every[:MAX_FAILURES]), failed=len(every))
            self._changed = True

    def stop_requested(self) -> bool:
        """Return whether a stop was requested; at most half a second late."""
        return self._stop.is_set()

    def finish(self, outcome: Outcome, report: dict[str, Any] | None = None, message: str = "") -> None:
        """End the journal; only the first call counts. Wait until it is written, for a limited time.

        Args:
            outcome: How the job ended.
            report: JSON values; long lists are truncated.
            message: One sentence for the user.
        """
        with self._lock:
            if self._finished.is_set():
                return
            state = replace(self._state, report=bounded_report(report or {}))
            self._state = finished(state, outcome, bounded_text(message))
            self._changed = True
            self._finished.set()
        if self._thread is not None:
            self._thread.join(_PATIENCE_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.finish("done")
        elif isinstance(error, KeyboardInterrupt):
            self.finish("stopped")
        else:
            self.finish("failed", message=" ".join(str(error).split()) or type(error).__name__)

    def _keep(self) -> None:
        """Write the journal until the job has finished; runs in the thread."""
        assert self._folder is not None
        last_heartbeat = time.monotonic()
        while not self._finished.wait(WRITE_SECONDS):
            if not self._stop.is_set() and os.path.lexists(self._folder / STOP_FILE):
                self._stop.set()
            if self._changed:
                self._write()
                last_heartbeat = time.monotonic()
            elif time.monotonic() - last_heartbeat >= HEARTBEAT_SECONDS:
                last_heartbeat = time.monotonic()
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
            return  # the job was removed, or its drive is gone
        except OSError:
            # On a full disk, the outcome is still written: space is reserved for it.
            if durable:
                with suppress(OSError):
                    (self._folder / _RESERVE).unlink()
                    write_state(self._folder / STATE_FILE, replace(state, failures=state.failures[:50]))

    @staticmethod
    def _keep_reserve(folder: Path) -> None:
        with suppress(OSError):
            create_empty(folder / _RESERVE)
            (folder / _RESERVE).write_bytes(os.urandom(_RESERVE_BYTES))
