"""`prismsearch relink`: tell the library that a folder is at another place now. Nothing is decoded."""

from __future__ import annotations

import os

import click

from app import compose
from app.compose import Settings
from app.shell.errors import CommandError
from app.shell.exit_codes import FAILED, MISSING
from app.shell.options import PathWord, json_option, with_settings
from app.shell.paths import as_indexed
from app.shell.terminal import count_text, display_path, print_json, printable, table
from db.media_roots import absent_text


@click.command(
    epilog="""\b
Examples:
  prismsearch relink /Volumes/Old /Volumes/New
  prismsearch relink D:\\Films E:\\Archive\\Films --dry-run
  prismsearch relink ~/Videos/a.mp4 ~/Videos/b.mp4

\b
Exit code 0: everything was found in the new location; 1: some files do not match and keep their old
location; 3: the library has nothing in OLD, or NEW does not exist.""",
)
@click.argument("old", type=PathWord())
@click.argument("new", type=PathWord())
@click.option("--dry-run", is_flag=True, help="Show what matches; change nothing.")
@json_option()
@with_settings
def relink(settings: Settings, old: str, new: str, dry_run: bool, as_json: bool) -> None:
    """Tell the library that the files in OLD are now in NEW.

    A file must have the same size and time as the one that was indexed, or the same content. Ids, collections and
    everything else are kept; no model is loaded and no video decoded.
    """
    from indexer.relinking import find_relink

    with compose.open_library(settings) as library:
        before, now = as_indexed(library, old), os.path.abspath(new)
        if not os.path.lexists(now):
            raise CommandError(f"{printable(new)}: {absent_text(now, 'no such file or folder')}", MISSING)
        found = find_relink(library, before, now)
        if not (found.videos or found.failures or found.unfit or found.vanished):
            raise CommandError(f"the library has nothing in {display_path(before)}", MISSING)
        if not dry_run:
            library.relink(found.videos, vanished=found.vanished)
            library.move_failures(found.failures)
    if as_json:
        print_json(
            {
                "old": before,
                "new": now,
                "dry_run": dry_run,
                "videos": len(found.videos),
                "failures": len(found.failures),
                "unfit": [{"path": path, "reason": reason} for path, reason in found.unfit],
            }
        )
    else:
        what = count_text(len(found.videos), "video")
        if found.failures:
            what += f" and {count_text(len(found.failures), 'failed file')}"
        click.echo(f"{'to be relinked' if dry_run else 'relinked'}: {what}")
        if found.unfit:
            click.echo("do not match, and keep their old location:")
            for line in table([(display_path(path), reason) for path, reason in found.unfit], "<<"):
                click.echo(f"  {line}")
    if found.unfit:
        raise click.exceptions.Exit(FAILED)
