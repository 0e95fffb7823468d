"""The long jobs of a library (indexing, exports, downloads): the running ones, and the last that ended.

Each job keeps a journal in a folder of its own, `<library>/runs/<id>/`, so that it outlives pages and servers and can
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

if TYPE_CHECKING:
    from app.compose import Settings
    from app.jobs.orders import Order

__all__ = ["Job", "JobState", "Jobs"]

FOLDER = "runs"
JOB_VARIABLE = "PRISMSEARCH_RUN"
"""Set within a process that `Jobs.start` made: the id under which the first journal of that process is kept."""
KEPT = 50
SILENT_SECONDS = 30.0
"""A job whose process cannot be seen (another machine) has ended when its journal was not touched for this long."""
MAX_LOG_BYTES = 65_536
_ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{6}")
_ENDED_BADLY = "It ended in the middle: it was killed, or the machine went off. What was finished is kept."
_UNREADABLE = "Its journal cannot be read."


class Jobs:
    """The jobs of the library in one folder. Reading never fails: damaged journals are left out, or shown as such."""

    def __init__(self, library_directory: Path) -> None:
        self.folder = Path(library_directory) / FOLDER

    def begin(self, kind: str, title: str, order: Order | None = None, *, arguments: Sequence[str] = ()) -> Job:
        """Begin a journal of this very process. Never fails: without a library or room for it nothing is kept.

        Args:
            kind: "index", "export" or "download".
            title: What the job is about, in a few words.
            order: What it does, where it can be started again from that alone.
            arguments: The command that does the same; by default that of the order.

        Returns:
            The job. In a process that `start` made, the first one continues the journal that `start` began.
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
        """Return one job. Raises KeyError where there is none."""
        state = self._read(job_id) if _ID.fullmatch(job_id) else None
        if state is None:
            raise KeyError(job_id)
        return state

    def stop(self, job_id: str) -> None:
        """Ask a job to stop, which it does where nothing is lost.

        Raises:
            KeyError: There is no such job.
            OSError: Not even the request can be left for it.
        """
        state = self.get(job_id)
        if not state.running:
            return
        try:
            (self.folder / job_id / STOP_FILE).touch()
        except OSError:
            # No room for even an empty file: SIGTERM asks for the same, where it surely reaches that process.
            # On Windows os.kill would end it at once.
            if os.name == "nt" or not is_alive(state.process):
                raise
            os.kill(state.pid, signal.SIGTERM)

    def forget(self, job_id: str) -> None:
        """Remove a job that has ended. Raises KeyError where there is none, ValueError while it runs."""
        if self.get(job_id).running:
            raise ValueError("this run is still under way; stop it first")
        shutil.rmtree(self.folder / job_id, ignore_errors=True)

    def start(self, order: Order, settings: Settings, *, title: str = "", in_place_of: str | None = None) -> str:
        """Start a process that carries out an order and outlives this one.

        Args:
            order: What the job is to do.
            settings: The library, the encoder, the device and ffmpeg to do it with.
            title: Shown until the process has a better one.
            in_place_of: The id of a job that has ended, to be forgotten because this one continues it.

        Returns:
            The id of the new job.

        Raises:
            OrderError: The order cannot be carried out, such as for a path that holds a NUL character.
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
        """Return the end of what a started job printed, as plain text. Raises KeyError where there is no such job."""
        self.get(job_id)
        return log_end(self.folder / job_id)

    def has_log(self, job_id: str) -> bool:
        """Return whether what a job printed is kept; jobs of the shell print there instead."""
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
        """Return a job as it stands, judged by whether its process lives; None where there is no journal."""
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
        again = read_state(folder / STATE_FILE, job_id)  # it may have ended while we looked
        if again is not None and again.outcome is not None:
            return again
        if begun or again is not None:
            return finished(again or state, "interrupted", _ENDED_BADLY)
        return finished(state, "failed", last_words(folder) or "It could not be started.")

    def _prune(self) -> None:
        """Forget the oldest jobs that have ended, so that there are fewer than KEPT before the next one."""
        if len(self._ids()) < KEPT:
            return
        for state in self.all()[KEPT - 1 :]:
            if not state.running:
                shutil.rmtree(self.folder / state.id, ignore_errors=True)


def new_id() -> str:
    """Return a new id; ids sort by time."""
    return f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{secrets.token_hex(3)}"


def log_end(folder: Path) -> str:
    """Return the last lines that a job printed, without what only a terminal understands."""
    try:
        with (folder / LOG_FILE).open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - MAX_LOG_BYTES))
            data = file.read(MAX_LOG_BYTES)
    except OSError:
        return ""
    text = re.sub(r"\x1b\[[0-9;?]*[ -/]*[@-~]", "", data.decode("utf-8", "replace"))
    lines = re.split(r"[\r\n]+", text)
    if size > MAX_LOG_BYTES:
        lines = lines[1:]  # begins in the middle
    return "\n".join("".join(each for each in line if each.isprintable() or each == "\t").rstrip() for line in lines)


def last_words(folder: Path) -> str:
    """Return the last line that a job printed, as a sentence; empty where it printed nothing."""
    lines = [line.strip() for line in log_end(folder).splitlines() if line.strip()]
    return lines[-1].removeprefix("prismsearch: ") if lines else ""


def _lives(folder: Path, state: JobState) -> bool:
    """Return whether the process of a job runs; where that cannot be seen, whether its heartbeat is recent."""
    alive = is_alive(state.process)
    if alive is not None:
        return alive
    ages = []
    for name in (STATE_FILE, START_FILE):
        with suppress(OSError):
            ages.append(time.time() - (folder / name).stat().st_mtime)
    # Clocks of two machines differ a little; a time far ahead is no heartbeat.
    return bool(ages) and -10 * SILENT_SECONDS < min(ages) < SILENT_SECONDS


def _unreadable(folder: Path, job_id: str) -> JobState | None:
    """Return a state for a journal that is damaged; None for a folder without one (another program's, or a new one)."""
    try:
        changed = max((folder / name).stat().st_mtime for name in (STATE_FILE, START_FILE) if (folder / name).exists())
    except (OSError, ValueError):
        return None
    return JobState(
        id=job_id, kind="unknown", title="", started_at=changed, updated_at=changed, outcome="interrupted",
        message=_UNREADABLE,
    )  # fmt: skip
