"""Posters, previews and videos over HTTP: looked up by id, never by path, and sent from disk in ranges.

Streamlit's own media functions would keep whole files in memory.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from db.library import Library
    from db.records import Segment, Video


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
