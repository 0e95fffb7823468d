"""The route that tells who works for a library on a server, on all of its machines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.shell.terminal import printable
from app.shell.worker_text import place_text, work_text
from app.web.http.requests import ApiRequest
from app.web.http.routes import route

if TYPE_CHECKING:
    from starlette.routing import Route

    from db.library import Library


def worker_routes(library: Library) -> list[Route]:
    """Return the route `/api/workers`."""

    def every(request: ApiRequest) -> dict[str, Any]:
        return {
            "workers": [
                {"machine": printable(each.machine), "work": work_text(each), "place": place_text(each)}
                for each in library.workers()
            ]
        }

    return [route("/api/workers", every)]
