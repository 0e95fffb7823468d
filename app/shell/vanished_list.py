"""The list of vanished videos, of which the library keeps what it knows for a while."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click

from app.shell.terminal import display_path, print_json, print_note, print_paths, table

if TYPE_CHECKING:
    from db.library import Library


def print_vanished(library: Library, below: str | None, *, paths: bool, as_json: bool) -> None:
    """Print the vanished videos below a folder: when they vanished, and the last place of their files."""
    found = library.vanished_videos(below)
    if paths:
        print_paths(each.path for each in found)
    elif as_json:
        print_json([{"path": each.path, "vanished_at": each.vanished_at, "status": "vanished"} for each in found])
    elif found:
        rows = [(_moment(each.vanished_at), display_path(each.path)) for each in found]
        for line in table(rows, "<<", header=["vanished", "file"]):
            click.echo(line)
    else:
        print_note("nothing has vanished")


def _moment(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds):%Y-%m-%d %H:%M}"
