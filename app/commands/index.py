"""`prismsearch index` and `retry`: videos in, with progress while they come and a report at the end."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from app import compose
from app.commands.fetch_model import open_encoder_asking
from app.compose import Settings
from app.cut_settings import cut_settings_of, store_cut_settings
from app.encoder_choice import canonical
from app.jobs.command_line import option_words, path_words, title_of
from app.jobs.index_journal import journal_progress, journal_report
from app.jobs.jobs import Jobs
from app.shell.errors import CommandError
from app.shell.index_options import ShapingOptions, detectors_text, shaping_options
from app.shell.index_report import print_report, report_record
from app.shell.interrupt import stop_on_interrupt
from app.shell.notice import say_notice
from app.shell.options import FAILED, INTERRUPTED, MISSING, with_settings
from app.shell.paths import as_indexed, is_below
from app.shell.progress_line import ProgressLine
from app.shell.terminal import LiveLine, counted, print_json, printable, say
from db.records import EncoderChoice

if TYPE_CHECKING:
    from db.library import Library
    from encoder import Encoder
    from indexer.progress import Progress
    from indexer.report import IndexReport
    from indexer.settings import IndexSettings, RunOptions

EXIT_TEXT = """\b
Exit code 0: all fine; 1: finished, but some files failed; 2: usage; 3: a model, folder or the
library is missing; 130: stopped with Ctrl-C, what was finished is kept."""


STOPPING = "stopping; the videos in flight are given up, finished ones are kept (Ctrl-C again: at once)"


@click.command(
    short_help="Take videos in: cut into shots, embed, remember.",
    epilog=f"""\b
Examples:
  prismsearch index ~/Videos
  prismsearch index ~/Videos /media/usb --exclude "*/raw/*"
  prismsearch index film.mp4 --detector content -o threshold=30
  prismsearch index ~/Videos --encoder large --device cuda --batch-size 16
  prismsearch index ~/Videos --decode reference
  prismsearch index ~/Videos --json > report.json

{detectors_text()}

{EXIT_TEXT}""",
)
@click.argument("folders", nargs=-1, required=True, type=click.Path(), metavar="FOLDER...")
@click.option("--workers", type=click.IntRange(min=1, max=256), metavar="N", help="Videos decoded at the same time.")
@click.option("--batch-size", type=click.IntRange(min=1, max=4096), metavar="N", help="Clips encoded at once.")
@shaping_options
@click.option(
    "--exclude", multiple=True, metavar="PATTERN", help="Leave out what matches, such as '*.tmp.mp4'; may be repeated."
)
@click.option("--redo", is_flag=True, help="Index again what is unchanged, too.")
@click.option("--retry-failed", is_flag=True, help="Try files again that failed before and have not changed.")
@click.option("-y", "--yes", is_flag=True, help="Download a missing model without asking.")
@click.option(
    "--json", "as_json", is_flag=True, help="The report as JSON on standard output; progress stays on standard error."
)
@with_settings
def index(
    settings: Settings,
    folders: tuple[str, ...],
    workers: int | None,
    batch_size: int | None,
    shaping: ShapingOptions,
    exclude: tuple[str, ...],
    redo: bool,
    retry_failed: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Cut the videos below each FOLDER into shots, embed them and remember them.

    Files that are unchanged are skipped, those that were moved or renamed are recognised by content, and a run that was
    stopped goes on where it was. Video files are only ever read.
    """
    with compose.open_existing_library(settings) as known:
        settings = compose.with_library_encoder(shaping.encoder_settings(settings), known)
        index_settings = shaping.index_settings(cut_settings_of(known))
    for folder in folders:
        if not os.path.lexists(folder):
            raise CommandError(f"{printable(folder)}: there is no such file or folder", MISSING)
    options = run_options(workers=workers, batch_size=batch_size, exclude=exclude, redo=redo, retry_failed=retry_failed)
    encoder = open_encoder_asking(settings, yes=yes)
    with compose.open_library(settings, create=True) as library:
        again = ["index", *option_words(), *path_words(folders)]
        finish(run(settings, library, encoder, folders, index_settings, options, again=again), as_json=as_json)


