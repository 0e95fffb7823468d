"""Files of the front end, Streamlit's and ours, which never change under their address.

Streamlit's own route takes three times as long, most of it in threads that wait for the page's script (94 requests of a
page's first load), and would compress ours anew for each browser.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from starlette.responses import Response

from app.web.http.static_files import static_contents, static_url

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
_FOREVER = "private, max-age=31536000, immutable"


class FrontEndFiles:
    """ASGI middleware that sends these files, and leaves every other address to the app behind it.

    Args:
        app: The ASGI app behind it.
        streamlit: The folder of Streamlit's front end, with `index.html`.
    """

    def __init__(self, app: ASGIApp, streamlit: Path) -> None:
        self.app = app
        self._theirs = {
            "/" + path.relative_to(streamlit).as_posix(): path
            for path in streamlit.joinpath("static").rglob("*")
            if path.suffix in TYPES
        }
        self._ours = {
            static_url(name): content for name, content in static_contents().items() if Path(name).suffix in TYPES
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            await self.app(scope, receive, send)
            return
        path = scope["path"]
        content = self._ours.get(path)
        if content is None and path in self._theirs:
            try:
                content = self._theirs[path].read_bytes()  # at most 5 MB; not kept, since a browser asks once
            except OSError:  # Streamlit was replaced meanwhile
                content = None
        if content is None:
            await self.app(scope, receive, send)
            return
        headers = {"Cache-Control": _FOREVER, "Content-Length": str(len(content))}
        body = content if scope["method"] == "GET" else b""
        await Response(body, 200, headers, TYPES[Path(path).suffix])(scope, receive, send)
