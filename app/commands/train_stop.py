"""`prismsearch train stop`: let a run save and end, from another terminal."""

from __future__ import annotations

import click

from app.commands.train_run import STOP_FILE
from app.commands.train_session import existing_run, train_errors
from app.shell.errors import NothingDone
from app.shell.options import PathWord, json_option
from app.shell.terminal import print_json, printable


@click.command(
    "stop",
    epilog="""\b
Examples:
  prismsearch train stop zorps

\b
The run saves after the step that it is in, and ends. `prismsearch train run zorps` goes on with it.""",
)
@click.argument("run", metavar="RUN", type=PathWord())
@json_option()
def train_stop(run: str, as_json: bool) -> None:
    """Ask the process that trains in RUN to save and end."""
    from files.replace import replace_file

    with train_errors():
        folder = existing_run(run)
        if not folder.is_locked():
            raise NothingDone(f"no process trains in {printable(run)}")
        replace_file(folder.path / STOP_FILE, b"")
    if as_json:
        print_json({"run": str(folder.path), "stopping": True})
    else:
        click.echo(f"{printable(run)} saves after the step that it is in, and ends")
