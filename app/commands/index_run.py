"""Indexing for the commands and for jobs: a progress line, a journal in the library, the report."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from app import compose, word_engines
from app.commands.fetch_model import open_or_download_encoder
from app.commands.index_after import prepare_searches
from app.commands.index_review import IndexReview
from app.commands.index_values import RunValues, run_options, run_values
from app.commands.read_text import read_text
from app.commands.recognize_run import report_failures, require_writable
from app.compose import Settings
from app.cut_settings import adopt_videos, has_former_defaults, store_cut_settings
from app.encoder_choice import choice_of, take_over_former_space
from app.jobs.command_line import title_of
from app.jobs.index_journal import journal_progress, journal_report
from app.jobs.jobs import Jobs
from app.jobs.orders import IndexOrder, RetryOrder
from app.shell.errors import CommandError
from app.shell.exit_codes import FAILED, MISSING, USAGE
from app.shell.index_report import print_report, report_record, stopped_text
from app.shell.interrupt import stop_on_interrupt, stopped_code
from app.shell.live_line import LiveLine
from app.shell.notice import print_notice, print_other_text
from app.shell.paths import as_indexed
from app.shell.progress_line import shown_progress
from app.shell.terminal import count_text, print_json, print_note, printable
from indexer.missing_files import is_below

if TYPE_CHECKING:
    from db.library import Library
    from encoder import Encoder
    from indexer.progress import Progress
    from indexer.report import IndexReport
    from indexer.settings import RunOptions

STOPPING = "stopping; unfinished videos are dropped, finished ones are kept (press Ctrl-C again to stop at once)"


def index_videos(
    settings: Settings, order: IndexOrder, *, renew: bool = False, yes: bool = False, as_json: bool = False
) -> None:
    """Index the paths of an order, print the report and end with the exit code for it.

    Args:
        settings: The library, the device and the encoder, unless the order names one.
        order: Paths and options.
        renew: Use the detector and defaults of a new library.
        yes: Download a missing model without asking.
        as_json: Print the report as JSON.
    """
    require_paths(order.paths)
    with compose.open_existing_library(settings) as known:
        values = run_values(settings, order, known, renew=renew)
    reader = word_engines.open_text_reader() if order.read_text else None
    encoder = open_or_download_encoder(values.settings, yes=yes)
    with compose.open_library(settings, create=True) as library:
        report = run_indexer(values, library, encoder, order.paths, run_options(order), order=order)
        note_nothing_renewed(report, renew=renew)
        words = read_text(library, order, reader) if reader is not None and report.complete else None
        report_and_exit(report, as_json=as_json)
        if words is not None:
            report_failures(words)


def note_nothing_renewed(report: IndexReport, *, renew: bool) -> None:
    """Say that there was nothing to renew, if that was asked for."""
    if renew and report.complete and not (report.updated or report.left):
        print_note("nothing to renew: every video here was already indexed this way")


def retry_failures(settings: Settings, order: RetryOrder, *, as_json: bool = False) -> None:
    """Retry the failed files that an order names, and report as in `index_videos`."""
    from indexer.report import IndexReport

    with compose.open_library(settings) as library:
        values = run_values(settings, order, library)
        wanted = [as_indexed(library, path) for path in order.paths]
        failed = [
            failure.path
            for failure in library.failures()
            if not wanted or any(is_below(failure.path, folder) for folder in wanted)
        ]
        gone = [path for path in failed if not os.path.lexists(path)]
        if gone:
            library.clear_failures(gone)
            print_note(f"{count_text(len(gone), 'failed file')} no longer on disk: removed from the library")
        there = [path for path in failed if os.path.lexists(path)]
        if not there:
            print_note("no failed files to retry")
            if as_json:
                print_json(report_record(IndexReport()))
            return
        encoder = open_or_download_encoder(values.settings, yes=False)
        options = run_options(order)
        title = count_text(len(there), "failed file")
        report = run_indexer(values, library, encoder, there, options, order=order, title=title)
        report_and_exit(report, as_json=as_json)


def require_paths(paths: Sequence[str]) -> None:
    """Raise CommandError for a path that does not exist."""
    for path in paths:
        if not os.path.lexists(path):
            raise CommandError(f"{printable(path)}: no such file or folder", MISSING)


def run_indexer(
    values: RunValues,
    library: Library,
    encoder: Encoder,
    roots: Sequence[str],
    options: RunOptions,
    *,
    order: IndexOrder | RetryOrder,
    title: str = "",
) -> IndexReport:
    """Index with a progress line, and a journal by which any process can follow and stop the job.

    Encoder and settings are stored in the library once it has a video that they hold for: a run that comes to nothing
    changes nothing. The first Ctrl-C stops the job cleanly, the second one ends the program immediately.

    Args:
        values: Encoder and cuts of the run, and those of the library before it.
        library: Receives the videos.
        encoder: Encodes their clips; of quick passes, a few frames of them.
        roots: Files, and folders to index recursively.
        options: Threads, batches, exclusions, retries and sweeping.
        order: Stored in the journal with the encoder's name, so that the job can be restarted.
        title: The job's name in the journal; by default made of the roots.

    Returns:
        The report, which lists failed files; these do not raise.

    Raises:
        CommandError: The run would do what nobody consented to; nothing was changed.
    """
    from encoder.quick import quick_encoder
    from indexer.pipeline import index_folders
    from indexer.quick_pass import QuickPass

    require_writable(library, "nothing was indexed")
    take_over_former_space(library, encoder)
    own = dataclasses.replace(values.own, choice=choice_of(library))
    now, index_settings = values.shaping(encoder), values.cuts
    choice = now.choice
    assert choice is not None
    scorer = compose.open_scorer(values.settings, index_settings)
    print_notice(encoder, roots)
    print_other_text(library, encoder)
    adopted = adopt_videos(library, encoder, index_settings)
    if adopted:
        print_note(
            f"{count_text(adopted, 'video')} cut by an older version with options that were not stored: kept as they "
            "are (index --redo cuts them again)"
        )
    passes = encoder
    quick: QuickPass | None = None
    if isinstance(order, IndexOrder) and order.quick:
        if own.choice is not None and own.changed_by(now):
            raise CommandError(
                "quick passes keep the library's encoder and cuts; index without --quick to change them", USAGE
            )
        passes, quick = quick_encoder(encoder), QuickPass(full_id=encoder.id)
    stored = False

    def store_settings() -> None:
        nonlocal stored
        if not stored:
            library.use_encoders(choice)
            store_cut_settings(library, index_settings)
        stored = True

    jobs, order = Jobs(library.directory), dataclasses.replace(order, encoder=choice.name)
    with (
        LiveLine() as line,
        stop_on_interrupt(line, STOPPING) as stopped,
        jobs.begin("index", title or title_of(roots), order) as job,
    ):
        consent = isinstance(order, RetryOrder) or order.yes
        review = IndexReview(library, passes.clip_spec, own=own, now=now, asked=options.redo, yes=consent, line=line)

        def cancelled() -> bool:
            return stopped() or job.stop_requested()

        def on_progress(progress: Progress) -> None:
            if progress.phase == "index" and progress.files_done > progress.failures:
                store_settings()
            if (shown := shown_progress(progress)) is not None:
                line.show(shown)
            journal_progress(job, progress)

        report = index_folders(
            library,
            passes,
            roots,
            index_settings,
            options,
            on_progress=on_progress,
            cancelled=cancelled,
            scorer=scorer,
            review=review,
            quick=quick,
        )
        if review.refusal is not None:
            job.finish("stopped", message="nothing was changed")
            raise review.refusal
        if report.in_library:
            store_settings()
        if report.clips and quick is None:
            hint = "; index --renew uses this version's defaults" if has_former_defaults(index_settings) else ""
            print_note(f"cuts were found by the {index_settings.detector} detector{hint}")
        elif report.clips:
            print_note("quick passes: shots are coarse, cut at key frames, and motion is hardly seen in them")
        prepare_searches(library, passes, report, line, cancelled, quick=quick is not None)
        journal_report(job, report)
    return report


def report_and_exit(report: IndexReport, *, as_json: bool) -> None:
    """Print a report. End the command with the exit code for it, unless that is 0."""
    if as_json:
        failure = {"error": report.stopped, "code": MISSING} if report.stopped and not report.interrupted else {}
        print_json(report_record(report) | failure)
    else:
        print_report(report)
    if report.interrupted:
        print_note(stopped_text(report))
        raise click.exceptions.Exit(stopped_code())
    if report.stopped:
        raise CommandError(report.stopped, MISSING)
    if report.failed or report.problems:
        raise click.exceptions.Exit(FAILED)
