"""Security of the server: the Host and Origin checks, and the Content Security Policy (CSP).

The middleware stands before every route, Streamlit's included, and lets only this machine's own pages through. A page
of another site can send requests here from the person's own browser. Such a request gives itself away by its Host (a
name that was made to point here), by the Origin or the Sec-Fetch-Site that browsers add, or by lacking our header,
which other sites cannot add without asking first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from starlette.datastructures import Headers

from app.web.http.responses import CLOSING, error_response

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

HOSTS = ("127.0.0.1", "localhost")
API_PREFIX = "/api/"
HEADER = "X-Prismsearch"
"""Required with every request under /api/ that changes something. Pages of other sites may not send it."""
_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")

_EVERY_RESPONSE = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
# Streamlit 1.67 needs styles and scripts made on the fly (components), and workers and fonts as blobs and data. It
# needs no other host, so a picture in a file's name or in a note reaches nobody.
PAGE_CSP = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval' 'wasm-unsafe-eval' blob: data:",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "media-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self' data: blob:",
        "worker-src 'self' blob:",
        "frame-src 'self' data: blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'self'",
    )
)
# A file opened in a tab of its own may show itself; nothing in it runs.
FILE_CSP = (
    "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class SecurityMiddleware:
    """ASGI middleware that refuses requests from elsewhere, and adds security headers to every other response.

    400 is the response to a Host that is not this machine's, 403 to a page of another site. Web sockets are checked
    too.

    Args:
        app: The ASGI app behind it.
        hosts: Names by which a browser may call this server.
    """

    def __init__(self, app: ASGIApp, hosts: Sequence[str] = HOSTS) -> None:
        self.app = app
        self.hosts = frozenset(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        is_api = scope["path"].startswith(API_PREFIX)
        headers = {**_EVERY_RESPONSE, "content-security-policy": FILE_CSP if is_api else PAGE_CSP}
        refusal = self._refusal(scope, Headers(scope=scope), is_api)
        if refusal is not None:
            status, sentence = refusal
            await error_response(status, sentence, {**headers, **CLOSING})(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = {name.lower() for name, _ in message["headers"]}
                added = [(k.encode(), v.encode()) for k, v in headers.items() if k.encode() not in present]
                message = {**message, "headers": [*message["headers"], *added]}
            await send(message)

        await self.app(scope, receive, send_with_headers)

    def _refusal(self, scope: Scope, headers: Headers, is_api: bool) -> tuple[int, str] | None:
        """Return status and sentence, or None if the request may pass."""
        host = headers.get("host", "")
        if len(headers.getlist("host")) != 1 or _host_name(host) not in self.hosts:
            names = " or ".join(sorted(self.hosts))
            return 400, f"prismsearch answers only as {names}; open the address that it printed."
        origins = headers.getlist("origin")
        if origins and origins != [f"http://{host}"]:
            return 403, "This request came from a page of another site, which prismsearch does not answer."
        if not is_api:
            return None
        if headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
            return 403, "This request came from a page of another site, which prismsearch does not answer."
        if scope["type"] == "http" and scope["method"] not in _SAFE_METHODS and headers.get(HEADER) != "1":
            return 403, f"Changes are made from prismsearch's own page; the header {HEADER}: 1 is missing."
        return None


def _host_name(host: str) -> str:
    """Return `localhost` for `localhost:8501`, in lower case; empty if what follows the colon is no port."""
    name, colon, port = host.partition(":")
    return "" if colon and not (port.isascii() and port.isdecimal()) else name.lower()
