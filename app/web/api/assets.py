"""Routes for our JavaScript and styles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.web.http.errors import ApiError
from app.web.http.file_response import file_response
from app.web.http.requests import ApiRequest
from app.web.http.routes import route
from app.web.http.static_files import STATIC, static_files

if TYPE_CHECKING:
    from starlette.responses import Response
    from starlette.routing import Route

TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}
_YEAR_SECONDS = 365 * 24 * 3600


def asset_routes() -> list[Route]:
    """Return the route `/api/assets/VERSION/NAME`; the version gives a changed file a new URL."""

    def send(request: ApiRequest) -> Response:
        names = {path.relative_to(STATIC).as_posix(): path for path in static_files() if path.suffix in TYPES}
        path = names.get(request.path["name"])
        if path is None:
            raise ApiError(404, "There is no such file.")
        return file_response(request, path, media_type=TYPES[path.suffix], max_age_seconds=_YEAR_SECONDS, inside=STATIC)

    return [route("/api/assets/{version}/{name:path}", send)]
