"""Access to the page: the signed cookie of its person, and the tokens that a browser gets it for.

Loopback is no protection from other users of the same machine, so every request has to carry the cookie. It is signed
with the library's secret (see `app.web.services.page_secret`), which outlives the server, and so it survives restarts.
A token is part of an address that only the person can read. It is good for one use, within an hour, at the server that
it was made for, and leaves the address by a redirect.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, Response

from app.web.http.responses import CLOSING, error_response

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

TOKEN_SECONDS = 3600
COOKIE_SECONDS = 400 * 86400  # the longest time that browsers keep a cookie
_RENEWED_AFTER_SECONDS = 86400
_CLOCK_SECONDS = 300  # tolerance for a clock that was set back
_HOW = "In a terminal on this computer, run prismsearch ui --url and open the address it prints."
NO_COOKIE = f"This page is only for the person who started it. {_HOW}"
SPENT = f"This address was used before or has expired. {_HOW}"
_PAGE_CSP = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>prismsearch</title>
<style>:root {{ color-scheme: light dark }} body {{ font: 1.1rem/1.6 system-ui, sans-serif; margin: 20vh auto;
max-width: 34rem; padding: 0 1rem }}</style>
<main><h1>prismsearch</h1><p>{sentence}</p>
<p>If the page was started with <code>--library</code>, repeat that option.</p></main></html>
"""


def cookie_name(library_id: str) -> str:
    """Return the name of a library's cookie. It names the library because browsers ignore the port of cookies."""
    return f"prismsearch-{hashlib.blake2b(library_id.encode(), digest_size=8).hexdigest()}"


def new_token(secret: bytes, server: str, *, now: float) -> str:
    """Return a token for one server.

    Args:
        secret: The library's secret.
        server: The server's name, made anew at each start.
        now: Unix seconds.
    """
    facts = f"{secrets.token_hex(16)}.{int(now) + TOKEN_SECONDS}"
    return f"{facts}.{_signature(secret, 'token', server, facts)}"


class Access:
    """The cookies and tokens of one server. Not for several threads: it belongs to the event loop.

    Args:
        secret: The library's secret.
        library_id: Its identity, which names the cookie.
        server: The server's name, made anew at each start.
    """

    def __init__(self, secret: bytes, library_id: str, server: str) -> None:
        self.cookie_name = cookie_name(library_id)
        self._secret = secret
        self._server = server
        self._used: dict[str, int] = {}  # signatures of used tokens, and when they expire

    def take_token(self, token: str, *, now: float) -> bool:
        """Return whether a token is good, and use it up."""
        facts, _, signature = token.rpartition(".")
        if not _equal(signature, _signature(self._secret, "token", self._server, facts)) or signature in self._used:
            return False
        self._used = {used: expires for used, expires in self._used.items() if expires > now}
        expires = int(facts.partition(".")[2])
        self._used[signature] = expires
        return now < expires <= now + TOKEN_SECONDS + _CLOCK_SECONDS

    def new_cookie(self, *, now: float) -> str:
        """Return a `Set-Cookie` header that lets a browser in."""
        issued = str(int(now))
        value = f"{issued}.{_signature(self._secret, 'cookie', issued)}"
        return f"{self.cookie_name}={value}; Path=/; Max-Age={COOKIE_SECONDS}; HttpOnly; SameSite=Lax"

    def cookie_age(self, headers: Headers, *, now: float) -> float | None:
        """Return the age in seconds of the good cookie among a request's headers; None if there is none."""
        for header in headers.getlist("cookie"):
            for pair in header.split(";"):
                name, _, value = pair.strip().partition("=")
                issued, _, signature = value.partition(".")
                if name == self.cookie_name and _equal(signature, _signature(self._secret, "cookie", issued)):
                    age = now - int(issued)
                    if -_CLOCK_SECONDS <= age < COOKIE_SECONDS:
                        return age
        return None


class AccessMiddleware:
    """ASGI middleware that lets only the page's person in: to every route and web socket, Streamlit's included.

    It responds 401 with a sentence to everybody else, exchanges the token in the address `/?token=...` for a cookie,
    and renews cookies.

    Args:
        app: The ASGI app behind it.
        access: The cookies and tokens of this server.
        clock: Returns Unix seconds.
    """

    def __init__(self, app: ASGIApp, access: Access, clock: Callable[[], float] = time.time) -> None:
        self.app = app
        self.access = access
        self.clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers, now = Headers(scope=scope), self.clock()
        age = self.access.cookie_age(headers, now=now)
        token, rest = _token_of(scope)
        if token is not None:
            good = self.access.take_token(token, now=now)  # in any case, so that no used address is good for another
            answer = self._redirect(rest, now) if good or age is not None else _refusal(headers, SPENT)
            await answer(scope, receive, send)
        elif age is None:
            await _refusal(headers, NO_COOKIE)(scope, receive, send)
        elif age > _RENEWED_AFTER_SECONDS and _is_navigation(headers):
            await self.app(scope, receive, self._sending_cookie(send, now))
        else:
            await self.app(scope, receive, send)

    def _redirect(self, query: str, now: float) -> Response:
        headers = {"Location": f"/?{query}" if query else "/", "Set-Cookie": self.access.new_cookie(now=now)}
        return Response(status_code=303, headers={**headers, "Cache-Control": "no-store"})

    def _sending_cookie(self, send: Send, now: float) -> Send:
        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                cookie = (b"set-cookie", self.access.new_cookie(now=now).encode())
                message = {**message, "headers": [*message["headers"], cookie]}
            await send(message)

        return send_with_cookie


def _token_of(scope: Scope) -> tuple[str | None, str]:
    """Return the token in the address of the page and the rest of its query; None if there is no token."""
    if scope["type"] != "http" or scope["method"] != "GET" or scope["path"] != "/":
        return None, ""
    parts = scope["query_string"].decode("latin-1").split("&")
    tokens = [part.removeprefix("token=") for part in parts if part.startswith("token=")]
    return (tokens[0] if tokens else None), "&".join(part for part in parts if not part.startswith("token="))


def _is_navigation(headers: Headers) -> bool:
    return "text/html" in headers.get("accept", "")


def _refusal(headers: Headers, sentence: str) -> Response:
    if not _is_navigation(headers):
        return error_response(401, sentence, CLOSING)
    page = _PAGE.format(sentence=sentence.replace("prismsearch ui --url", "<code>prismsearch ui --url</code>"))
    more = {**CLOSING, "Cache-Control": "no-store", "Content-Security-Policy": _PAGE_CSP}
    return HTMLResponse(page, 401, more)


def _signature(secret: bytes, *parts: str) -> str:
    return hmac.digest(secret, "\n".join(parts).encode("utf-8", "surrogatepass"), "sha256").hex()


def _equal(given: str, expected: str) -> bool:
    """Compare in constant time. Only ASCII can be equal; `compare_digest` refuses other text."""
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), expected.encode())
