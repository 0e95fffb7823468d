"""Posters, previews and videos over HTTP: looked up by id, never by path, and sent from disk in ranges.

Streamlit's own media functions would keep whole files in memory.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from app.web.http.errors import ApiError
from app.web.http.file_sending import send_file, video_type
from app.web.http.requests import ApiRequest
from app.web.http.routes import route
from app.web.services.segment_cache import Lookups, Place
from app.web.services.source_check import SourceCheck

if TYPE_CHECKING:
    from starlette.responses import Response
    from starlette.routing import Route

    from db.library import Library


def media_routes(library: Library, lookups: Lookups, check: SourceCheck) -> list[Route]:
    """`/api/poster/ID` and `/api/preview/ID` of a segment, `/api/video/ID` of the video that a segment lies in."""
    media = library.directory / "media"

    def sender(choose: Callable[[Place], Path], media_type: str) -> Callable[[ApiRequest], Response]:
        def send(request: ApiRequest) -> Response:
            segment = request.id("segment")
            for fresh in (False, True):  # a file that went because its video was indexed again has a successor
                place = lookups.place(segment, fresh=fresh)
                try:
                    # Asked again each time (and 304 then): another library has other posters at the same address.
                    return send_file(request, choose(place), media_type=media_type, max_age_seconds=0, inside=media)
                except ApiError as problem:
                    if problem.status != 404 or fresh:
                        raise
            raise AssertionError

        return send

    def send_video(request: ApiRequest) -> Response:
        video = lookups.place(request.id("segment"), fresh=True).video

        def unchanged(info: os.stat_result) -> None:
            check.require(video, info)

        return send_file(request, video.path, media_type=video_type(video.path), max_age_seconds=0, check=unchanged)

    return [
        route("/api/poster/{segment}", sender(lambda place: place.poster, "image/jpeg")),
        route("/api/preview/{segment}", sender(lambda place: place.preview, "video/mp4")),
        route("/api/video/{segment}", send_video),
    ]
