"""`prismsearch index` and `retry`: index videos, by `index_run`."""

from __future__ import annotations

import os

import click

from app import compose
from app.commands.index_plan import show_plan
from app.commands.index_run import index_videos, require_paths
from app.commands.retry_run import retry_failures
from app.compose import Settings
from app.jobs.orders import IndexOrder, RetryOrder
from app.shell.index_options import ShapingOptions, detectors_text, shaping_options
from app.shell.options import PathWord, Whole, json_option, with_settings
from app.shell.work_options import work_options

EXIT_TEXT = """\b
Exit code 0: all fine; 1: finished, but some files failed; 2: usage; 3: a model, folder or the
library is missing; 130, 143, 129: stopped with Ctrl-C, by SIGTERM or because the terminal was
closed; what was finished is kept."""


@click.command(
    epilog=f"""\b
Examples:
  prismsearch index ~/Videos
  prismsearch index ~/Videos /media/usb --exclude "*/raw/*"
  prismsearch index film.mp4 --detector content -o threshold=30
  prismsearch index ~/Videos --encoder large --device cuda --batch-size 16
  prismsearch index ~/Videos --encoder base+open_clip:PE-Core-B-16/meta
  prismsearch index ~/Videos --decode reference
  prismsearch index ~/Videos --quick
  prismsearch index ~/Videos --dry-run
  prismsearch index ~/Videos --renew
  prismsearch index ~/Videos --read-text
  prismsearch index ~/Videos --json > report.json

{detectors_text()}

{EXIT_TEXT}""",
)
@click.argument("folders", nargs=-1, required=True, type=PathWord(), metavar="FOLDER...")
@work_options
@shaping_options
@click.option("--include-exports", is_flag=True, help="Index clips that prismsearch exported, too.")
@click.option(
    "--keep-vanished",
    "keep_vanished_days",
    type=Whole(0, 36_500),
    metavar="DAYS",
    help="Keep what is known about vanished files for this many days from now on; by default the library's, else 30.",
)
@click.option(
    "--quick",
    is_flag=True,
    help="Make quick passes over new files: key frames only, coarse shots. The next run without it makes full ones.",
)
@click.option("--redo", is_flag=True, help="Index unchanged files again, too.")
@click.option(
    "--renew", is_flag=True, help="Cut an existing library's videos again with this version's detector and defaults."
)
@click.option("--retry-failed", is_flag=True, help="Retry files that failed before and have not changed.")
@click.option(
    "--read-text",
    is_flag=True,
    help="Afterwards, read the text on screen of videos that were not read yet (extra `ocr`).",
)
@click.option(
    "--dry-run", is_flag=True, help="Show what would be done, why and how long it would take; change nothing."
)
@click.option(
    "-y", "--yes", is_flag=True, help="Re-encode unchanged videos and download a missing model without asking."
)
@json_option("Print the report as JSON on standard output; progress goes to standard error.")
@with_settings
def index(
    settings: Settings,
    folders: tuple[str, ...],
    workers: int | None,
    batch_size: int | None,
    shaping: ShapingOptions,
    new_library: ShapingOptions,
    exclude: tuple[str, ...],
    include_exports: bool,
    keep_vanished_days: int | None,
    quick: bool,
    redo: bool,
    renew: bool,
    retry_failed: bool,
    read_text: bool,
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Index the videos in each FOLDER: cut them into shots and embed them.

    Unchanged files are skipped, moved or renamed ones are recognised by their content, and a stopped run continues
    where it left off. Video files are never changed.

    A library keeps the encoder, detector, lengths and decoding mode it was created with, and a run without options
    uses them. Before it re-encodes unchanged videos, the run says how many, why and how long it takes, and asks.

    With --quick, videos can be searched after a fraction of the time: only their key frames are read, which divide
    them into coarse shots, and motion is hardly seen. The next run without --quick makes the full passes, first of
    videos with clips in collections, then of those whose hits were looked at, then of the newest. It can be stopped
    and goes on where it was; a video is found by its quick pass until its full one is complete.
    """
    if quick and (redo or renew):
        raise click.UsageError("--quick leaves what is indexed in full: it cannot be used with --redo or --renew")
    require_paths(folders)
    order = IndexOrder(
        workers=workers,
        batch_size=batch_size,
        shaping=shaping,
        new_library=new_library,
        exclude=exclude,
        include_exports=include_exports,
        quick=quick,
        redo=redo,
        retry_failed=retry_failed,
        read_text=read_text,
        yes=yes,
        paths=tuple(map(os.path.abspath, folders)),
    )
    if dry_run:
        show_plan(settings, order, renew=renew, as_json=as_json)
        return
    if keep_vanished_days is not None:
        with compose.open_library(settings, create=True) as library:
            library.use_keep_vanished_days(keep_vanished_days)
    index_videos(settings, order, renew=renew, yes=yes, as_json=as_json)


@click.command(
    epilog=f"""\b
Examples:
  prismsearch retry                 every file that failed
  prismsearch retry ~/Videos/new    those in a folder

\b
Why files failed: prismsearch list --failed

{EXIT_TEXT}""",
)
@click.argument("paths", nargs=-1, type=PathWord())
@shaping_options
@json_option("Print the report as JSON on standard output.")
@with_settings
def retry(
    settings: Settings,
    paths: tuple[str, ...],
    shaping: ShapingOptions,
    new_library: ShapingOptions,
    as_json: bool,
) -> None:
    """Retry files that could not be indexed (only those in PATHS, if given)."""
    order = RetryOrder(shaping=shaping, new_library=new_library, paths=tuple(map(os.path.abspath, paths)))
    retry_failures(settings, order, as_json=as_json)
