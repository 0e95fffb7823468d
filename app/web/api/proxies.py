"""Routes for proxies: request one, follow its progress, play it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.web.http.errors import ApiError
from app.web.http.file_response import file_response
from app.web.http.requests import ApiRequest
from app.web.http.routes import route
from app.web.services.proxies import Proxies, ProxyRange, ProxyState, proxy_range
from app.web.services.segment_cache import SegmentCache
from app.web.services.source_check import SourceCheck

if TYPE_CHECKING:
    from starlette.responses import Response
    from starlette.routing import Route

    from db.records import Video

_PLAYED = frozenset((b"avc1", b"avc3", b"mp4a", b"tmcd", b"text", b"gpmd", b"rtmd", b"fdsc", b"djmd", b"dbgi"))
"""Sample entries of tracks that all browsers play, or ignore."""


def proxy_routes(segments: SegmentCache, check: SourceCheck, proxies: Proxies) -> list[Route]:
    """Return the routes `/api/proxy/{segment}` (POST requests the proxy, GET returns its state), `/file` and `/camera`.

    The small copy that a camera recorded beside a film serves as its proxy, without any work.
    """

    def range_of(request: ApiRequest) -> ProxyRange:
        found = segments.get(request.id("segment"))
        return proxy_range(found.segment, check.reachable(found.video))

    def as_json(request: ApiRequest, state: ProxyState) -> dict[str, Any]:
        ready = state.state == "ready"
        return {
            "state": state.state,
            "progress": state.progress,
            "url": f"/api/proxy/{request.id('segment')}/file" if ready else None,
            "offset": state.offset,
            "duration": state.duration,
            "error": state.error,
        }

    def start(request: ApiRequest) -> dict[str, Any]:
        found = segments.get(request.id("segment"), fresh=True)
        video = check.reachable(found.video)
        wanted = proxy_range(found.segment, video)
        state = proxies.state(wanted)
        if state.state == "none":
            check.require_unchanged(video, os.stat(video.path))
            if camera_copy(video) is not None:
                ready = ProxyState(state="ready", progress=1.0, duration=video.duration_seconds)
                return as_json(request, ready) | {"url": f"/api/proxy/{request.id('segment')}/camera"}
            state = proxies.request(wanted)
        return as_json(request, state)

    def state(request: ApiRequest) -> dict[str, Any]:
        return as_json(request, proxies.state(range_of(request)))

    def send(request: ApiRequest) -> Response:
        path = proxies.file(range_of(request))
        if not path.is_file():
            raise ApiError(404, "This copy no longer exists; open the video again.")
        return file_response(request, path, media_type="video/mp4", max_age_seconds=0, inside=proxies.directory)

    def send_camera_copy(request: ApiRequest) -> Response:
        video = check.reachable(segments.get(request.id("segment"), fresh=True).video)
        path = camera_copy(video)
        if path is None:
            raise ApiError(404, "The camera's small copy no longer exists; open the video again.")
        folder = Path(path).parent
        return file_response(request, path, media_type="video/mp4", max_age_seconds=0, inside=folder)

    return [
        route("/api/proxy/{segment}/camera", send_camera_copy),
        route("/api/proxy/{segment}", start, "POST"),
        route("/api/proxy/{segment}", state),
        route("/api/proxy/{segment}/file", send),
    ]


def camera_copy(video: Video) -> str | None:
    """Return the small copy that a camera recorded of a video, if browsers play it; else None."""
    from indexer.camera_proxies import small_copy_of
    from indexer.media.mp4_boxes import sample_entries

    path = small_copy_of(video.path)
    if path is None:
        return None
    try:
        entries = set(sample_entries(path))
    except OSError:
        return None
    return path if entries & {b"avc1", b"avc3"} and entries <= _PLAYED else None
