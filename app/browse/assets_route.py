"""Our JavaScript and styles, by name, for the views that import them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.browse.components import ASSETS

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}


def asset_routes() -> list[Route]:
    """`/api/assets/VERSION/NAME`; the version only tells browsers that the file is another one."""
    from starlette.responses import FileResponse, PlainTextResponse
    from starlette.routing import Route

    def send(request: Request) -> Response:
        path = ASSETS / request.path_params["name"]
        if path.parent != ASSETS or path.suffix not in TYPES or not path.is_file():
            return PlainTextResponse("there is no such file", 404)
        caching = {"Cache-Control": "private, max-age=31536000, immutable"}
        return FileResponse(path, media_type=TYPES[path.suffix], headers=caching)

    return [Route("/api/assets/{version}/{name}", send)]
