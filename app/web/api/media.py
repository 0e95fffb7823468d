"""Routes for posters, previews and videos: looked up by segment id, never by path, and sent from disk in ranges.

Streamlit's own media functions would hold whole files in memory.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from app.web.http.errors import ApiError
from app.web.http.file_response import file_response, video_type
from app.web.http.requests import ApiRequest
from app.web.http.routes import route
from app.web.services.segment_cache import SegmentCache, SegmentFiles
from app.web.services.source_check import SourceCheck

if TYPE_CHECKING:
    from starlette.responses import Response
    from starlette.routing import Route

    from db.library import Library

POSTER_ROUTE = "/api/poster/{segment}"


def media_routes(library: Library, segments: SegmentCache, check: SourceCheck) -> list[Route]:
    """Return the routes for media of a segment.

    Args:
        library: The library with the media.
        segments: Cache of segments.
        check: Ensures that only indexed content is sent from source files.

    Returns:
        POSTER_ROUTE and `/api/preview/{segment}` for the segment's own files, `/api/video/{segment}` for the source
        file that it is part of.
    """
    media = library.media_directory

    def sender(path_of: Callable[[SegmentFiles], Path], media_type: str) -> Callable[[ApiRequest], Response]:
        def send(request: ApiRequest) -> Response:
            segment_id = request.id("segment")
            for fresh in (False, True):  # a re-indexed video has new files
                found = segments.get(segment_id, fresh=fresh)
                try:
                    # Browsers revalidate each time (and get 304): another library has other posters at the same URL.
                    path = path_of(found)
                    return file_response(request, path, media_type=media_type, max_age_seconds=0, inside=media)
                except ApiError as problem:
                    if problem.status != 404 or fresh:
                        raise
            raise AssertionError

        return send

    def send_video(request: ApiRequest) -> Response:
        video = check.reachable(segments.get(request.id("segment"), fresh=True).video)

        def unchanged(info: os.stat_result) -> None:
            check.require_unchanged(video, info)

        return file_response(request, video.path, media_type=video_type(video.path), max_age_seconds=0, check=unchanged)

    return [
        route(POSTER_ROUTE, sender(lambda found: found.poster, "image/jpeg")),
        route("/api/preview/{segment}", sender(lambda found: found.preview, "video/mp4")),
        route("/api/video/{segment}", send_video),
    ]
