"""The web server: Streamlit plus our routes, on the loopback address or, for several people, on a network."""

from __future__ import annotations

import logging
import os
import secrets
import signal
import socket
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app import compose
from app.compose import (
    DEVICE_VARIABLE,
    ENCODER_VARIABLE,
    LIBRARY_VARIABLE,
    PRECISION_VARIABLE,
    Settings,
    state_directory,
)
from app.jobs.jobs import Jobs
from app.media_workers import MediaWorkers, ReadMedia, read_here
from app.shell.terminal import print_note
from app.web.address import ADDRESS, DEFAULT_PORT, listen
from app.web.api.collections import collection_routes
from app.web.api.deepening import deepening_routes
from app.web.api.examples import example_routes
from app.web.api.exports import export_routes
from app.web.api.folders import folder_routes
from app.web.api.library import library_routes
from app.web.api.map import map_routes
from app.web.api.media import media_routes
from app.web.api.moments import moment_routes
from app.web.api.proxies import proxy_routes
from app.web.api.questions import question_routes
from app.web.api.runs import run_routes
from app.web.api.searches import search_routes
from app.web.api.segments import segment_routes
from app.web.api.text import text_routes
from app.web.api.workers import worker_routes
from app.web.http.access import Access, AccessMiddleware, new_token
from app.web.http.errors import ApiError
from app.web.http.front_end_files import FrontEndFiles
from app.web.http.malformed import is_worth_telling
from app.web.http.people_access import PERSON_HEADER
from app.web.http.requests import ApiRequest
from app.web.http.routes import route
from app.web.http.security import SecurityMiddleware, inline_scripts_of
from app.web.http.streamlit_page import front_end_folder, page_html, page_routes
from app.web.http.without_uploads import WithoutUploads
from app.web.network import Network, guards, print_reach, require_people
from app.web.pages.loading import load_pages, shared_engine
from app.web.pages.session import PERSON
from app.web.pages.theme import theme_options
from app.web.services.deepening import Deepening
from app.web.services.examples import Examples
from app.web.services.moments import Moments
from app.web.services.open_files import raise_open_files_limit
from app.web.services.open_pages import announced, open_in_browser, redirect_file, sweep_redirects, this_page
from app.web.services.page_secret import page_folder, page_secret
from app.web.services.proxies import Proxies
from app.web.services.segment_cache import SegmentCache
from app.web.services.source_check import SourceCheck

if TYPE_CHECKING:
    import streamlit
    from starlette.routing import Route

    from db.library import Library
    from search.engines import Engine

_SHUTDOWN_SECONDS = 2
_OPTIONS: dict[str, Any] = {
    "browser.gatherUsageStats": False,
    "browser.serverAddress": ADDRESS,
    "client.showErrorDetails": "none",
    "client.showErrorLinks": False,
    "client.toolbarMode": "minimal",
    "logger.hideWelcomeMessage": True,
    "runner.postScriptGC": False,  # a full collection after each rerun; Python collects anyway
    "server.address": ADDRESS,
    # Until then, a closed tab holds three open files; at the usual 120 s, 80 loads use up the 256 of macOS for good.
    "server.disconnectedSessionTTL": 10,
    "server.enableCORS": True,
    "server.enableXsrfProtection": True,
    "server.fileWatcherType": "none",
    "server.headless": True,  # `serve` opens the browser
    "server.maxUploadSize": 1,  # MiB, held in memory; our uploads use /api/examples
    "server.showEmailPrompt": False,
}


