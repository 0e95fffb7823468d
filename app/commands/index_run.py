"""Indexing for the commands and for jobs: a progress line, a journal in the library, the report."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from app import compose
from app.commands.fetch_model import open_or_download_encoder
from app.commands.renewal import confirm_renewal
from app.compose import Settings
from app.cut_settings import adopt_videos, cut_settings_of, has_former_defaults, renewed, store_cut_settings
from app.encoder_choice import canonical
from app.jobs.command_line import title_of
from app.jobs.index_journal import journal_progress, journal_report
from app.jobs.jobs import Jobs
from app.jobs.orders import IndexOrder, RetryOrder
from app.shell.errors import CommandError
from app.shell.exit_codes import FAILED, INTERRUPTED, MISSING
from app.shell.index_report import print_report, report_record
from app.shell.interrupt import stop_on_interrupt
from app.shell.notice import print_notice
from app.shell.paths import as_indexed, is_below
from app.shell.progress_line import ProgressLine
from app.shell.terminal import LiveLine, count_text, print_json, print_note, printable
from db.records import EncoderChoice

if TYPE_CHECKING:
    from db.library import Library
    from encoder import Encoder
    from indexer.progress import Progress
    from indexer.report import IndexReport
    from indexer.settings import IndexSettings, RunOptions

STOPPING = "stopping; the videos in flight are given up, finished ones are kept (Ctrl-C again: at once)"


def index_videos(
    settings: Settings, order: IndexOrder, *, renew: bool = False, yes: bool = False, as_json: bool = False
) -> None:
    """Index the paths of an order, print the report and end with the exit code for it.

    Args:
        settings: The library, the device and the encoder, unless the order names one.
        order: Paths and options.
        renew: Use the detector and defaults of a new library, for all videos below the paths, after asking.
        yes: Renew, and download a missing model, without asking.
        as_json: Print the report as JSON.
    """
    require_paths(order.paths)
    with compose.open_existing_library(settings) as known:
        settings, index_settings = _with_library_values(settings, order, known, renew=renew)
    options = run_options(
        workers=order.workers,
        batch_size=order.batch_size,
        exclude=order.exclude,
        redo=order.redo,
        retry_failed=order.retry_failed,
    )
    encoder = open_or_download_encoder(settings, yes=yes)
    with compose.open_library(settings, create=True) as library:
        if renew:
            confirm_renewal(library, encoder, order.paths, index_settings, yes=yes)
        report = run_indexer(settings, library, encoder, order.paths, index_settings, options, order=order)
        report_and_exit(report, as_json=as_json)


def retry_failures(settings: Settings, order: RetryOrder, *, as_json: bool = False) -> None:
    """Retry the failed files that an order names, and report as in `index_videos`."""
    with compose.open_library(settings) as library:
        settings, index_settings = _with_library_values(settings, order, library)
        wanted = [as_indexed(library, path) for path in order.paths]
        failed = [
            failure.path
            for failure in library.failures()
            if not wanted or any(is_below(failure.path, folder) for folder in wanted)
        ]
        gone = [path for path in failed if not os.path.lexists(path)]
        if gone:
            library.clear_failures(gone)
            print_note(f"{count_text(len(gone), 'failed file')} no longer there: forgotten")
        there = [path for path in failed if os.path.lexists(path)]
        if not there:
            print_note("no failed files to try again")
            return
        encoder = open_or_download_encoder(settings, yes=False)
        options = run_options(retry_failed=True, sweep=False)
        title = count_text(len(there), "failed file")
        report = run_indexer(settings, library, encoder, there, index_settings, options, order=order, title=title)
        report_and_exit(report, as_json=as_json)


def _with_library_values(
    settings: Settings, order: IndexOrder | RetryOrder, library: Library | None, *, renew: bool = False
) -> tuple[Settings, IndexSettings]:
    """Return settings and index settings: the order's options over the library's stored or renewed values."""
    settings = dataclasses.replace(settings, encoder=order.encoder or settings.encoder)
    settings = compose.with_library_encoder(order.shaping.encoder_settings(settings), library)
    own = cut_settings_of(library)
    return settings, order.shaping.index_settings(renewed(own) if renew else own)


def require_paths(paths: Sequence[str]) -> None:
    """Raise CommandError for a path that does not exist."""
    for path in paths:
        if not os.path.lexists(path):
            raise CommandError(f"{printable(path)}: there is no such file or folder", MISSING)


def run_options(
    *,
    workers: int | None = None,
    batch_size: int | None = None,
    exclude: Sequence[str] = (),
    redo: bool = False,
    retry_failed: bool = False,
    sweep: bool = True,
) -> RunOptions:
    """Return the options of the pipeline; None stands for its defaults."""
    from indexer.settings import RunOptions

    options = RunOptions(redo=redo, retry_failed=retry_failed, sweep=sweep, exclude=tuple(exclude))
    if workers is not None:
        options = dataclasses.replace(options, decode_workers=workers)
    if batch_size is not None:
        options = dataclasses.replace(options, batch_size=batch_size)
    return options


def run_indexer(
    settings: Settings,
    library: Library,
    encoder: Encoder,
    roots: Sequence[str],
    index_settings: IndexSettings,
    options: RunOptions,
    *,
    order: IndexOrder | RetryOrder,
    title: str = "",
) -> IndexReport:
    """Index with a progress line, and a journal by which any process can follow and stop the job.

    Encoder and settings are stored in the library once it has a video that they hold for: a run that comes to nothing
    changes nothing. The first Ctrl-C stops the job cleanly, the second one ends the program immediately.

    Args:
        settings: From `compose.with_library_encoder`.
        library: Receives the videos.
        encoder: Encodes their clips.
        roots: Files, and folders to index recursively.
        index_settings: How videos become segments.
        options: Threads, batches, exclusions, retries and sweeping.
        order: Stored in the journal with the encoder's name, so that the job can be restarted.
        title: The job's name in the journal; by default made of the roots.

    Returns:
        The report, which lists failed files; these do not raise.
    """
    from indexer.pipeline import index_folders

    scorer = compose.open_scorer(settings, index_settings)
    print_notice(encoder, roots)
    name, spec = canonical(compose.encoder_name(settings)), encoder.clip_spec
    choice = EncoderChoice(
        name=name, encoder_id=encoder.id, frames=spec.frames, fit=spec.fit, still_frames=settings.still_frames or 0
    )
    adopted = adopt_videos(library, encoder, index_settings)
    if adopted:
        print_note(
            f"{count_text(adopted, 'video')} cut by an older version with options that it did not store: "
            "kept as they are (index --redo cuts them anew)"
        )
    stored = False

    def store_settings() -> None:
        nonlocal stored
        if not stored:
            library.use_encoders(choice)
            store_cut_settings(library, index_settings)
        stored = True

    jobs, order = Jobs(library.directory), dataclasses.replace(order, encoder=name)
    with (
        jobs.begin("index", title or title_of(roots), order) as job,
        LiveLine() as line,
        stop_on_interrupt(line, STOPPING) as stopped,
    ):
        shown = ProgressLine(line)

        def on_progress(progress: Progress) -> None:
            if progress.phase == "index" and progress.files_done > progress.failures:
                store_settings()
            shown.show(progress)
            journal_progress(job, progress)

        report = index_folders(
            library,
            encoder,
            roots,
            index_settings,
            options,
            on_progress=on_progress,
            cancelled=lambda: stopped() or job.stop_requested(),
            scorer=scorer,
        )
        if report.in_library:
            store_settings()
        if report.clips:
            hint = "; index --renew uses this version's defaults" if has_former_defaults(index_settings) else ""
            print_note(f"cuts were found by the {index_settings.detector} detector{hint}")
        if report.clips and report.complete:
            line.show("updating the vector index")
            compose.optimize_vectors(library, encoder.id)
        journal_report(job, report)
    return report


def report_and_exit(report: IndexReport, *, as_json: bool) -> None:
    """Print a report. End the command with the exit code for it, unless that is 0."""
    if as_json:
        print_json(report_record(report))
    else:
        print_report(report)
    if report.interrupted:
        print_note("stopped; what was finished is kept, and the same command goes on from there")
        raise click.exceptions.Exit(INTERRUPTED)
    if report.stopped:
        raise CommandError(report.stopped, MISSING)
    if report.failed or report.problems:
        raise click.exceptions.Exit(FAILED)
