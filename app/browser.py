"""The server behind the page: Streamlit, with routes of our own for posters, previews and the videos themselves.

Media are looked up by id, never by path, and sent from disk in ranges; Streamlit's own would be kept in memory whole.
Only names of this machine are answered, so that no other web page can reach the videos through a rebound name.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from app.compose import DEVICE_VARIABLE, ENCODER_VARIABLE, LIBRARY_VARIABLE, Settings

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from db.library import Library
    from db.records import Segment, Video

HOSTS = ("127.0.0.1", "localhost")


def media_routes(library: Library) -> list[Route]:
    """`/api/poster/ID` and `/api/preview/ID` of a segment, `/api/video/ID` of the video that a segment lies in."""
    from starlette.routing import Route

    return [
        Route("/api/poster/{segment:int}", _sender(library, lambda s, v: library.poster_path(v, s.number))),
        Route("/api/preview/{segment:int}", _sender(library, lambda s, v: library.preview_path(v, s.number))),
        Route("/api/video/{segment:int}", _sender(library, lambda s, v: Path(v.path))),
    ]


def _sender(library: Library, place: Callable[[Segment, Video], Path]) -> Callable[[Request], Response]:
    """An endpoint that sends the file of a segment, in ranges if asked to."""
    from starlette.responses import FileResponse, PlainTextResponse

    def send(request: Request) -> Response:
        found = library.segments([request.path_params["segment"]])
        if not found:
            return PlainTextResponse("there is no such segment", 404)
        ((segment, video),) = found.values()
        path = place(segment, video)
        if not path.is_file():
            return PlainTextResponse("the file is not there now; is its drive connected?", 404)
        return FileResponse(path, headers={"Cache-Control": "private, max-age=3600"})

    return send


def serve(settings: Settings, library: Library, *, port: int, open_browser: bool) -> None:
    """Run the page of this library until it is stopped."""
    import streamlit
    from starlette.middleware import Middleware
    from starlette.middleware.trustedhost import TrustedHostMiddleware

    # The page's script is run anew at each interaction and reads its settings as every command does.
    os.environ[LIBRARY_VARIABLE] = str(settings.library)
    os.environ[DEVICE_VARIABLE] = settings.device
    if settings.encoder is not None:
        os.environ[ENCODER_VARIABLE] = settings.encoder
    app = streamlit.App(
        Path(__file__).parent / "page.py",
        routes=media_routes(library),
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=list(HOSTS))],
    )
    app.run(
        config={
            "server.address": "127.0.0.1",
            "server.port": port,
            "server.headless": not open_browser,
            "browser.gatherUsageStats": False,
            "server.showEmailPrompt": False,
            "server.fileWatcherType": "none",
            "client.toolbarMode": "minimal",
        }
    )
