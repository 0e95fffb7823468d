"""`prismsearch ui`: the page in the browser."""

from __future__ import annotations

import click

from app import compose
from app.compose import Settings
from app.shell.options import with_settings
from app.web.address import DEFAULT_PORT


@click.command(
    epilog="""\b
Examples:
  prismsearch ui
  prismsearch ui --port 8600 --no-browser

\b
The page answers this machine only (127.0.0.1). Stop it with Ctrl-C.""",
)
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    help=f"Where the page listens; by default {DEFAULT_PORT}, or the next that is free.",
)
@click.option("--no-browser", is_flag=True, help="Only print the address.")
@with_settings
def ui(settings: Settings, port: int | None, no_browser: bool) -> None:
    """Search the library in the browser: type words, see posters, play the shot, keep and export clips.

    Where there is no library yet, the page begins with an empty one and shows how to fill it.
    """
    from app.web.server import serve

    with compose.open_library(settings, create=True) as library:
        serve(settings, library, port=port, open_browser=not no_browser)
