"""`prismsearch backup` and `prismsearch restore`: a copy of the library in another folder, and back."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import click

from app import compose
from app.compose import Settings
from app.evaluation.own_questions import FILE_NAME as QUESTIONS
from app.evaluation.own_questions import MAX_BYTES
from app.shell.errors import CommandError
from app.shell.exit_codes import MISSING
from app.shell.options import with_settings
from app.shell.questions import confirm
from app.shell.terminal import count_text, display_path, print_note, printable, size_text
from files.regular import read_regular
from files.replace import replace_file

_MEDIA = "media"


def _refuse_server(settings: Settings, tool: str) -> None:
    """Raise click.UsageError for a library on a server, which has tools of its own for that."""
    if settings.server is not None:
        media = (
            "its folder of media is copied as any other"
            if settings.server.media is None
            else (f"{display_path(str(settings.server.media))} is copied as any other folder")
        )
        raise click.UsageError(
            f"{settings.shown} is on a server: {tool} (schema {settings.server.schema}), and {media}"
        )


@click.command(
    epilog="""\b
Examples:
  prismsearch backup /media/usb/prismsearch
  prismsearch backup /media/usb/prismsearch --media --yes

\b
Indexing and searching may go on meanwhile: the copy is a checked snapshot. Without --media, posters
and previews are left out; `index` makes them again. Your video files are not copied.""",
)
@click.argument("destination", metavar="DEST", type=click.Path(file_okay=False))
@click.option("--media", is_flag=True, help="Copy posters and previews, too, after showing their size.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask for confirmation.")
@with_settings
def backup(settings: Settings, destination: str, media: bool, yes: bool) -> None:
    """Back up the library into DEST, a new or empty folder: the database, your questions (questions.csv) and, with
    --media, posters and previews.
    """
    from db.backup import copy_database
    from db.library import FILE_NAME, Library

    _refuse_server(settings, "pg_dump copies its database while others write")
    folder = Path(destination).absolute()
    with compose.open_library(settings) as library:
        if folder.exists() and any(folder.iterdir()):
            raise click.UsageError(f"{printable(str(folder))} is not empty; name another folder")
        held = library.stats()
        if media:
            size = size_text(held.media_bytes)
            confirm(f"Copy {size} of posters and previews as well?", yes=yes, refusal=f"this would copy {size}")
        folder.mkdir(parents=True, exist_ok=True)
        if media and shutil.disk_usage(folder).free < held.media_bytes * 1.05 + held.database_bytes:
            raise CommandError(f"there is not enough space in {printable(str(folder))}; nothing was copied", MISSING)
        copy_database(library.directory / FILE_NAME, folder / FILE_NAME)
        copy_questions(library.directory, folder)
        copied = _copy_media(library.directory / _MEDIA, folder / _MEDIA) if media else 0
    with Library.open(folder, create=False) as copy:
        count = copy.stats().videos
        lacking = copy.lacking_media(video.id for video in copy.videos() if video.id is not None) if media else set()
    more = f" and {count_text(copied, 'folder')} of posters and previews" if media else ""
    print_note(f"{count_text(count, 'video')}{more} copied into {display_path(str(folder))}, and checked")
    if lacking:
        print_note(f"posters of {count_text(len(lacking), 'video')} changed meanwhile; index makes them again")


@click.command(
    epilog="""\b
Examples:
  prismsearch restore /media/usb/prismsearch
  prismsearch restore /media/usb/prismsearch --force     the current library is kept beside it

\b
Stop `prismsearch ui` and runs of `index` first.""",
)
@click.argument("source", metavar="SOURCE", type=click.Path(exists=True, file_okay=False))
@click.option("--force", is_flag=True, help="Replace the current library, which is kept beside the restored one.")
@with_settings
def restore(settings: Settings, source: str, force: bool) -> None:
    """Restore the library from the backup in SOURCE."""
    from db.backup import copy_database
    from db.library import FILE_NAME, Library

    _refuse_server(settings, "pg_restore brings back what pg_dump has copied")
    backup_folder, target = Path(source).absolute(), settings.library.absolute()
    if not (backup_folder / FILE_NAME).is_file():
        raise CommandError(f"there is no backup in {printable(str(backup_folder))}", MISSING)
    Library.open(backup_folder, create=False).close()
    there = target.exists() and any(target.iterdir())
    if there and not force:
        raise click.UsageError(
            f"{printable(str(target))} already has a library; --force sets it aside and restores the backup"
        )
    fresh = target.with_name(f"{target.name}.restoring-{os.getpid()}")
    fresh.mkdir(parents=True)
    try:
        copy_database(backup_folder / FILE_NAME, fresh / FILE_NAME)
        copy_questions(backup_folder, fresh)
        if (backup_folder / _MEDIA).is_dir():
            _copy_media(backup_folder / _MEDIA, fresh / _MEDIA)
        kept = _free_name(target.with_name(f"{target.name}.before-restore-{time.strftime('%Y%m%d-%H%M%S')}"))
        if there:
            target.rename(kept)
        elif target.exists():
            target.rmdir()
        fresh.rename(target)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    with compose.open_library(settings) as library:
        print_note(f"{count_text(library.stats().videos, 'video')} restored into {display_path(str(target))}")
    if there:
        print_note(f"the previous library is now in {display_path(str(kept))}")
    if not (target / _MEDIA).is_dir():
        print_note("the backup has no posters and previews; index makes them again")


def _free_name(path: Path) -> Path:
    """Return a path that nothing has: another restore may have kept a library in the same second."""
    number, free = 1, path
    while os.path.lexists(free):
        number += 1
        free = path.with_name(f"{path.name}-{number}")
    return free


def copy_questions(source: Path, target: Path) -> None:
    """Copy the questions that were written on the page, if there are any. A link is not followed."""
    try:
        content = read_regular(source / QUESTIONS, max_bytes=MAX_BYTES, follow_links=False)
    except FileNotFoundError:
        return
    except (OSError, ValueError) as error:
        print_note(f"{QUESTIONS} was not copied: {error}")
        return
    replace_file(target / QUESTIONS, content, durable=True)


def _copy_media(source: Path, target: Path) -> int:
    """Copy the folders of posters and previews; links are not followed. Folders may go meanwhile."""
    copied = 0
    for prefix in sorted(source.iterdir()) if source.is_dir() else ():
        if len(prefix.name) != 2 or prefix.is_symlink() or not prefix.is_dir():
            continue
        for folder in prefix.iterdir():
            if folder.is_symlink() or not folder.is_dir():
                continue
            try:
                shutil.copytree(folder, target / prefix.name / folder.name, symlinks=True)
                copied += 1
            except (FileNotFoundError, shutil.Error):  # replaced by an index run
                shutil.rmtree(target / prefix.name / folder.name, ignore_errors=True)
    return copied
