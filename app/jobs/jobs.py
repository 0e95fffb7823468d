"""The long jobs of a library (indexing, exports, downloads): what runs, what ran, and how it ended.

Each keeps a journal in a folder of its own, `<library>/runs/<id>/`, so that it outlives pages and servers and can be
looked at from any process. Standard library only.
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

from app.jobs.journal import Job
from app.jobs.process import is_alive, own_process_id
from app.jobs.state import LOG_FILE, START_FILE, STATE_FILE, STOP_FILE, JobProgress, JobState, ended, read_state

if TYPE_CHECKING:
    from app.compose import Settings

__all__ = ["Job", "JobState", "Jobs"]

FOLDER = "runs"
JOB_VARIABLE = "PRISMSEARCH_RUN"
"""Set inside a process that `start` began: the id under which the first journal of that process is kept."""
KEPT = 50
SILENT_SECONDS = 30.0
"""A run of which only the journal can be seen (another machine) is over when that was not touched for so long."""
MOST_LOG_BYTES = 65_536
_ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{6}")
_ENDED_BADLY = "It ended in the middle: it was killed, or the machine went off. What was finished is kept."
_UNREADABLE = "Its journal cannot be read."


class Jobs:
    """The runs of the library in one folder. Reading never fails: what cannot be read is left out, or said."""

    def __init__(self, library_directory: Path) -> None:
        self.folder = Path(library_directory) / FOLDER

    def begin(self, kind: str, title: str, arguments: Sequence[str]) -> Job:
        """Keep a journal of this very process from now on. Never fails: without a library or room nothing is kept.

        kind: 'index', 'export'... title: what it is about. arguments: the words that do the same again.
        In a process made by `start` the first journal is the one that `start` gave the id of.
        """
        given = os.environ.pop(JOB_VARIABLE, "")
        run_id = given if _ID.fullmatch(given) else new_id()
        now = time.time()
        state = JobState(
            id=run_id,
            kind=kind,
            title=title,
            arguments=tuple(arguments),
            started_at=now,
            updated_at=now,
            progress=JobProgress(phase="start"),
        ).kept_by(own_process_id())
        folder: Path | None = self.folder / run_id
        try:
            self._prune()
            self.folder.mkdir(exist_ok=True)
            (self.folder / run_id).mkdir(exist_ok=True)
        except OSError:
            folder = None
        return Job(folder, state)

    def all(self) -> list[JobState]:
        """Every run, the newest first."""
        found = [self._read(run_id) for run_id in self._ids()]
        return sorted((each for each in found if each), key=lambda each: (each.started_at, each.id), reverse=True)

    def get(self, run_id: str) -> JobState:
        """One run. KeyError where there is none."""
        state = self._read(run_id) if _ID.fullmatch(run_id) else None
        if state is None:
            raise KeyError(run_id)
        return state

    def stop(self, run_id: str) -> None:
        """Ask a run to stop where nothing is lost; it does so in its own time. KeyError where there is none.

        Raises OSError where not even that can be asked for.
        """
        state = self.get(run_id)
        if not state.running:
            return
        try:
            (self.folder / run_id / STOP_FILE).touch()
        except OSError:
            # No room for even an empty file: the polite signal asks for the same, where it surely reaches that run.
            if os.name == "nt" or not is_alive(state.process):
                raise
            os.kill(state.pid, signal.SIGTERM)

    def forget(self, run_id: str) -> None:
        """Take a run that is over from the list. KeyError where there is none, ValueError while it runs."""
        if self.get(run_id).running:
            raise ValueError("this run is still under way; stop it first")
        shutil.rmtree(self.folder / run_id, ignore_errors=True)

    def start(
        self, arguments: Sequence[str], settings: Settings, *, title: str = "", in_place_of: str | None = None
    ) -> str:
        """Start our own command, such as `["index", "--", FOLDER]`, in a process that outlives this one; gives its id.

        The settings' library, encoder and device are passed on. title: shown until the command says better.
        in_place_of: the id of a run that is over, and is forgotten because this one goes on with it.
        Raises OSError where it cannot be started (disk full, no more processes), ValueError for words with a NUL.
        """
        from app.jobs.spawn import start_detached

        if any("\0" in word for word in arguments):
            raise ValueError("a name cannot hold a NUL character")
        self._prune()
        run_id = new_id()
        start_detached(self.folder / run_id, run_id, arguments, settings, title=title)
        if in_place_of is not None:
            with suppress(KeyError, ValueError):
                self.forget(in_place_of)
        return run_id

    def log(self, run_id: str) -> str:
        """The end of what a started run printed, plain text; empty where there is nothing. KeyError where no run is."""
        self.get(run_id)
        return log_end(self.folder / run_id)

    def has_log(self, run_id: str) -> bool:
        """Whether a run printed anything that is kept; those of the shell print there."""
        try:
            return _ID.fullmatch(run_id) is not None and (self.folder / run_id / LOG_FILE).stat().st_size > 0
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

    def _read(self, run_id: str) -> JobState | None:
        """A run as it stands, judged by whether its process lives; None where there is no journal."""
        folder = self.folder / run_id
        state, begun = read_state(folder / STATE_FILE, run_id), True
        if state is None:
            state, begun = read_state(folder / START_FILE, run_id), False
        if state is None:
            return _unreadable(folder, run_id)
        if state.outcome is not None:
            return state
        if _lives(folder, state):
            return replace(state, stopping=os.path.lexists(folder / STOP_FILE))
        again = read_state(folder / STATE_FILE, run_id)  # it may have ended while we looked
        if again is not None and again.outcome is not None:
            return again
        if begun or again is not None:
            return ended(again or state, "interrupted", _ENDED_BADLY)
        return ended(state, "failed", last_words(folder) or "It could not be started.")

    def _prune(self) -> None:
        """Forget the oldest runs that are over, so that there are fewer than KEPT before the next one."""
        if len(self._ids()) < KEPT:
            return
        for state in self.all()[KEPT - 1 :]:
            if not state.running:
                shutil.rmtree(self.folder / state.id, ignore_errors=True)


def new_id() -> str:
    """An id that sorts by time."""
    return f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{secrets.token_hex(3)}"


def log_end(folder: Path) -> str:
    """The last lines that a run printed, without what only a terminal understands."""
    try:
        with (folder / LOG_FILE).open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - MOST_LOG_BYTES))
            data = file.read(MOST_LOG_BYTES)
    except OSError:
        return ""
    text = re.sub(r"\x1b\[[0-9;?]*[ -/]*[@-~]", "", data.decode("utf-8", "replace"))
    lines = re.split(r"[\r\n]+", text)
    if size > MOST_LOG_BYTES:
        lines = lines[1:]  # begins in the middle
    return "\n".join("".join(each for each in line if each.isprintable() or each == "\t").rstrip() for line in lines)


def last_words(folder: Path) -> str:
    """The last line that a run printed, as a sentence; empty where it printed nothing."""
    lines = [line.strip() for line in log_end(folder).splitlines() if line.strip()]
    return lines[-1].removeprefix("prismsearch: ") if lines else ""


def _lives(folder: Path, state: JobState) -> bool:
    alive = is_alive(state.process)
    if alive is not None:
        return alive
    ages = []
    for name in (STATE_FILE, START_FILE):
        with suppress(OSError):
            ages.append(time.time() - (folder / name).stat().st_mtime)
    # Clocks of two machines differ a little; a time far ahead is no sign of life.
    return bool(ages) and -10 * SILENT_SECONDS < min(ages) < SILENT_SECONDS


def _unreadable(folder: Path, run_id: str) -> JobState | None:
    """A journal that is there and cannot be read is said; a folder without one is none of ours (or just being made)."""
    try:
        changed = max((folder / name).stat().st_mtime for name in (STATE_FILE, START_FILE) if (folder / name).exists())
    except (OSError, ValueError):
        return None
    return JobState(
        id=run_id, kind="unknown", title="", started_at=changed, updated_at=changed, outcome="interrupted",
        message=_UNREADABLE,
    )  # fmt: skip
