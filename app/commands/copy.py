"""`prismsearch copy`: a library into another place, from a folder to a server or back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from app.compose import Settings
from app.library_place import hand_on_password, has_password
from app.shell.errors import CommandError
from app.shell.exit_codes import FAILED
from app.shell.live_line import LiveLine
from app.shell.options import PathWord, with_settings
from app.shell.terminal import count_text, print_note

if TYPE_CHECKING:
    from db.copying import Copying

_MOST_PASSES = 3  # over a library that others write to meanwhile


@click.command(
    epilog="""\b
Examples:
  prismsearch copy ~/library postgresql://db.example.org/footage
  prismsearch copy postgresql://db.example.org/footage /media/usb/library

\b
Ids stay: of collections, clips and saved searches, and the addresses of the page with them. A copy that
was stopped goes on where it was. Vector files are made anew by the first search. Exit code 0: the copy
has every row, and was checked.""",
)
@click.argument("source", metavar="FROM", type=PathWord())
@click.argument("target", metavar="TO", type=PathWord())
@with_settings
def copy(settings: Settings, source: str, target: str) -> None:
    """Copy the library FROM into TO, a new one: folders, or addresses of libraries on servers."""
    from app.compose import open_library
    from db.copying import Copying

    if has_password(source) or has_password(target):
        raise click.UsageError(
            "a password in an address would show in the list of processes: put it into PGPASSWORD or ~/.pgpass"
        )
    places = [settings.with_options(library=place) for place in (source, target)]
    if places[0].place == places[1].place:
        raise click.UsageError("FROM and TO are the same library")
    for each in places:
        hand_on_password(each.server)
    with open_library(places[0]) as original, open_library(places[1], create=True) as made:
        copying = Copying(original, made)
        copying.check_target()
        copied = _copy_videos(copying)
        copying.finish()
        copying.verify()
        held = made.stats()
    print_note(
        f"{count_text(copied, 'video')} copied; {places[1].shown} has {count_text(held.videos, 'video')} and "
        f"{count_text(held.shots, 'shot')}, and was checked"
    )


def _copy_videos(copying: Copying) -> int:
    """Copy what differs, again if the source has changed meanwhile. Return how many videos were copied."""
    copied = 0
    with LiveLine() as line:
        for _ in range(_MOST_PASSES):
            difference = copying.difference()
            if not difference.copied and not difference.removed:
                return copied
            copying.begin(difference)
            for at, key in enumerate(difference.copied):
                copying.copy_video(key)
                copied += 1
                line.show_text(f"copying  {at + 1:,}/{len(difference.copied):,} videos")
    if copying.difference().copied:
        raise CommandError("the library is being written to; stop that, and copy again: what is there is kept", FAILED)
    return copied