def make_app(
    settings: Settings,
    library: Library,
    *,
    access: Access | None,
    network: Network | None = None,
    started: Callable[[], None] | None = None,
    port: int = DEFAULT_PORT,
) -> streamlit.App:
    """Return Streamlit and all our routes as one ASGI app.

    A process can have only one, because Streamlit's options are global. The settings are also written to the
    environment, from which the page's script reads them.

    Args:
        settings: Library, encoder, device and programs to use.
        library: The open library of the settings. The caller closes it after the app has stopped.
        access: Cookies and tokens of the page's person; None lets everybody on this machine in.
        network: Where several people reach the page, who then log in; None: it is for one person on this machine.
        started: Called once the server listens.
        port: Port on which the app will be served.

    Returns:
        A Streamlit app behind the middleware for security and access.

    Raises:
        CommandError: People cannot log in, because the extra `server` is not installed.
    """
    import streamlit
    from starlette.concurrency import run_in_threadpool
    from starlette.middleware import Middleware
    from streamlit import config

    _hand_to_script(settings)
    options = {**_OPTIONS, **theme_options(), "server.port": port}
    if network is not None:  # Streamlit then binds its sessions to people
        options["server.trustedUserHeaders"] = {PERSON_HEADER: PERSON}
    config.get_config_options(force_reparse=True, options_from_flags=options)

    read = MediaWorkers()
    proxies = Proxies(library.directory / "proxies", ffmpeg=settings.ffmpeg, read=read)
    deepening = Deepening(library, shared_engine, read)

    @asynccontextmanager
    async def lifespan(_: streamlit.App) -> AsyncIterator[dict[str, Any]]:
        if started is not None:
            started()
        try:
            yield {}
        finally:
            read.close()
            await run_in_threadpool(proxies.stop)
            await run_in_threadpool(deepening.stop)

    page = page_html()
    inline_scripts = inline_scripts_of(page)
    if network is not None:
        before = guards(library, network, inline_scripts)
    else:
        own = [] if access is None else [Middleware(AccessMiddleware, access=access)]
        before = [Middleware(SecurityMiddleware, inline_scripts=inline_scripts), *own]
    return streamlit.App(
        Path(__file__).parents[1] / "page.py",
        lifespan=lifespan,
        routes=[*page_routes(page), *our_routes(settings, library, proxies, read, shared_engine, deepening)],
        middleware=[*before, Middleware(WithoutUploads), Middleware(FrontEndFiles, streamlit=front_end_folder())],
    )


def _hand_to_script(settings: Settings) -> None:
    os.environ[LIBRARY_VARIABLE] = settings.place
    os.environ[DEVICE_VARIABLE] = settings.device
    os.environ[PRECISION_VARIABLE] = settings.precision
    if settings.encoder is not None:
        os.environ[ENCODER_VARIABLE] = settings.encoder


def our_routes(
    settings: Settings,
    library: Library,
    proxies: Proxies,
    read: ReadMedia = read_here,
    open_engine: Callable[[], Engine] | None = None,
    deepening: Deepening | None = None,
) -> list[Route]:
    """Return all routes under /api/.

    Args:
        settings: Passed on to the jobs that routes start.
        library: The library that routes read and change.
        proxies: The proxies of this server.
        read: Calls the functions that read media.
        open_engine: Returns the engine of the pages, up to date; None for one of the routes' own.
        deepening: That of this server; None for one by this engine.
    """
    opened = cache(partial(compose.open_engine, settings, library))

    def own_engine() -> Engine:
        engine = opened()
        engine.refresh()
        return engine

    segments, check, jobs = SegmentCache(library), SourceCheck(library), Jobs(library.directory)

    def no_such_address(request: ApiRequest) -> None:
        raise ApiError(404, "There is no such address.")

    return [
        *media_routes(library, segments, check),
        *segment_routes(library, segments, check, read),
        *moment_routes(segments, Moments(open_engine or own_engine, read)),
        *text_routes(library),
        *proxy_routes(segments, check, proxies),
        *library_routes(library),
        *map_routes(library),
        *example_routes(Examples(library.directory, read=read)),
        *collection_routes(library),
        *search_routes(library, settings.encoder),
        *question_routes(library),
        *deepening_routes(deepening or Deepening(library, open_engine or own_engine, read)),
        *folder_routes(library, jobs),
        *run_routes(settings, library, jobs),
        *worker_routes(library),
        *export_routes(settings, library, jobs, read),
        # Without these, Streamlit would respond with its page. They also handle unsupported methods.
        *(route("/api/{rest:path}", no_such_address, method) for method in ("GET", "POST", "PUT", "PATCH", "DELETE")),
    ]


