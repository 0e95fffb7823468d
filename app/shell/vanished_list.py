"""The list of vanished videos, of which the library keeps what it knows for a while."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from app.shell.terminal import display_path, print_json, print_note, print_paths, table

if TYPE_CHECKING:
    from db.library import Library
    from db.vanished import VanishedVideo


def print_vanished(library: Library, below: str | None, *, paths: bool, null: bool, as_json: bool) -> None:
    """Print the vanished videos below a folder: when they vanished, and the last place of their files."""
    found = library.vanished_videos(below)
    if paths or null:
        print_paths((each.path for each in found), null=null)
    elif as_json:
        print_json([_record(each) for each in found])
    elif found:
        rows = [(_moment(each.vanished_at), display_path(each.path)) for each in found]
        for line in table(rows, "<<", header=["vanished", "file"]):
            click.echo(line)
    else:
        print_note("nothing has vanished")


def _record(video: VanishedVideo) -> dict[str, Any]:
    return {"id": video.video_id, "path": video.path, "vanished_at": video.vanished_at, "status": "vanished"}


def _moment(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds):%Y-%m-%d %H:%M}"
