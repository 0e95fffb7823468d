"""Access for several people: the middleware that lets only those in who are logged in, or whom our proxy names.

It precedes every route and web socket, Streamlit's included. Routes learn of the visitor by the scope, and Streamlit's
script by a header that only this middleware can set, and that Streamlit binds its sessions to.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import anyio
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response

from app.web.http.access import cookie_name
from app.web.http.errors import ApiError
from app.web.http.login_page import LOGIN, LOGOUT, LoginPage, once_more, place_after, read_form, span_text
from app.web.http.pace import Pace
from app.web.http.page_messages import is_of_page
from app.web.http.peers import site_of
from app.web.http.places import Places
from app.web.http.responses import CLOSING, away_page, error_response, json_response, response_for_error
from app.web.http.security import SAFE_METHODS
from app.web.http.sign_in import LONGEST_SECONDS, SignInDesk
from app.web.http.visitor import VISITOR, Visitor
from db.errors import LibraryUnreachable

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from app.web.http.peers import Peer, Peers
    from db.people.records import Person

PERSON_HEADER = "x-prismsearch-person"
"""The header that tells Streamlit's script who is there: the person's id."""
ADDRESS_HEADER = "x-prismsearch-address"
"""Likewise, from where."""
LOGIN_HEADER = "X-Prismsearch-Login"
"""In a refusal: the browser has to log in."""
NOT_LOGGED_IN = "You are not logged in; reload the page to log in."
WRONG = "The name or the password is wrong."
BUSY = "Too many people are logging in at this moment; try again."
MOST_SOCKETS = 50
"""Web sockets of one person, that is, open tabs."""
MOST_AT_ONCE = 8
"""Requests of one person that are worked on at a time, of the threads that all people share; the others wait."""
MOST_FORMS = 8
"""Forms of one address that arrive at a time: whoever sends them slowly keeps a connection each."""
TOO_MANY_TABS = "You have too many tabs of prismsearch open; close some."
TROUBLE = (
    "Nobody can log in at this moment. The terminal of prismsearch says why, to whoever keeps it; try again later."
)
_SOCKET_CLOSED = 1008  # policy violation


class PeopleMiddleware:
    """ASGI middleware that lets people in, and everybody log in.

    Args:
        app: The ASGI app behind it.
        desk: Logs people in and out.
        page: Where they do.
        peers: Tells where requests come from.
        library_id: Names the cookie, as browsers ignore the port of cookies.
        header: The header in which our proxies name the person; "" if they do not.
        clock: Returns Unix seconds.
    """

    def __init__(
        self,
        app: ASGIApp,
        desk: SignInDesk,
        page: LoginPage,
        peers: Peers,
        library_id: str,
        header: str = "",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.app = app
        self.desk = desk
        self.page = page
        self.peers = peers
        self.cookie_name = f"{cookie_name(library_id)}-login"  # not that of a page without people
        self.header = header.lower()
        self.clock = clock
        self.pace = Pace()
        self.sockets = Places(MOST_SOCKETS)
        self.forms = Places(MOST_FORMS)
        self.turns: dict[int, anyio.CapacityLimiter] = {}
        self._told = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        try:
            answer = await self._answer(scope, receive)
            person = None if answer is not None else await self._person(scope)
        except Exception as error:  # noqa: BLE001 - of the library: nobody is let in
            answer, person = self._trouble(error, scope), None
        if person is not None:
            await self._let_in(person, scope, receive, send)
        else:
            await (answer or self._refusal(scope))(scope, receive, send)

    async def _let_in(self, person: Person, scope: Scope, receive: Receive, send: Send) -> None:
        turn = self.turns.setdefault(person.id, anyio.CapacityLimiter(MOST_AT_ONCE))
        visitor = Visitor(person, self.peers.of(scope).address, self.desk.events, turn)
        ours = {PERSON_HEADER.encode(): str(person.id).encode(), ADDRESS_HEADER.encode(): visitor.address.encode()}
        told = [(name, value) for name, value in scope["headers"] if name.lower() not in ours] + list(ours.items())
        inner = {**scope, "headers": told, VISITOR: visitor}
        if scope["type"] == "http":
            wait = 0.0 if scope["method"] in SAFE_METHODS else self.pace.refused_for(person.id, self.clock())
            await (_too_fast(wait) if wait else self.app)(inner, receive, send)
            return
        closed = False

        async def receive_while_in() -> Message:
            nonlocal closed
            while (message := await receive())["type"] == "websocket.receive":
                if not await self._is_still(person, scope):
                    closed = True
                    await send({"type": "websocket.close", "code": _SOCKET_CLOSED})
                    return {"type": "websocket.disconnect", "code": _SOCKET_CLOSED}
                await anyio.sleep(self.pace.delay_of(person.id, self.clock()))
                if is_of_page(message.get("bytes") or b""):
                    break
            return message

        async def send_while_open(message: Message) -> None:
            if not closed:
                await send(message)

        with self.sockets.taken(person.id) as free:
            app = self.app if free else error_response(429, TOO_MANY_TABS, CLOSING)
            await app(inner, receive_while_in, send_while_open)

    async def _is_still(self, person: Person, scope: Scope) -> bool:
        """Return whether the one who opened a web socket is still logged in: it outlasts the log-in otherwise."""
        try:
            now = await self._person(scope)
        except Exception:  # noqa: BLE001 - of the library: nobody stays in
            return False
        return now is not None and now.id == person.id

    async def _person(self, scope: Scope) -> Person | None:
        """Return the person who sent a request: whom our proxy names, or else who is logged in."""
        headers, peer = Headers(scope=scope), self.peers.of(scope)
        named = self._named(headers, peer)
        if named:
            return await run_in_threadpool(self.desk.by_name, _decoded(named[0])) if len(named) == 1 else None
        token = self._token(headers, peer)
        found = await run_in_threadpool(self.desk.find, token, now=self.clock()) if token else None
        return None if found is None else found.person

    def _named(self, headers: Headers, peer: Peer) -> list[str]:
        """Return whom our proxy names: nobody, a person, or, where somebody else has added a header, several."""
        found = headers.getlist(self.header) if self.header and peer.is_proxy else []
        return [] if found == [""] else found

    def _cookie(self, peer: Peer) -> str:
        """Return the cookie's name. Browsers take one that begins with `__Host-` from this very host over TLS only."""
        return f"__Host-{self.cookie_name}" if peer.secure else self.cookie_name

    def _token(self, headers: Headers, peer: Peer) -> str:
        found = [
            value
            for header in headers.getlist("cookie")
            for name, _, value in (pair.strip().partition("=") for pair in header.split(";"))
            if name == self._cookie(peer)
        ]
        return found[0] if len(found) == 1 else ""

    def _set_cookie(self, value: str, peer: Peer, seconds: int) -> str:
        more = "; Secure" if peer.secure else ""
        return f"{self._cookie(peer)}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{more}"

    # Log-in and log-out

    async def _answer(self, scope: Scope, receive: Receive) -> Response | None:
        """Return what answers a request to log in or out; None for every other request."""
        if scope["type"] != "http" or scope["path"] not in (LOGIN, LOGOUT):
            return None
        request, peer = Request(scope, receive), self.peers.of(scope)
        if request.method == "GET" and scope["path"] == LOGIN:
            return self.page.response()
        if request.method != "POST":
            return error_response(405, "This address takes no such request.", {**CLOSING, "Allow": "POST"})
        # Browsers say where a form comes from; SecurityMiddleware has compared it. Without it, any page could log in.
        if not request.headers.get("origin"):
            return error_response(403, "This request came from another site, so prismsearch refused it.", CLOSING)
        if scope["path"] == LOGOUT:
            await run_in_threadpool(
                self.desk.sign_out, self._token(request.headers, peer), address=peer.address, now=self.clock()
            )
            return json_response({}, headers={"Set-Cookie": self._set_cookie("", peer, 0)})
        with self.forms.taken(site_of(peer.address)) as free:
            form = await read_form(request) if free else None
        if form is None:
            answer = self.page.response(BUSY, status=503)
            answer.headers.update(CLOSING)
            return answer
        return await self._log_in(form, peer, self._token(request.headers, peer))

    async def _log_in(self, form: dict[str, str], peer: Peer, former: str) -> Response:
        name, to = form.get("name", ""), form.get("to", "/")
        outcome = await run_in_threadpool(
            self.desk.sign_in, name, form.get("password", ""), address=peer.address, now=self.clock()
        )
        if outcome.token:
            if former:
                await run_in_threadpool(self.desk.sign_out, former, address=peer.address, now=self.clock())
            cookie = self._set_cookie(outcome.token, peer, LONGEST_SECONDS)
            return Response(
                status_code=303,
                headers={"Location": place_after(to), "Set-Cookie": cookie, "Cache-Control": "no-store"},
            )
        if outcome.busy:
            return self.page.response(BUSY, status=503, name=name, to=to)
        if outcome.wait_seconds:
            sentence = f"Too many log-ins failed. Try again in {span_text(outcome.wait_seconds)}."
            answer = self.page.response(sentence, status=429, name=name, to=to)
            answer.headers["Retry-After"] = str(outcome.wait_seconds)
            return answer
        return self.page.response(WRONG, status=403, name=name, to=to)

    def _trouble(self, error: Exception, scope: Scope) -> Response:
        """Return what strangers are told of an error. Of the library, that is not where it is, nor what it lacks."""
        answer = response_for_error(error)
        if isinstance(error, ApiError):
            return answer
        if str(error) != self._told:  # once, for anybody can ask
            self._told = str(error)
            logging.getLogger(__name__).warning("nobody can log in: %s", error)
        if isinstance(error, LibraryUnreachable):
            return away_page() if _is_navigation(scope) else answer
        return error_response(answer.status_code, TROUBLE, CLOSING)

    def _refusal(self, scope: Scope) -> Response:
        headers = Headers(scope=scope)
        if _is_navigation(scope):
            query = scope["query_string"].decode("latin-1")
            to = f"{scope['path']}?{query}" if query else scope["path"]
            if self._named(headers, self.peers.of(scope)):
                return self.page.response("Your name is not known here. Ask for an account.", status=403, to=to)
            if headers.get("sec-fetch-site") == "cross-site":
                return once_more(to)
            return self.page.response(status=401, to=to)
        return error_response(401, NOT_LOGGED_IN, {**CLOSING, LOGIN_HEADER: "1"})


def _is_navigation(scope: Scope) -> bool:
    accepted = Headers(scope=scope).get("accept", "")
    return scope["type"] == "http" and scope["method"] == "GET" and "text/html" in accepted


def _too_fast(wait: float) -> Response:
    sentence = "This is more than one person may do at a time; try again in a moment."
    return error_response(429, sentence, {**CLOSING, "Retry-After": str(math.ceil(wait))})


def _decoded(value: str) -> str:
    """Return the text of a header, which proxies send as UTF-8."""
    return value.encode("latin-1").decode("utf-8", "replace").strip()
