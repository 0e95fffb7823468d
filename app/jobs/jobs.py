"""The long jobs of a library (indexing, exports, downloads): running ones, and the latest finished ones.

Each job keeps a journal in its own folder, `<library>/runs/<id>/`, so that it outlives pages and servers and can
be followed and stopped from any process.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from app.jobs.command_line import words_of
from app.jobs.journal import Job
from app.jobs.orders import order_to_json
from app.jobs.process import is_alive, own_process_id
from app.jobs.spawn import start_detached
from app.jobs.state import LOG_FILE, START_FILE, STATE_FILE, STOP_FILE, JobProgress, JobState, finished, read_state
from files.durability import create_empty
from files.regular import open_regular

if TYPE_CHECKING:
    from app.compose import Settings
    from app.jobs.orders import Order

__all__ = ["Job", "JobState", "Jobs"]

FOLDER = "runs"
JOB_VARIABLE = "PRISMSEARCH_RUN"
"""Environment variable of processes started by `Jobs.start`: the id of the process's first journal."""
KEPT = 50
SILENT_SECONDS = 30.0
"""A job whose process cannot be checked (on another machine) has ended if its journal is untouched for this long."""
MAX_LOG_BYTES = 65_536
_ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{6}")
_ENDED_BADLY = "It ended unexpectedly: it was killed, or the machine was switched off. What was finished is kept."
_UNREADABLE = "Its journal cannot be read."


class Jobs:
    """The jobs of one library. Reading never fails: damaged journals are skipped, or shown as damaged."""

    def __init__(self, library_directory: Path) -> None:
        self.folder = Path(library_directory) / FOLDER

    def begin(self, kind: str, title: str, order: Order | None = None, *, arguments: Sequence[str] = ()) -> Job:
        """Begin a journal of this process. Never fails: without a library or disk space, nothing is recorded.

        Args:
            kind: "index", "read-text", "transcribe", "export" or "download".
            title: The subject of the job, in a few words.
            order: The job's order, if it can be restarted from that alone.
            arguments: The equivalent command; by default, derived from the order.

        Returns:
            The job. In a process started by `start`, the first job continues the journal begun there.
        """
        given = os.environ.pop(JOB_VARIABLE, "")
        job_id = given if _ID.fullmatch(given) else new_id()
        now = time.time()
        state = JobState(
            id=job_id,
            kind=kind,
            title=title,
            order=None if order is None else order_to_json(order),
            arguments=tuple(arguments if order is None else words_of(order)),
            started_at=now,
            updated_at=now,
            progress=JobProgress(phase="start"),
        ).with_process(own_process_id())
        folder: Path | None = self.folder / job_id
        try:
            self._prune()
            self.folder.mkdir(exist_ok=True)
            (self.folder / job_id).mkdir(exist_ok=True)
        except OSError:
            folder = None
        return Job(folder, state)

    def all(self) -> list[JobState]:
        """Return every job, the newest first."""
        states = [self._read(job_id) for job_id in self._ids()]
        return sorted((each for each in states if each), key=lambda each: (each.started_at, each.id), reverse=True)

    def get(self, job_id: str) -> JobState:
        """Return a job. Raise KeyError if it does not exist."""
        state = self._read(job_id) if _ID.fullmatch(job_id) else None
        if state is None:
            raise KeyError(job_id)
        return state

    def stop(self, job_id: str) -> None:
        """Request that a job stop, which it does at a point where no work is lost.

        Raises:
            KeyError: The job does not exist.
            OSError: The request cannot be written.
        """
        state = self.get(job_id)
        if not state.running:
            return
        try:
            with suppress(FileExistsError):
                create_empty(self.folder / job_id / STOP_FILE)
        except OSError:
            # No space for even an empty file: send SIGTERM instead, if it is certain to reach that process.
            # On Windows, os.kill would end the process immediately.
            if os.name == "nt" or not is_alive(state.process):
                raise
            os.kill(state.pid, signal.SIGTERM)

    def forget(self, job_id: str) -> None:
        """Remove a finished job. Raise KeyError if it does not exist, ValueError while it runs."""
        if self.get(job_id).running:
            raise ValueError("this run is still in progress; stop it first")
        shutil.rmtree(self.folder / job_id, ignore_errors=True)

    def start(self, order: Order, settings: Settings, *, title: str = "", in_place_of: str | None = None) -> str:
        """Start a process that runs an order and outlives this one.

        Args:
            order: What the job is to do.
            settings: The library, encoder, device and ffmpeg of the job.
            title: Shown until the process sets its own.
            in_place_of: The id of a finished job to remove, because this one continues it.

        Returns:
            The id of the new job.

        Raises:
            OrderError: The order is invalid, for example because a path contains a NUL character.
            OSError: The process cannot be started (disk full, no more processes).
        """
        self._prune()
        job_id = new_id()
        start_detached(self.folder / job_id, job_id, order, settings, title=title)
        if in_place_of is not None:
            with suppress(KeyError, ValueError):
                self.forget(in_place_of)
        return job_id

    def log(self, job_id: str) -> str:
        """Return the end of a started job's output, as plain text. Raise KeyError if the job does not exist."""
        self.get(job_id)
        return log_end(self.folder / job_id)

    def has_log(self, job_id: str) -> bool:
        """Return whether a job's output is kept; jobs run in a terminal print there instead."""
        try:
            return _ID.fullmatch(job_id) is not None and (self.folder / job_id / LOG_FILE).stat().st_size > 0
        except OSError:
            return False

    def _ids(self) -> list[str]:
        try:
            with os.scandir(self.folder) as entries:
                return [
                    each.name for each in entries if _ID.fullmatch(each.name) and each.is_dir(follow_symlinks=False)
                ]
        except OSError:
            return []

    def _read(self, job_id: str) -> JobState | None:
        """Return the current state of a job, checking whether its process is alive; None without a journal."""
        folder = self.folder / job_id
        state, begun = read_state(folder / STATE_FILE, job_id), True
        if state is None:
            state, begun = read_state(folder / START_FILE, job_id), False
        if state is None:
            return _unreadable(folder, job_id)
        if state.outcome is not None:
            return state
        if _lives(folder, state):
            return replace(state, stopping=os.path.lexists(folder / STOP_FILE))
        again = read_state(folder / STATE_FILE, job_id)  # it may have ended in the meantime
        if again is not None and again.outcome is not None:
            return again
        if begun or again is not None:
            return finished(again or state, "interrupted", _ENDED_BADLY)
        return finished(state, "failed", last_words(folder) or "It could not be started.")

    def _prune(self) -> None:
        """Remove the oldest finished jobs, so that fewer than KEPT remain before the next one."""
        if len(self._ids()) < KEPT:
            return
        for state in self.all()[KEPT - 1 :]:
            if not state.running:
                shutil.rmtree(self.folder / state.id, ignore_errors=True)


