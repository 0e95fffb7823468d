"""The state of a job: the record in `state.json`, replaced atomically and parsed defensively.

Any process may read the file at any time, and it may be damaged, so nothing read is trusted.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, get_args

from app.jobs.process import ProcessId
from files.json_file import read_json
from files.replace import replace_file

Outcome = Literal["done", "stopped", "failed", "interrupted"]

STATE_FILE, START_FILE, STOP_FILE, LOG_FILE = "state.json", "start.json", "stop", "log.txt"
MAX_FAILURES = 500
MAX_CURRENT = 8
_MAX_TEXT = 2_000  # characters in a reason or a message
MAX_FILE_BYTES = 16_000_000  # limit for states and orders; larger files are not ours


@dataclass(frozen=True, slots=True, kw_only=True)
class JobProgress:
    """The progress of a job, as far as known. Counts and `current` are those of the current phase."""

    fraction: float | None = None  # 0 to 1
    eta_seconds: float | None = None
    speed: float | None = None  # seconds of video per second
    phase: str = ""  # index: scan, facts, fingerprint, index, words, done; others have their own; start: not begun yet
    text: str = ""  # the whole progress in one line, as in the shell
    files_done: int = 0
    files_total: int = 0
    current: tuple[str, ...] = ()  # paths, or names of clips, being processed


@dataclass(frozen=True, slots=True)
class JobFailure:
    """A file or clip that failed while the job continued."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JobState:
    """A job according to its journal. Times are Unix seconds.

    An outcome of None means running. `interrupted` is never written: it is how a journal without an outcome or a living
    process is read.
    """

    id: str
    kind: str  # index, export or download
    title: str  # its subject: the name of a folder, a collection, a model
    order: dict[str, Any] | None = None  # as JSON, see app.jobs.orders; None: it cannot be restarted
    arguments: tuple[str, ...] = ()  # the equivalent command, without global options
    pid: int = 0  # this and the next two: the process that writes the journal, see app.jobs.process
    create_time: float = 0.0
    host_id: str = ""
    started_at: float = 0.0
    updated_at: float = 0.0
    outcome: Outcome | None = None
    progress: JobProgress = field(default_factory=JobProgress)
    failures: tuple[JobFailure, ...] = ()  # the first MAX_FAILURES
    failed: int = 0  # the number of all failures
    report: dict[str, Any] = field(default_factory=dict)
    message: str = ""  # one sentence, at the end
    stopping: bool = False  # a stop was requested and it has not ended yet

    @property
    def running(self) -> bool:
        """Return whether the job has not ended."""
        return self.outcome is None

    @property
    def process(self) -> ProcessId:
        """Return the process that writes the journal."""
        return ProcessId(self.pid, self.create_time, self.host_id)

    def with_process(self, process: ProcessId) -> JobState:
        """Return this state with another process as the writer of the journal."""
        return replace(self, **asdict(process))


def write_state(path: Path, state: JobState, *, durable: bool = False) -> None:
    """Replace the file atomically; if `durable`, flush it to disk. Raise OSError on failure."""
    content = json.dumps(asdict(state)).encode("ascii")  # bytes of names that are not UTF-8 stay, as \\udcxx
    replace_file(path, content, durable=durable)


def read_state(path: Path, job_id: str) -> JobState | None:
    """Return the state in a file; None if the file is missing, damaged, or not the state of a job."""
    try:
        record = read_json(path, max_bytes=MAX_FILE_BYTES, follow_links=False, any_number=True)
    except (OSError, ValueError):
        return None
    return _state(record, job_id) if isinstance(record, dict) else None


def bounded_text(text: str, most: int = _MAX_TEXT) -> str:
    """Return `text`, truncated to a readable length."""
    return text if len(text) <= most else text[: most - 1] + "…"


def bounded_report(report: dict[str, Any]) -> dict[str, Any]:
    """Return a report with lists truncated to MAX_FAILURES; `left_out` has the number of entries removed from each."""
    cut = {name: len(value) - MAX_FAILURES for name, value in report.items() if _is_long(value)}
    short = {name: value[:MAX_FAILURES] if name in cut else value for name, value in report.items()}
    return {**short, "left_out": cut} if cut else short


def _is_long(value: object) -> bool:
    return isinstance(value, list) and len(value) > MAX_FAILURES


def _state(record: dict[str, Any], job_id: str) -> JobState | None:
    kind, outcome = _text(record, "kind"), record.get("outcome")
    if not kind:
        return None
    raw = record.get("failures")
    failures = tuple(
        JobFailure(_text(each, "path"), _text(each, "reason"))
        for each in (raw if isinstance(raw, list) else [])[:MAX_FAILURES]
        if isinstance(each, dict)
    )
    progress, report, order = (record.get(name) for name in ("progress", "report", "order"))
    return JobState(
        id=job_id,
        kind=kind,
        title=_text(record, "title"),
        order=order if isinstance(order, dict) else None,
        arguments=_texts(record, "arguments"),
        pid=_count(record, "pid"),
        create_time=_number(record, "create_time") or 0.0,
        host_id=_text(record, "host_id"),
        started_at=_number(record, "started_at") or 0.0,
        updated_at=_number(record, "updated_at") or 0.0,
        outcome=outcome if outcome in get_args(Outcome) else None,
        progress=_progress(progress) if isinstance(progress, dict) else JobProgress(),
        failures=failures,
        failed=max(_count(record, "failed"), len(failures)),
        report=report if isinstance(report, dict) else {},
        message=_text(record, "message"),
    )


def _progress(record: dict[str, Any]) -> JobProgress:
    fraction = _number(record, "fraction")
    return JobProgress(
        fraction=None if fraction is None else min(1.0, max(0.0, fraction)),
        eta_seconds=_number(record, "eta_seconds"),
        speed=_number(record, "speed"),
        phase=_text(record, "phase"),
        text=_text(record, "text"),
        files_done=_count(record, "files_done"),
        files_total=_count(record, "files_total"),
        current=_texts(record, "current")[:MAX_CURRENT],
    )


def _text(record: dict[str, Any], name: str) -> str:
    value = record.get(name)
    return value if isinstance(value, str) else ""


def _texts(record: dict[str, Any], name: str) -> tuple[str, ...]:
    value = record.get(name)
    return tuple(each for each in value if isinstance(each, str)) if isinstance(value, list) else ()


def _number(record: dict[str, Any], name: str) -> float | None:
    value = record.get(name)
    right = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e15
    return float(value) if right and math.isfinite(value) else None  # type: ignore[arg-type]


def _count(record: dict[str, Any], name: str) -> int:
    return max(0, int(_number(record, name) or 0))


def finished(state: JobState, outcome: Outcome, message: str = "") -> JobState:
    """Return the state of a finished job."""
    return replace(state, outcome=outcome, message=message or state.message, stopping=False)