@click.command(
    short_help="Try files again that could not be indexed.",
    epilog=f"""\b
Examples:
  prismsearch retry                 every file that failed
  prismsearch retry ~/Videos/new    those below a folder

\b
Why files failed: prismsearch list --failed

{EXIT_TEXT}""",
)
@click.argument("paths", nargs=-1, type=click.Path())
@shaping_options
@click.option("--json", "as_json", is_flag=True, help="The report as JSON on standard output.")
@with_settings
def retry(
    settings: Settings,
    paths: tuple[str, ...],
    shaping: ShapingOptions,
    as_json: bool,
) -> None:
    """Try files again that could not be indexed (below PATHS, if any are given)."""
    with compose.open_library(settings) as library:
        settings = compose.with_library_encoder(shaping.encoder_settings(settings), library)
        index_settings = shaping.index_settings(cut_settings_of(library))
        wanted = [as_indexed(library, path) for path in paths]
        failed = [
            failure.path
            for failure in library.failures()
            if not wanted or any(is_below(failure.path, folder) for folder in wanted)
        ]
        gone = [path for path in failed if not os.path.lexists(path)]
        if gone:
            library.clear_failures(gone)
            say(f"{counted(len(gone), 'failed file')} no longer there: forgotten")
        there = [path for path in failed if os.path.lexists(path)]
        if not there:
            say("no failed files to try again")
            return
        encoder = open_encoder_asking(settings, yes=False)
        options = run_options(retry_failed=True, sweep=False)
        again = ["retry", *option_words(), *path_words(paths)]
        title = counted(len(there), "failed file")
        report = run(settings, library, encoder, there, index_settings, options, again=again, title=title)
        finish(report, as_json=as_json)


def run_options(
    *,
    workers: int | None = None,
    batch_size: int | None = None,
    exclude: Sequence[str] = (),
    redo: bool = False,
    retry_failed: bool = False,
    sweep: bool = True,
) -> RunOptions:
    """Options of a run; None leaves the pipeline's own default."""
    from indexer.settings import RunOptions

    options = RunOptions(redo=redo, retry_failed=retry_failed, sweep=sweep, exclude=tuple(exclude))
    if workers is not None:
        options = dataclasses.replace(options, workers=workers)
    if batch_size is not None:
        options = dataclasses.replace(options, batch_size=batch_size)
    return options


def run(
    settings: Settings,
    library: Library,
    encoder: Encoder,
    roots: Sequence[str],
    index_settings: IndexSettings,
    options: RunOptions,
    *,
    again: Sequence[str] | None = None,
    title: str = "",
) -> IndexReport:
    """Index with a live line on the terminal and a journal through which any process can watch and stop the job.

    What the encoder and the settings are becomes the library's own. The first Ctrl-C asks the job to stop cleanly, the
    second ends the program at once.

    Args:
        settings: From `compose.with_library_encoder`.
        library: The library to add to.
        encoder: The encoder of these settings.
        roots: Files and folders.
        index_settings: How videos are cut and decoded.
        options: What is done again, excluded and swept, and with how many threads.
        again: The words of the command that does the same, by default `index` with the roots; the encoder is added.
        title: The job's title, by default made of the roots.
    """
    from indexer.pipeline import index_folders

    say_notice(encoder, roots)
    name, spec = canonical(compose.encoder_name(settings)), encoder.clip_spec
    library.use_encoders(
        EncoderChoice(
            name=name,
            encoder_id=encoder.id,
            frames=spec.frames,
            fit=spec.fit,
            still_frames=settings.still_frames or 0,
        )
    )
    store_cut_settings(library, index_settings)
    command, *rest = again or ["index", *path_words(roots)]
    words = [command, "--encoder", name, *rest]
    with (
        Jobs(library.directory).begin("index", title or title_of(roots), words) as journal,
        LiveLine() as line,
        stop_on_interrupt(line, STOPPING) as stopped,
    ):
        shown = ProgressLine(line)

        def on_progress(progress: Progress) -> None:
            shown.show(progress)
            journal_progress(journal, progress)

        report = index_folders(
            library,
            encoder,
            roots,
            index_settings,
            options,
            on_progress=on_progress,
            cancelled=lambda: stopped() or journal.stop_requested(),
        )
        if report.clips and report.complete:
            line.show("putting the vectors in order")
            compose.order_vectors(library, encoder.id)
        journal_report(journal, report)
    return report


def finish(report: IndexReport, *, as_json: bool) -> None:
    """Print the report and end with the exit code that it deserves."""
    if as_json:
        print_json(report_record(report))
    else:
        print_report(report)
    if report.interrupted:
        say("stopped; what was finished is kept, and the same command goes on from there")
        raise click.exceptions.Exit(INTERRUPTED)
    if report.stopped:
        raise CommandError(report.stopped, MISSING)
    if report.failed or report.problems:
        raise click.exceptions.Exit(FAILED)
