"""`prismsearch`: the group of commands, and the one place where errors become a line and an exit code.

Importing this costs no more than click: each command imports what is heavy in its own body.
"""

from __future__ import annotations

import io
import sys
from typing import Any

import click

from app.commands.bench import bench
from app.commands.demo import demo
from app.commands.doctor import doctor
from app.commands.export import export
from app.commands.fetch_model import fetch_model
from app.commands.index import index, retry
from app.commands.library import info, list_videos, remove, stats
from app.commands.runs import runs
from app.commands.search_words import search
from app.commands.similar import similar
from app.commands.ui import ui
from app.shell.errors import command_errors
from app.shell.options import EXIT_CODES, global_options


class Shell(click.Group):
    """A group whose commands may raise what the rooms raise: each becomes one line; --debug shows the traceback."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order in which a newcomer meets them, not by letter."""
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command. What click knows (usage errors, exits, closed pipes) passes; the rest is translated."""
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):  # a name that the terminal's encoding lacks is shown escaped
                stream.reconfigure(errors="backslashreplace")
        with command_errors("prismsearch", debug=bool(ctx.params.get("debug"))):
            return super().invoke(ctx)


def show_version(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    """Callback of --version; a source tree that was never installed has none."""
    if not value or ctx.resilient_parsing:
        return
    from importlib.metadata import PackageNotFoundError, version

    try:
        click.echo(f"prismsearch {version('prismsearch')}")
    except PackageNotFoundError:
        click.echo("prismsearch (source tree, not installed)")
    ctx.exit()


@click.group(
    cls=Shell,
    epilog=EXIT_CODES,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=show_version, help="Say the version."
)
@global_options
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def main(**_: Any) -> None:
    """Find the shot: search your videos by words or by example, on your own machine.

    \b
    Examples:
      prismsearch demo                           try it on the bundled demo library
      prismsearch fetch-model                    get the real encoder (about 1 GB, once)
      prismsearch index ~/Videos                 cut into shots, embed, remember
      prismsearch search "a dog on the beach"    by words
      prismsearch similar film.mp4@1:20-1:25     by example
      prismsearch ui                             the same in the browser
      prismsearch export "sunset" --to clips     the hits as files

    --library, --encoder, --device and --precision may stand before or after the command.
    """


for command in (
    demo, fetch_model, index, search, similar, ui, export, list_videos, info, stats, remove, retry, runs, doctor, bench,
):  # fmt: skip
    main.add_command(command)
