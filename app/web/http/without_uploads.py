"""Streamlit's uploads, which the page does not use: whoever is logged in could fill the server's memory by them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.web.http.responses import CLOSING, error_response

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

_UPLOADS = "/_stcore/upload_file"


class WithoutUploads:
    """ASGI middleware that refuses them, before anything is read. `/api/examples` takes files, within limits.

    Args:
        app: The ASGI app behind it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(_UPLOADS):
            await error_response(404, "There is no such address.", CLOSING)(scope, receive, send)
        else:
            await self.app(scope, receive, send)
