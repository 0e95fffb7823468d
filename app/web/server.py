"""The server behind the page: Streamlit, with routes of our own beside it, for this machine only."""

from __future__ import annotations

import errno
import os
import socket
import threading
import webbrowser
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.compose import DEVICE_VARIABLE, ENCODER_VARIABLE, LIBRARY_VARIABLE, PRECISION_VARIABLE, Settings
from app.jobs.jobs import Jobs
from app.shell.errors import CommandError
from app.shell.options import MISSING
from app.shell.terminal import say
from app.web.api.assets import asset_routes
from app.web.api.collections import collection_routes
from app.web.api.examples import example_routes
from app.web.api.exports import export_routes
from app.web.api.library import library_routes
from app.web.api.map import map_routes
from app.web.api.media import media_routes
from app.web.api.proxies import proxy_routes
from app.web.api.runs import run_routes
from app.web.api.searches import search_routes
from app.web.api.segments import segment_routes
from app.web.http.errors import ApiError
from app.web.http.requests import ApiRequest
from app.web.http.routes import route
from app.web.http.security import SecurityMiddleware
from app.web.pages.theme import theme_options
from app.web.services.examples import Examples
from app.web.services.proxies import Proxies
from app.web.services.segment_cache import SegmentCache
from app.web.services.source_check import SourceCheck

if TYPE_CHECKING:
    import streamlit
    from starlette.routing import Route

    from db.library import Library

ADDRESS = "127.0.0.1"
_PORTS_TRIED = 50
_STOPPING_SECONDS = 2
_OPTIONS: dict[str, Any] = {
    "browser.gatherUsageStats": False,
    "browser.serverAddress": ADDRESS,
    "client.showErrorDetails": "none",
    "client.showErrorLinks": False,
    "client.toolbarMode": "minimal",
    "logger.hideWelcomeMessage": True,
    "server.address": ADDRESS,
    "server.enableCORS": True,
    "server.enableXsrfProtection": True,
    "server.fileWatcherType": "none",
    "server.headless": True,  # who opens the browser is `serve`
    "server.maxUploadSize": 1,  # MiB, held in memory: files come through /api/examples
    "server.showEmailPrompt": False,
}


def make_app(
    settings: Settings, library: Library, *, started: Callable[[], None] | None = None, port: int = 8501
) -> streamlit.App:
    """The page and every route of ours as one ASGI app. One a process, because Streamlit's options are global.

    started: called once the server listens. Whoever opened the library closes it, after the app has stopped.
    """
    import streamlit
    from starlette.concurrency import run_in_threadpool
    from starlette.middleware import Middleware
    from streamlit import config

    # The page's script is run anew at each interaction and reads its settings as every command does.
    os.environ[LIBRARY_VARIABLE] = str(settings.library)
    os.environ[DEVICE_VARIABLE] = settings.device
    os.environ[PRECISION_VARIABLE] = settings.precision
    if settings.encoder is not None:
        os.environ[ENCODER_VARIABLE] = settings.encoder
    options = {**_OPTIONS, **theme_options(), "server.port": port}
    config.get_config_options(force_reparse=True, options_from_flags=options)

    proxies = Proxies(library.directory / "proxies", ffmpeg=settings.ffmpeg)

    @asynccontextmanager
    async def running(_: streamlit.App) -> AsyncIterator[dict[str, Any]]:
        if started is not None:
            started()
        try:
            yield {}
        finally:
            await run_in_threadpool(proxies.stop)

    return streamlit.App(
        Path(__file__).parents[1] / "page.py",
        lifespan=running,
        routes=our_routes(settings, library, proxies),
        middleware=[Middleware(SecurityMiddleware)],
    )


def our_routes(settings: Settings, library: Library, proxies: Proxies) -> list[Route]:
    """Everything under /api/."""
    segments, check, runs = SegmentCache(library), SourceCheck(), Jobs(library.directory)

    def nothing(request: ApiRequest) -> None:
        raise ApiError(404, "There is no such address.")

    return [
        *asset_routes(),
        *media_routes(library, segments, check),
        *segment_routes(library, segments, check),
        *proxy_routes(segments, check, proxies),
        *library_routes(library),
        *map_routes(library),
        *example_routes(Examples(library.directory)),
        *collection_routes(library),
        *search_routes(library),
        *run_routes(library, runs),
        *export_routes(settings, library, runs),
        # Else Streamlit would answer with its page. Methods that a route does not have end up here as well.
        *(route("/api/{rest:path}", nothing, method) for method in ("GET", "POST", "PUT", "PATCH", "DELETE")),
    ]


def serve(settings: Settings, library: Library, *, port: int | None, open_browser: bool) -> None:
    """Run the page of this library until it is stopped. port None: 8501, or the next that is free.

    Raises CommandError where the port that was asked for is taken.
    """
    import uvicorn

    listening = listen(port)
    taken = listening.getsockname()[1]
    address = f"http://{ADDRESS}:{taken}"

    def started() -> None:
        if port is None and taken != DEFAULT_PORT:
            say(f"port {DEFAULT_PORT} is in use, so this is port {taken}")
        say(f"prismsearch is at {address} (Ctrl-C stops it)")
        if open_browser:  # may take its time, and may print what it likes
            threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()

    app = make_app(settings, library, started=started, port=taken)

    class Server(uvicorn.Server):
        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            """A player that is paused takes nothing for as long as it likes; nobody waits for that."""
            for connection in list(self.server_state.connections):
                if getattr(getattr(connection, "flow", None), "write_paused", False):
                    connection.transport.abort()
            await super().shutdown(sockets)

    server = Server(
        uvicorn.Config(
            app,
            access_log=False,
            log_level="warning",
            server_header=False,
            ws="websockets-sansio",
            ws_max_size=32 << 20,
            ws_per_message_deflate=False,
            timeout_graceful_shutdown=_STOPPING_SECONDS,
        )
    )
    try:
        server.run(sockets=[listening])
    except KeyboardInterrupt:  # raised again by uvicorn when everything has stopped
        say("stopped")
    finally:
        listening.close()


DEFAULT_PORT = 8501


def listen(port: int | None) -> socket.socket:
    """A socket that listens on this machine's own address. None: on the first free port from DEFAULT_PORT.

    Raises CommandError where there is none, or the one asked for is taken.
    """
    for candidate in range(DEFAULT_PORT, DEFAULT_PORT + _PORTS_TRIED) if port is None else (port,):
        # TCP by name: only then does asyncio send at once what is written, instead of waiting 40 ms for more.
        found = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            if os.name != "nt":  # there it would let two programs have one port
                found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            found.bind((ADDRESS, candidate))
            found.listen(2048)
            found.setblocking(False)
            return found
        except OSError as error:
            found.close()
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise
    if port is None:
        last = DEFAULT_PORT + _PORTS_TRIED - 1
        raise CommandError(f"all ports from {DEFAULT_PORT} to {last} are in use; name a free one with --port", MISSING)
    raise CommandError(
        f"port {port} cannot be had (in use, or reserved); choose another --port, or none for the next free one",
        MISSING,
    )