def new_id() -> str:
    """Return a new id; ids sort by time."""
    return f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{secrets.token_hex(3)}"


def log_end(folder: Path) -> str:
    """Return the last lines of a job's output, without terminal control sequences."""
    try:
        with open_regular(folder / LOG_FILE, follow_links=False) as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - MAX_LOG_BYTES))
            data = file.read(MAX_LOG_BYTES)
    except OSError:
        return ""
    text = re.sub(r"\x1b\[[0-9;?]*[ -/]*[@-~]", "", data.decode("utf-8", "replace"))
    lines = re.split(r"[\r\n]+", text)
    if size > MAX_LOG_BYTES:
        lines = lines[1:]  # starts in the middle of a line
    return "\n".join("".join(each for each in line if each.isprintable() or each == "\t").rstrip() for line in lines)


def last_words(folder: Path) -> str:
    """Return the last line of a job's output, as a sentence; empty if it printed nothing."""
    lines = [line.strip() for line in log_end(folder).splitlines() if line.strip()]
    return lines[-1].removeprefix("prismsearch: ") if lines else ""


def _lives(folder: Path, state: JobState) -> bool:
    """Return whether the process of a job is alive; if that cannot be known, whether its heartbeat is recent."""
    alive = is_alive(state.process)
    if alive is not None:
        return alive
    ages = []
    for name in (STATE_FILE, START_FILE):
        with suppress(OSError):
            ages.append(time.time() - (folder / name).stat().st_mtime)
    # Clocks of two machines differ a little; a time far in the future is no heartbeat.
    return bool(ages) and -10 * SILENT_SECONDS < min(ages) < SILENT_SECONDS


def _unreadable(folder: Path, job_id: str) -> JobState | None:
    """Return a state for a damaged journal; None for a folder without one (of another program, or just created)."""
    try:
        changed = max((folder / name).stat().st_mtime for name in (STATE_FILE, START_FILE) if (folder / name).exists())
    except (OSError, ValueError):
        return None
    return JobState(
        id=job_id, kind="unknown", title="", started_at=changed, updated_at=changed, outcome="interrupted",
        message=_UNREADABLE,
    )  # fmt: skip
