"""`prismsearch ui`: the page in the browser."""

from __future__ import annotations

import re
import time

import click
from click.core import ParameterSource

from app import compose
from app.compose import Settings
from app.shell.errors import CommandError
from app.shell.exit_codes import MISSING
from app.shell.options import Whole, with_settings
from app.web.address import ADDRESS, DEFAULT_PORT, host_and_port

HOST_NAMES_VARIABLE = "PRISMSEARCH_HOST_NAMES"
PROXIES_VARIABLE = "PRISMSEARCH_PROXIES"


@click.command(
    epilog="""\b
Examples:
  prismsearch ui
  prismsearch ui --port 8600 --no-browser
  prismsearch ui --url
  prismsearch ui --listen 0.0.0.0:8501     for the people of `prismsearch people`, who log in

\b
The page can be reached from this machine only (127.0.0.1), and only by browsers that open it with a
private address: `ui` opens a browser with one, `ui --url` prints one for another browser. Stop it with
Ctrl-C. With --listen it is for several people over a network: docs/network.md.""",
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
@click.option("--listen", metavar="HOST:PORT", help="Listen for several people, who log in; refused while nobody can.")
@click.option(
    "--host-name",
    "names",
    metavar="NAME",
    multiple=True,
    envvar=HOST_NAMES_VARIABLE,
    help=f"With --listen: a name by which browsers know the page (or ${HOST_NAMES_VARIABLE}, apart by spaces).",
)
@click.option(
    "--proxy",
    "proxies",
    metavar="ADDRESS",
    multiple=True,
    envvar=PROXIES_VARIABLE,
    help="With --listen: address or network of a reverse proxy, whose X-Forwarded headers are believed "
    f"(or ${PROXIES_VARIABLE}, apart by spaces).",
)
@click.option(
    "--person-header",
    "header",
    metavar="NAME",
    default="",
    help="With --proxy: the header in which it names the person who is logged in there.",
)
@with_settings
def ui(
    settings: Settings,
    port: int | None,
    browser: bool,
    only_url: bool,
    no_token: bool,
    listen: str | None,
    names: tuple[str, ...],
    proxies: tuple[str, ...],
    header: str,
) -> None:
    """Search the library in the browser: type words, see posters, play the shot, keep and export clips.

    If there is no library yet, the page starts with an empty one and shows how to fill it.
    """
    if only_url:
        click.echo(entry_address(settings, port))
        return
    typed = click.get_current_context().get_parameter_source
    if listen is None and any(typed(name) is ParameterSource.COMMANDLINE for name in ("names", "proxies", "header")):
        raise click.UsageError("--host-name, --proxy and --person-header belong to --listen")
    if listen is not None:
        _listen(settings, listen, names, proxies, header)
        return
    from app.web.server import serve

    with compose.open_library(settings, create=True) as library:
        serve(settings, library, port=port, open_browser=browser, ask_token=not no_token)


def _listen(settings: Settings, listen: str, names: tuple[str, ...], proxies: tuple[str, ...], header: str) -> None:
    """Serve the page to several people. Raises click.UsageError for options that contradict each other."""
    typed = click.get_current_context().get_parameter_source
    if any(typed(name) is ParameterSource.COMMANDLINE for name in ("port", "no_token")):
        raise click.UsageError("--port and --no-token do not go with --listen, which names the port")
    if header and not proxies:
        raise click.UsageError("--person-header needs --proxy: a header of anybody else would let everybody in")
    if header and not re.fullmatch(r"[A-Za-z0-9-]+", header):
        raise click.UsageError(f"{header} is not the name of a header, such as X-Remote-User")
    from app.web.http.peers import Peers

    try:
        host, port = host_and_port(listen)
        Peers(proxies)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    from app.web.network import Network
    from app.web.server import serve_people

    network = Network(host=host, port=port, names=names, proxies=proxies, header=header)
    with compose.open_library(settings) as library:
        serve_people(settings, library, network)


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
