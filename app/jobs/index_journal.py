"""What a run of the indexer writes into its journal, as it goes and at its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.shell.index_report import counts_text, report_record
from app.shell.progress_line import progress_text

if TYPE_CHECKING:
    from app.jobs.jobs import Job
    from indexer.progress import Progress
    from indexer.report import IndexReport


def journal_progress(journal: Job, progress: Progress) -> None:
    """Called at most ten times a second."""
    journal.tell(
        fraction=progress.fraction,
        eta_seconds=progress.eta_seconds,
        speed=progress.speed,
        phase=progress.phase,
        text=progress_text(progress),
        files_done=progress.files_done,
        files_total=progress.files_total,
        current=progress.current,
    )
    for failure in progress.last_failures:
        journal.fail(failure.path, failure.reason)


def journal_report(journal: Job, report: IndexReport) -> None:
    """The end of a run: its outcome, every failure with its reason, and the whole report."""
    journal.replace_failures((each.path, each.reason) for each in report.failed)
    if report.interrupted:
        outcome, message = "stopped", f"{counts_text(report)}; what was finished is kept"
    elif report.stopped:
        outcome, message = "failed", report.stopped
    else:
        outcome, message = "done", counts_text(report)
    journal.end(outcome, report_record(report), message)  # type: ignore[arg-type]