def serve(settings: Settings, library: Library, *, port: int | None, open_browser: bool, ask_token: bool) -> None:
    """Serve the page of a library until it is stopped with Ctrl-C.

    Args:
        settings: Settings for the page and its jobs.
        library: The open library of the settings; the caller closes it.
        port: Port to listen on; None for DEFAULT_PORT, or the next one that is free.
        open_browser: Open the page in a browser once the server listens.
        ask_token: Let only browsers in that were sent here with a token; False lets every user of this machine in.

    Raises:
        CommandError: The port is taken, no port is free, or the page's secret cannot be used.
    """
    listen(port).close()  # a port that is taken is told at once
    _hand_to_script(settings)
    load_pages()
    with ExitStack() as until_the_end:
        listening = until_the_end.enter_context(listen(port))
        taken = listening.getsockname()[1]
        address = f"http://{ADDRESS}:{taken}"
        access = None
        if ask_token:
            folder = page_folder(state_directory(), library.directory)
            secret, server = page_secret(folder, library.id), secrets.token_hex(16)
            access = Access(secret, library.id, server)
            sweep_redirects(folder)
            until_the_end.enter_context(announced(folder, library.id, this_page(taken, server)))
            entry = f"{address}/?token={new_token(secret, server, now=time.time())}"
            target = until_the_end.enter_context(redirect_file(folder, entry)).as_uri() if open_browser else None
        else:
            entry = target = address

        def started() -> None:
            if port is None and taken != DEFAULT_PORT:
                print_note(f"port {DEFAULT_PORT} is in use, so this is port {taken}")
            _print_address(address, entry)
            if open_browser:  # in a thread, because it may be slow, and print
                threading.Thread(target=open_in_browser, args=(target,), daemon=True).start()

        raise_open_files_limit()
        _run(make_app(settings, library, access=access, started=started, port=taken), listening)


def serve_people(settings: Settings, library: Library, network: Network) -> None:
    """Serve the page of a library to several people, until it is stopped with Ctrl-C.

    Args:
        settings: Settings for the page and its jobs.
        library: The open library of the settings; the caller closes it.
        network: Where the page listens.

    Raises:
        CommandError: Nobody can log in, the extra `server` is not installed, or the port or address cannot be had.
    """
    require_people(library, network)
    with listen(network.port, network.host) as listening:
        _hand_to_script(settings)
        load_pages()

        def started() -> None:
            print_reach(library, network)

        raise_open_files_limit()
        _run(make_app(settings, library, access=None, network=network, started=started, port=network.port), listening)


def _print_address(address: str, entry: str) -> None:
    """Print where the page is. The address with a token is for terminals: elsewhere, it would stay in a log."""
    if entry == address:
        print_note(f"prismsearch is at {address} (Ctrl-C stops it)")
        print_note("every user and program of this machine can use it (--no-token)")
    elif sys.stderr.isatty():
        print_note(f"prismsearch is at {entry} (Ctrl-C stops it)")
        print_note("this address lets one browser in, within an hour; prismsearch ui --url prints another")
    else:
        print_note(f"prismsearch is at {address} (Ctrl-C stops it)")
        print_note("prismsearch ui --url prints an address that lets a browser in")


def _run(app: streamlit.App, listening: socket.socket) -> None:
    import uvicorn

    from app.web.http.waiting_connections import bounded_protocol

    class Server(uvicorn.Server):
        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            """Abort connections that are not being read, such as a paused player's; they would delay the end."""
            for connection in list(self.server_state.connections):
                if getattr(getattr(connection, "flow", None), "write_paused", False):
                    connection.transport.abort()
            await super().shutdown(sockets)

    server = Server(
        uvicorn.Config(
            app,
            http=bounded_protocol(),
            access_log=False,
            log_level="warning",
            proxy_headers=False,  # app.web.http.peers reads them, from our own proxies only
            server_header=False,
            ws="websockets-sansio",
            ws_max_size=32 << 20,
            ws_per_message_deflate=False,
            timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
        )
    )
    logging.getLogger("uvicorn.error").addFilter(is_worth_telling)
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, server.handle_exit)  # closing the terminal is as Ctrl-C
    try:
        server.run(sockets=[listening])
    except KeyboardInterrupt:  # re-raised by uvicorn once everything has stopped
        print_note("stopped")
