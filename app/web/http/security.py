"""Who is answered at all: this machine's own pages. Stands before every route, Streamlit's included.

A page of another site can send requests here from the person's own browser. What gives it away: the Host it used (a
name it made point here), the Origin that browsers add, the Sec-Fetch-Site they add, or that it cannot add a header of
ours without asking first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from starlette.datastructures import Headers

from app.web.http.responses import CLOSING, error_answer

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

HOSTS = ("127.0.0.1", "localhost")
OURS = "/api/"
HEADER = "X-Prismsearch"
"""Must come with every request of ours that changes something. Other sites' pages may not send it."""
_READING = ("GET", "HEAD", "OPTIONS")

_ALWAYS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
# What Streamlit 1.67 needs: styles and scripts of its own made on the fly (components), workers and fonts as blobs and
# data. What it does not: any other host. A picture in a file's name or a note can thus reach nobody.
_PAGE_POLICY = "; ".join(
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
# Of what is opened in a tab of its own: it may show itself, and nothing in it runs.
_FILE_POLICY = (
    "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class Guard:
    """ASGI middleware: 400 for another host's name, 403 for another site's page; headers for browsers on the rest."""

    def __init__(self, app: ASGIApp, hosts: Sequence[str] = HOSTS) -> None:
        self.app = app
        self.hosts = frozenset(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        ours = scope["path"].startswith(OURS)
        refused = self._refusal(scope, Headers(scope=scope), ours)
        if refused is not None:
            await error_answer(*refused, headers={**self._headers(ours), **CLOSING})(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                there = {name.lower() for name, _ in message["headers"]}
                added = [(k.encode(), v.encode()) for k, v in self._headers(ours).items() if k.encode() not in there]
                message = {**message, "headers": [*message["headers"], *added]}
            await send(message)

        await self.app(scope, receive, with_headers)

    def _refusal(self, scope: Scope, headers: Headers, ours: bool) -> tuple[int, str] | None:
        """Status and sentence, None where the request is welcome."""
        host = headers.get("host", "")
        if len(headers.getlist("host")) != 1 or _name(host) not in self.hosts:
            names = " or ".join(sorted(self.hosts))
            return 400, f"prismsearch answers only as {names}; open the address that it printed."
        origins = headers.getlist("origin")
        if origins and origins != [f"http://{host}"]:
            return 403, "This request came from a page of another site, which prismsearch does not answer."
        if not ours:
            return None
        if headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
            return 403, "This request came from a page of another site, which prismsearch does not answer."
        if scope["type"] == "http" and scope["method"] not in _READING and headers.get(HEADER) != "1":
            return 403, f"Changes are made from prismsearch's own page; the header {HEADER}: 1 is missing."
        return None

    @staticmethod
    def _headers(ours: bool) -> dict[str, str]:
        return {**_ALWAYS, "content-security-policy": _FILE_POLICY if ours else _PAGE_POLICY}


def _name(host: str) -> str:
    """`localhost` of `localhost:8501`, lower case; empty where what follows the colon is no port."""
    name, colon, port = host.partition(":")
    return "" if colon and not (port.isascii() and port.isdecimal()) else name.lower()
