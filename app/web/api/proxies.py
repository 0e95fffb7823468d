"""Routes for proxies: request one, follow its progress, play it."""

from __future__ import annotations

import os
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


def proxy_routes(segments: SegmentCache, check: SourceCheck, proxies: Proxies) -> list[Route]:
    """Return the routes `/api/proxy/{segment}` (POST requests the proxy, GET returns its state) and its `/file`."""

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
            state = proxies.request(wanted)
        return as_json(request, state)

    def state(request: ApiRequest) -> dict[str, Any]:
        return as_json(request, proxies.state(range_of(request)))

    def send(request: ApiRequest) -> Response:
        path = proxies.file(range_of(request))
        if not path.is_file():
            raise ApiError(404, "This proxy is not there any more; ask for it again.")
        return file_response(request, path, media_type="video/mp4", max_age_seconds=0, inside=proxies.directory)

    return [
        route("/api/proxy/{segment}", start, "POST"),
        route("/api/proxy/{segment}", state),
        route("/api/proxy/{segment}/file", send),
    ]
