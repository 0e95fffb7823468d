"""`prismsearch copy`: a library into another place, from a folder to a server or back."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from app.commands.backup import copy_questions
from app.compose import Settings, settings_from
from app.library_place import hand_on_password, has_password
from app.shell.counted_line import CountedLine
from app.shell.errors import CommandError
from app.shell.exit_codes import MISSING
from app.shell.live_line import LiveLine
from app.shell.options import PathWord, progress_option
from app.shell.terminal import count_text, print_note, printable, size_text
from db.media_roots import NO_ROOTS

if TYPE_CHECKING:
    from db.copying import Needed, OnProgress
    from db.library import Library

_MARGIN = 1.1  # of the space that is needed
_STAGES = {
    "compare": ("comparing what is there", "rows"),
    "rows": ("copying", "rows"),
    "check": ("checking", "rows"),
    "words": ("indexing words", "videos"),
    "media": ("copying posters and previews", "folders"),
}


@click.command(
    epilog="""\b
Examples:
  prismsearch copy ~/library 'postgresql://ann@db.example.org/footage?media=/mnt/nas/prismsearch'
  prismsearch copy 'postgresql://ann@db.example.org/footage' /media/usb/library

\b
Ids stay: of videos, shots, collections and clips, and with them links and takes. People are copied, but
nobody is logged in there. Others may go on: the copy is of one moment, and is compared with it row by row.
A copy that was stopped goes on where it was; until it is whole, no command takes it for a library.""",
)
@click.argument("source", metavar="FROM", type=PathWord())
@click.argument("target", metavar="TO", type=PathWord())
@progress_option
@click.pass_context
def copy(ctx: click.Context, /, source: str, target: str) -> None:
    """Copy the library FROM into TO, a new one: folders, or addresses of libraries on servers."""
    from app.compose import open_library
    from app.work_folder import require_own
    from db.copying import Copying
    from db.library import Library

    if has_password(source) or has_password(target):
        raise click.UsageError(
            "a password in an address would show in the list of processes: put it into ~/.pgpass or PGPASSWORD"
        )
    if ctx.find_root().params.get("library") is not None:
        raise click.UsageError("copy takes its two libraries as FROM and TO: leave --library out")
    settings = replace(settings_from(), roots=NO_ROOTS)  # paths are copied as they are stored
    origin, place = (settings.with_options(library=named) for named in (source, target))
    for each in (origin, place):
        hand_on_password(each.server)
    with open_library(origin) as original:
        if place.server is None:
            _check_folder(place.library, None if origin.server else origin.library)
        with Library.open(place.server or place.library.absolute(), copy_of=original.id) as made:
            if made.id == original.id:
                raise click.UsageError("FROM and TO are the same library")
            require_own(made)
            copying = Copying(original, made)
            if goes_on := copying.begin():
                print_note(f"going on with the copy in {printable(place.shown)}")
            _tell_space(copying.needed(goes_on=goes_on), place, made)
            with LiveLine() as line:
                copied = copying.run(_progress(line))
            _copy_beside(original, made)
            copying.finish()
            held = made.stats()
    print_note(
        f"{count_text(held.videos, 'video')} and {count_text(held.shots, 'shot')} are now in {printable(place.shown)}; "
        f"each of {count_text(copied.rows, 'row')} was compared"
    )
    if copied.lacking:
        print_note(f"posters of {count_text(copied.lacking, 'video')} are missing in FROM, too; index makes them again")


def _check_folder(folder: Path, source: Path | None) -> None:
    """Raise click.UsageError for a folder inside that of the source, or with something else in it than a library."""
    from db.library import FILE_NAME

    if source is not None and source.resolve() in folder.resolve().parents:
        raise click.UsageError("TO is inside FROM; name a folder elsewhere")

    if folder.is_dir() and any(folder.iterdir()) and not (folder / FILE_NAME).is_file():
        raise click.UsageError(f"{printable(str(folder))} is not empty; name another folder")


def _tell_space(needed: Needed, place: Settings, made: Library) -> None:
    """Print how much is to be copied. Raise CommandError if there is not enough space for it."""
    print_note(
        f"{size_text(needed.database)} of rows and {size_text(needed.media)} of posters and previews are to be copied"
    )
    media = place.server.media if place.server is not None else None
    folder = str(media or made.directory)
    wanted = (needed.media + (needed.database if place.server is None else 0)) * _MARGIN
    free = shutil.disk_usage(folder).free
    if free < wanted:
        raise CommandError(
            f"the copy needs {size_text(wanted)} in {printable(folder)}, where {size_text(free)} are free; free some "
            "space, and give the same command again",
            MISSING,
        )


def _progress(line: LiveLine) -> OnProgress:
    shown: dict[str, CountedLine] = {}

    def show(stage: str, done: int, total: int) -> None:
        text, unit = _STAGES[stage]
        counted = shown.get(stage)
        if counted is None:
            counted = shown[stage] = CountedLine(line, stage=stage, text=text, unit=unit, total=total)
        counted.show(done)

    return show


def _copy_beside(source: Library, target: Library) -> None:
    """Copy what is kept in files of a library and was long in the making: questions, takes, measured thresholds."""
    from search.calibration.folder import MEASURED_PREFIXES, calibration_folder
    from search.takes.pair_file import FOLDER as TAKES

    copy_questions(source.directory, target.directory)
    for folder, prefixes in (
        (source.directory / TAKES, ("",)),
        (calibration_folder(source.directory), MEASURED_PREFIXES),
    ):
        if not folder.is_dir() or folder.is_symlink():
            continue
        beside = target.directory / folder.name
        beside.mkdir(exist_ok=True)
        for entry in os.scandir(folder):
            if entry.name.startswith(prefixes) and entry.is_file(follow_symlinks=False):
                shutil.copyfile(entry.path, beside / entry.name, follow_symlinks=False)
