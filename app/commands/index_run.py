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
from app.commands.index_values import RunValues, joint_name, run_options, values_of_each
from app.commands.read_text import read_text
from app.commands.recognize_run import report_failures, require_writable
from app.commands.server_wait import waiting_for_server
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
from app.shell.progress_line import shown_progress
from app.shell.terminal import count_text, print_json, print_note, printable
from db.media_roots import absent_text

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
        settings: The library, the device and the encoder, unless the order names one. Of several, one decoding of each
            video is for all, and the library's own is then the first. All are loaded first, so that a model that is
            missing is told before hours of work.
        order: Paths and options.
        renew: Use the detector and defaults of a new library.
        yes: Download a missing model without asking.
        as_json: Print the report as JSON.
    """
    require_paths(order.paths)
    with compose.open_existing_library(settings) as known:
        values = values_of_each(settings, order, known, renew=renew)
        if known is not None:
            known.require_adopted()
    reader = word_engines.open_text_reader() if order.read_text else None
    encoders = open_different([each.settings for each in values], yes=yes)
    further = list(zip(values[1:], encoders[1:], strict=True))
    with compose.open_library(settings, create=True) as library:
        report = run_indexer(
            values[0], library, encoders[0], order.paths, run_options(order), order=order, further=further
        )
        if renew and report.complete and not (report.updated or report.left):
            print_note("nothing to renew: every video here was already indexed this way")
        words = read_text(library, order, reader) if reader is not None and report.complete else None
        report_and_exit(report, as_json=as_json)
        if words is not None:
            report_failures(words)


def open_different(settings: Sequence[Settings], *, yes: bool) -> list[Encoder]:
    """Return the encoders of settings, downloaded if that is wanted.

    Raises:
        WrongSetting: Two are the same encoder.
    """
    encoders = [open_or_download_encoder(each, yes=yes) for each in settings]
    if len({encoder.id for encoder in encoders}) < len(encoders):
        names = " and ".join(compose.encoder_name(each) for each in settings)
        raise compose.WrongSetting(f"{names} are the same encoder")
    return encoders


def require_paths(paths: Sequence[str]) -> None:
    """Raise CommandError for a path that does not exist."""
    for path in paths:
        if not os.path.lexists(path):
            raise CommandError(f"{printable(path)}: {absent_text(path, 'no such file or folder')}", MISSING)


def run_indexer(
    values: RunValues,
    library: Library,
    encoder: Encoder,
    roots: Sequence[str],
    options: RunOptions,
    *,
    order: IndexOrder | RetryOrder,
    title: str = "",
    further: Sequence[tuple[RunValues, Encoder]] = (),
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
        further: Further encoders, which encode the same shots, with their values; the cuts are those of the first.

    Returns:
        The report, which lists failed files; these do not raise.

    Raises:
        CommandError: The run would do what nobody consented to; nothing was changed.
    """
    from encoder.quick import quick_encoder
    from indexer.pipeline import index_folders
    from indexer.quick_pass import QuickPass

    require_writable(library, "nothing was indexed")
    encoders = [encoder, *(each for _, each in further)]
    for each in encoders:
        take_over_former_space(library, each)
    own = dataclasses.replace(values.own, choice=choice_of(library))
    index_settings = values.cuts
    shapings = [values.shaping(encoder), *(its_values.shaping(each) for its_values, each in further)]
    choices = [shaping.choice for shaping in shapings if shaping.choice is not None]
    scorer = compose.open_scorer(values.settings, index_settings)
    for each in encoders:
        print_notice(each, roots)
        print_other_text(library, each)
    if adopted := max(adopt_videos(library, each, index_settings) for each in encoders):
        print_note(
            f"{count_text(adopted, 'video')} cut by an older version with options that were not stored: kept as they "
            "are (index --redo cuts them again)"
        )
    passes = encoders
    quick: QuickPass | None = None
    if isinstance(order, IndexOrder) and order.quick:
        if own.choice is not None and own.changed_by(shapings[0]):
            raise CommandError(
                "quick passes keep the library's encoder and cuts; index without --quick to change them", USAGE
            )
        passes, quick = [quick_encoder(each) for each in encoders], QuickPass(full_id=encoder.id)
    stored = False

    def store_settings() -> None:
        nonlocal stored
        if not stored:
            library.use_encoders(*reversed(choices))
            store_cut_settings(library, index_settings)
        stored = True

    jobs, order = Jobs(library.directory), dataclasses.replace(order, encoder=joint_name(choices))
    with (
        LiveLine() as line,
        stop_on_interrupt(line, STOPPING) as stopped,
        jobs.begin("index", title or title_of(roots), order) as job,
    ):
        consent = isinstance(order, RetryOrder) or order.yes
        shapes = [(each.clip_spec, shaping) for each, shaping in zip(passes, shapings, strict=True)]
        review = IndexReview(library, shapes, own=own, asked=options.redo, yes=consent, line=line)

        def cancelled() -> bool:
            return stopped() or job.stop_requested()

        library = waiting_for_server(library, line, job, cancelled)

        def on_progress(progress: Progress) -> None:
            if progress.phase == "index" and progress.files_done > progress.failures:
                store_settings()
            if (shown := shown_progress(progress)) is not None:
                line.show(shown)
            journal_progress(job, progress)

        report = index_folders(
            library,
            passes[0],
            roots,
            index_settings,
            options,
            on_progress=on_progress,
            cancelled=cancelled,
            scorer=scorer,
            review=review,
            quick=quick,
            further=passes[1:],
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
        for each in passes:
            prepare_searches(library, each, report, line, cancelled)
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
