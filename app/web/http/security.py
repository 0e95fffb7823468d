"""Security of the server: the Host and Origin checks, and the Content Security Policy (CSP).

The middleware precedes every route, Streamlit's included, and accepts only requests of our own pages. A page of another
site can send requests to this server from the user's browser. Such requests are recognised by their Host (a name made
to resolve to this machine), by the Origin or Sec-Fetch-Site that browsers add, or by the lack of our header, which
other sites cannot add without a CORS preflight.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from starlette.datastructures import Headers

from app.web.http.peers import is_address
from app.web.http.responses import CLOSING, error_response

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from app.web.http.peers import Peers

HOSTS = ("127.0.0.1", "localhost")
API_PREFIX = "/api/"
HEADER = "X-Prismsearch"
"""Required in every request under /api/ that changes something. Pages of other sites cannot send it."""
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")

_EVERY_RESPONSE = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
}
# Streamlit 1.67 needs styles generated at run time, scripts from blobs (components), and workers and fonts as blobs and
# data. It needs no other host, so an image injected by a file name or a note cannot reach one; and no inline scripts
# but those of its own page, so an injected handler or script does not run.
_PAGE_CSP = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' {inline_scripts} blob:",
        "script-src-attr 'none'",
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
# A file opened in its own tab may be displayed; nothing in it runs.
FILE_CSP = (
    "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class SecurityMiddleware:
    """ASGI middleware that refuses requests from elsewhere, and adds security headers to every other response.

    It responds 400 to a foreign Host, and 403 to a page of another site. It checks web sockets too.

    Args:
        app: The ASGI app behind it.
        hosts: Host names under which browsers may reach this server.
        inline_scripts: Sources of the CSP for scripts within Streamlit's page, see `inline_scripts_of`.
        peers: Tells where requests come from; None where only browsers of this machine connect.
        any_address: Accept addresses of machines as the host, too: only a name can be made to resolve to this one.
    """

    def __init__(
        self,
        app: ASGIApp,
        hosts: Sequence[str] = HOSTS,
        inline_scripts: str = "",
        peers: Peers | None = None,
        any_address: bool = False,
    ) -> None:
        self.app = app
        self.hosts = frozenset(hosts)
        self.peers = peers
        self.any_address = any_address
        self.page_csp = _PAGE_CSP.format(inline_scripts=inline_scripts).replace("  ", " ")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        is_api = scope["path"].startswith(API_PREFIX)
        headers = {**_EVERY_RESPONSE, "content-security-policy": FILE_CSP if is_api else self.page_csp}
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
        if len(headers.getlist("host")) != 1 or not self._is_ours(host_name(host)):
            names = " or ".join(sorted(self.hosts))
            return 400, f"prismsearch answers only at {names}; open the address it printed."
        scheme = "https" if self.peers is not None and self.peers.of(scope).secure else "http"
        origins = headers.getlist("origin")
        if origins and origins != [f"{scheme}://{host}"]:
            return 403, "This request came from another site, so prismsearch refused it."
        if not is_api:
            return None
        if headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
            return 403, "This request came from another site, so prismsearch refused it."
        if scope["type"] == "http" and scope["method"] not in SAFE_METHODS and headers.get(HEADER) != "1":
            return 403, f"Changes can only be made from prismsearch's own page; the header {HEADER}: 1 is missing."
        return None

    def _is_ours(self, name: str) -> bool:
        return name in self.hosts or (self.any_address and is_address(name.strip("[]")))


def inline_scripts_of(page: bytes) -> str:
    """Return the CSP sources that allow exactly the inline scripts of an HTML page: their SHA-256 digests."""
    return " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(script).digest()).decode()}'"
        for script in re.findall(rb"<script>(.*?)</script>", page, re.DOTALL)
    )


def host_name(host: str) -> str:
    """Return `localhost` for `localhost:8501`, in lower case; empty if what follows the colon is no port."""
    bracket = host.find("]") + 1  # of an IPv6 address, whose colons are in brackets
    name, colon, port = host[bracket:].partition(":")
    return "" if colon and not (port.isascii() and port.isdecimal()) else (host[:bracket] + name).lower()
