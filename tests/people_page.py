"""A page for several people without Streamlit: what is behind the log-in says who it thinks is there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect
from streamlit.proto.BackMsg_pb2 import BackMsg

from app.web.http.login_page import LoginPage
from app.web.http.peers import Peers
from app.web.http.people_access import ADDRESS_HEADER, PERSON_HEADER, PeopleMiddleware
from app.web.http.security import SecurityMiddleware
from app.web.http.sign_in import SignInDesk
from app.web.http.visitor import visitor_of
from app.web.pages.theme import DARK, LIGHT
from db.library import Library
from db.people.records import Person, Role

NOW, DAY = 1_800_000_000.0, 86400
HOST = "search.example"
ORIGIN = f"http://{HOST}"
HTML = {"Accept": "text/html,*/*"}
ASKED = BackMsg(app_heartbeat=True).SerializeToString()
SOCKET = f"ws://{HOST}/_stcore/stream"


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


def password_of(name: str) -> str:
    return f"password of {name}"


def match(stored: str | None, password: str) -> bool:
    """Of hashes that are as good as the real ones, and quick."""
    return stored == f"hash of {password}"


def add_person(library: Library, name: str, role: Role = "collect") -> Person:
    return library.people.add(name, role, f"hash of {password_of(name)}")


def everything(clock: Clock, answering: Any = None) -> list[Any]:
    """Routes that tell who is there: a page, something of the API, and a web socket that answers each message."""

    def told(connection: Any) -> dict[str, Any]:
        visitor = visitor_of(connection.scope)
        headers = [connection.headers.getlist(name) for name in (PERSON_HEADER, ADDRESS_HEADER)]
        return {"id": visitor.id, "name": visitor.name, "address": visitor.address, "headers": headers}

    async def page(request: Request) -> JSONResponse:
        return JSONResponse(told(request))

    async def socket(websocket: WebSocket) -> None:
        await websocket.accept()
        try:
            while True:
                await websocket.receive_bytes()
                await websocket.send_json(told(websocket))
        except WebSocketDisconnect:
            pass

    paths = ("/", "/search", "/api/x", "/static/js/a.js", "/media/a.mp4", "/_stcore/health", "/_stcore/upload_file/a/b")
    return [
        *(Route(path, page, methods=["GET", "POST", "PUT"]) for path in paths),
        WebSocketRoute("/_stcore/stream", answering or socket),
    ]


def people_page(
    library: Library,
    clock: Clock,
    *,
    proxies: Sequence[str] = (),
    header: str = "",
    client: str = "10.0.0.7",
    socket: Any = None,
    routes: Sequence[Route] = (),
) -> TestClient:
    """A browser without a cookie at such a page.

    Args:
        library, clock, proxies, header: As for the middleware.
        client: The address that it connects from.
        socket: What answers the web socket; None for one that tells who is there.
        routes: Further routes.
    """
    peers = Peers(proxies)
    guards = [
        Middleware(SecurityMiddleware, hosts=[HOST], peers=peers),
        Middleware(
            PeopleMiddleware,
            desk=SignInDesk(library.people, match),
            page=LoginPage(LIGHT, DARK),
            peers=peers,
            library_id=library.id,
            header=header,
            clock=clock,
        ),
    ]
    app = Starlette(routes=[*routes, *everything(clock, socket)], middleware=guards)
    headers = {"X-Prismsearch": "1", "Origin": ORIGIN}
    return TestClient(app, base_url=ORIGIN, headers=headers, client=(client, 50000), follow_redirects=False)


def log_in(client: TestClient, name: str, password: str | None = None, **more: str) -> Any:
    fields = {"name": name, "password": password_of(name) if password is None else password, **more}
    return client.post("/login", data=fields)


def who(client: TestClient) -> str | None:
    """The name of the person whom the page sees; None if it lets nobody in."""
    answer = client.get("/api/x")
    return answer.json()["name"] if answer.status_code == 200 else None
