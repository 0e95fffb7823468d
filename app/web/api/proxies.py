"""Proxies over HTTP: ask for one, see how far it is, play it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from app.web.http.errors import ApiError
from app.web.http.file_sending import send_file
from app.web.http.requests import ApiRequest
from app.web.http.routes import route
from app.web.services.proxies import Proxies, ProxyState, Stretch, stretch_around
from app.web.services.segment_cache import Lookups
from app.web.services.source_check import SourceCheck

if TYPE_CHECKING:
    from starlette.responses import Response
    from starlette.routing import Route


def proxy_routes(lookups: Lookups, check: SourceCheck, proxies: Proxies) -> list[Route]:
    """`/api/proxy/ID`: POST begins it, GET tells; `/api/proxy/ID/file` is the MP4."""

    def stretch_of(request: ApiRequest) -> Stretch:
        place = lookups.place(request.id("segment"))
        return stretch_around(place.segment, place.video)

    def told(request: ApiRequest, state: ProxyState) -> dict[str, Any]:
        ready = state.state == "ready"
        return {
            "state": state.state,
            "progress": state.progress,
            "url": f"/api/proxy/{request.id('segment')}/file" if ready else None,
            "offset": state.offset,
            "duration": state.duration,
            "error": state.error,
        }

    def ask(request: ApiRequest) -> dict[str, Any]:
        place, stretch = lookups.place(request.id("segment"), fresh=True), stretch_of(request)
        state = proxies.look(stretch)
        if state.state == "none":
            check.require(place.video, os.stat(place.video.path))
            state = proxies.ask(stretch)
        return told(request, state)

    def look(request: ApiRequest) -> dict[str, Any]:
        return told(request, proxies.look(stretch_of(request)))

    def send(request: ApiRequest) -> Response:
        path = proxies.file(stretch_of(request))
        if not path.is_file():
            raise ApiError(404, "This proxy is not there any more; ask for it again.")
        return send_file(request, path, media_type="video/mp4", max_age_seconds=0, inside=proxies.directory)

    return [
        route("/api/proxy/{segment}", ask, "POST"),
        route("/api/proxy/{segment}", look),
        route("/api/proxy/{segment}/file", send),
    ]
