"""What a long job has said of itself: the record in `state.json`, written whole and read whatever is in it.

A reader may be any process at any time, so nothing here trusts what it reads.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, get_args

from app.jobs.process import ProcessId
from files.replace import replace_file

Outcome = Literal["done", "stopped", "failed", "interrupted"]

STATE_FILE, START_FILE, STOP_FILE, LOG_FILE = "state.json", "start.json", "stop", "log.txt"
MOST_FAILURES = 500
MOST_CURRENT = 8
_MOST_TEXT = 2_000  # characters of a reason or a message
_MOST_FILE_BYTES = 16_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class JobProgress:
    """How far a run is; only what is known. Counts and `current` are of the phase at hand."""

    fraction: float | None = None  # 0 to 1
    eta_seconds: float | None = None
    speed: float | None = None  # seconds of video per second
    phase: str = ""  # index: scan, fingerprint, index, done; others have their own; start: not begun yet
    text: str = ""  # all of it in one line, as the shell shows it
    files_done: int = 0
    files_total: int = 0
    current: tuple[str, ...] = ()  # paths, or names of clips, in work


@dataclass(frozen=True, slots=True)
class JobFailure:
    """A file (or clip) that came to nothing; the run went on."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JobState:
    """A long job as its journal has it. Times are Unix seconds.

    outcome None: it runs. `interrupted` is never written: it is what a journal without an end and without a process
    reads as. arguments: the words that start the same again, without the settings that every command takes.
    """

    id: str
    kind: str  # index, export, download, or the name of the command
    title: str  # what it is about: the name of a folder, a collection, a model
    arguments: tuple[str, ...] = ()
    pid: int = 0  # of the process that keeps the journal, with the two below: see app.jobs.process
    create_time: float = 0.0
    host_id: str = ""
    started_at: float = 0.0
    updated_at: float = 0.0
    outcome: Outcome | None = None
    progress: JobProgress = field(default_factory=JobProgress)
    failures: tuple[JobFailure, ...] = ()  # the first MOST_FAILURES
    failed: int = 0  # how many there are in all
    report: dict[str, Any] = field(default_factory=dict)
    message: str = ""  # one sentence at the end
    stopping: bool = False  # it was asked to stop and has not ended yet

    @property
    def running(self) -> bool:
        return self.outcome is None

    @property
    def process(self) -> ProcessId:
        """The process that keeps the journal."""
        return ProcessId(self.pid, self.create_time, self.host_id)

    def kept_by(self, process: ProcessId) -> JobState:
        """Return this state with another process that keeps the journal."""
        return replace(self, **asdict(process))


def write_state(path: Path, state: JobState, *, durable: bool = False) -> None:
    """Replace the file whole. durable: it is on the disk when this returns. Raises OSError."""
    content = json.dumps(asdict(state)).encode("ascii")  # bytes of names that are not UTF-8 stay, as \\udcxx
    replace_file(path, content, durable=durable)


def read_state(path: Path, run_id: str) -> JobState | None:
    """The record in a file; None where it is missing, torn, or no record of a run."""
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_FILE_BYTES + 1)
        record = None
        if len(data) <= _MOST_FILE_BYTES:
            record = json.loads(data, parse_float=_finite, parse_constant=_finite)
    except (OSError, ValueError, RecursionError):
        return None
    return _state(record, run_id) if isinstance(record, dict) else None


def bounded_text(text: str, most: int = _MOST_TEXT) -> str:
    """`text` cut where it is longer than anybody reads."""
    return text if len(text) <= most else text[: most - 1] + "…"


def bounded_report(report: dict[str, Any]) -> dict[str, Any]:
    """A report whose lists are cut to MOST_FAILURES; `left_out` says how many entries of which were."""
    cut = {name: len(value) - MOST_FAILURES for name, value in report.items() if _is_long(value)}
    short = {name: value[:MOST_FAILURES] if name in cut else value for name, value in report.items()}
    return {**short, "left_out": cut} if cut else short


def _is_long(value: object) -> bool:
    return isinstance(value, list) and len(value) > MOST_FAILURES


def _state(record: dict[str, Any], run_id: str) -> JobState | None:
    kind, outcome = _text(record, "kind"), record.get("outcome")
    if not kind:
        return None
    raw = record.get("failures")
    failures = tuple(
        JobFailure(_text(each, "path"), _text(each, "reason"))
        for each in (raw if isinstance(raw, list) else [])[:MOST_FAILURES]
        if isinstance(each, dict)
    )
    progress, report = record.get("progress"), record.get("report")
    return JobState(
        id=run_id,
        kind=kind,
        title=_text(record, "title"),
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
        current=_texts(record, "current")[:MOST_CURRENT],
    )


def _finite(text: str) -> float | None:
    """A number as JSON knows them: what others cannot be told again (NaN, 1e999) is nothing."""
    value = float(text)
    return value if math.isfinite(value) else None


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


def ended(state: JobState, outcome: Outcome, message: str = "") -> JobState:
    """The state of a run that is over."""
    return replace(state, outcome=outcome, message=message or state.message, stopping=False)
