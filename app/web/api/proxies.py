"""Proxies over HTTP: ask for one, see how far it is, play it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from app.web.http.file_sending import send_file
from app.web.http.responses import ApiError, Call, route
from app.web.services.proxies import Proxies, ProxyState, Stretch, stretch_around
from app.web.services.segment_cache import Lookups
from app.web.services.source_check import SourceCheck

if TYPE_CHECKING:
    from starlette.responses import Response
    from starlette.routing import Route


def proxy_routes(lookups: Lookups, check: SourceCheck, proxies: Proxies) -> list[Route]:
    """`/api/proxy/ID`: POST begins it, GET tells; `/api/proxy/ID/file` is the MP4."""

    def stretch_of(call: Call) -> Stretch:
        place = lookups.place(call.id("segment"))
        return stretch_around(place.segment, place.video)

    def told(call: Call, state: ProxyState) -> dict[str, Any]:
        ready = state.state == "ready"
        return {
            "state": state.state,
            "progress": state.progress,
            "url": f"/api/proxy/{call.id('segment')}/file" if ready else None,
            "offset": state.offset,
            "duration": state.duration,
            "error": state.error,
        }

    def ask(call: Call) -> dict[str, Any]:
        place, stretch = lookups.place(call.id("segment"), fresh=True), stretch_of(call)
        state = proxies.look(stretch)
        if state.state == "none":
            check.require(place.video, os.stat(place.video.path))
            state = proxies.ask(stretch)
        return told(call, state)

    def look(call: Call) -> dict[str, Any]:
        return told(call, proxies.look(stretch_of(call)))

    def send(call: Call) -> Response:
        path = proxies.file(stretch_of(call))
        if not path.is_file():
            raise ApiError(404, "This proxy is not there any more; ask for it again.")
        return send_file(call, path, media_type="video/mp4", seconds=0, inside=proxies.directory)

    return [
        route("/api/proxy/{segment}", ask, "POST"),
        route("/api/proxy/{segment}", look),
        route("/api/proxy/{segment}/file", send),
    ]
