"""The journal of an index job: its progress, and the report at its end."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from app.shell.index_report import counts_text, report_record, stopped_message
from app.shell.progress_line import progress_text

if TYPE_CHECKING:
    from app.jobs.jobs import Job
    from app.jobs.state import JobState
    from indexer.progress import Progress
    from indexer.report import IndexReport


def journal_progress(job: Job, progress: Progress) -> None:
    """Write progress and new failures into the journal of a job."""
    job.report_progress(
        fraction=progress.fraction,
        eta_seconds=progress.eta_seconds,
        speed=progress.speed,
        phase="others" if progress.waits_for else progress.phase,
        text=progress_text(progress),
        files_done=progress.files_done,
        files_total=progress.files_total,
        current=progress.current,
    )
    for failure in progress.last_failures:
        job.add_failure(failure.path, failure.reason)


def last_speed(jobs: Iterable[JobState], encoder: str = "", *, quick: bool = False) -> float | None:
    """Return the seconds of video per second of the newest index run that says it, of an encoder's name if possible.

    Args:
        jobs: The newest first.
        encoder: As orders name it.
        quick: Of runs of quick passes; else of full ones only.
    """
    found = None
    for state in jobs:
        speed = state.report.get("speed")
        alike = bool((state.order or {}).get("quick")) == quick
        if state.kind == "index" and alike and isinstance(speed, int | float) and speed > 0:
            found = found or float(speed)
            if state.order is not None and state.order.get("encoder") == encoder:
                return float(speed)
    return found


def journal_report(job: Job, report: IndexReport) -> None:
    """Finish a job with its outcome, every failure with its reason, and the whole report."""
    job.replace_failures((each.path, each.reason) for each in report.failed)
    if report.interrupted:
        outcome, message = "stopped", stopped_message(report)
    elif report.stopped:
        outcome, message = "failed", report.stopped
    else:
        outcome, message = "done", counts_text(report)
    job.finish(outcome, report_record(report), message)  # type: ignore[arg-type]
