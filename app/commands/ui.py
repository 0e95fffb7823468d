"""`prismsearch ui`: the page in the browser."""

from __future__ import annotations

import time

import click

from app import compose
from app.compose import Settings
from app.shell.errors import CommandError
from app.shell.exit_codes import MISSING
from app.shell.options import Whole, with_settings
from app.web.address import ADDRESS, DEFAULT_PORT


@click.command(
    epilog="""\b
Examples:
  prismsearch ui
  prismsearch ui --port 8600 --no-browser
  prismsearch ui --url

\b
The page can be reached from this machine only (127.0.0.1), and only by browsers that open it with a
private address: `ui` opens a browser with one, `ui --url` prints one for another browser. Stop it with
Ctrl-C.""",
)
@click.option(
    "--port",
    type=Whole(1, 65535),
    help=f"Port of the page; by default {DEFAULT_PORT}, or the next free one.",
)
@click.option("--browser/--no-browser", default=True, help="Open a browser (the default), or only print the address.")
@click.option(
    "--url", "only_url", is_flag=True, help="Print an address that admits one browser to the running page, and exit."
)
@click.option("--no-token", is_flag=True, help="Admit every user and program on this machine.")
@with_settings
def ui(settings: Settings, port: int | None, browser: bool, only_url: bool, no_token: bool) -> None:
    """Search the library in the browser: type words, see posters, play the shot, keep and export clips.

    If there is no library yet, the page starts with an empty one and shows how to fill it.
    """
    if only_url:
        click.echo(entry_address(settings, port))
        return
    from app.web.server import serve

    with compose.open_library(settings, create=True) as library:
        serve(settings, library, port=port, open_browser=browser, ask_token=not no_token)


def entry_address(settings: Settings, port: int | None) -> str:
    """Return an address that lets one browser into the page of the settings' library.

    Args:
        settings: Their `library` is the library.
        port: The port of the page; None for the one that was started last.

    Raises:
        CommandError: No page of this library runs.
        LibraryError: The library cannot be opened.
    """
    from app.web.http.access import new_token
    from app.web.services.open_pages import open_pages
    from app.web.services.page_secret import page_folder, page_secret

    with compose.open_library(settings) as library:
        folder = page_folder(compose.state_directory(), library.directory)
        pages = [page for page in open_pages(folder, library.id) if port in (None, page.port)]
        if not pages:
            raise CommandError(
                "no page with private addresses is running for this library; prismsearch ui starts one", MISSING
            )
        token = new_token(page_secret(folder, library.id), pages[0].server, now=time.time())
    return f"http://{ADDRESS}:{pages[0].port}/?token={token}"
