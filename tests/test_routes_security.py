"""Only this machine's own page is answered, on every route; and nothing but what the routes name can be read."""

from __future__ import annotations

import json
import socket
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from live_server import answer_of, live, request_bytes
from page_library import ORIGIN, client_of, segment_ids, small_library
from pydantic import Field
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket

from app.compose import Settings
from app.web.http.errors import ApiError
from app.web.http.requests import MAX_BODY_BYTES, ApiRequest
from app.web.http.routes import route
from app.web.http.security import SecurityMiddleware
from app.web.http.validation import NO_NULL, NOT_BLANK, Body, Integer, Number, validated
from app.web.server import our_routes
from app.web.services.proxies import Proxies
from db.errors import LibraryBusy, LibraryDamaged, LibraryFull
from db.library import Library


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    return small_library(tmp_path_factory.mktemp("guard"))


def guarded() -> TestClient:
    """A page, a route of ours that changes something, and a web socket, behind the middleware."""

    async def page(_: Any) -> PlainTextResponse:
        return PlainTextResponse("page")

    async def socket(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.close()

    routes = [
        Route("/", page, methods=["GET", "POST"]),
        route("/api/change", lambda request: {"sent": request.body}, "POST"),
        route("/api/read", lambda request: {"query": dict(request.query)}),
        WebSocketRoute("/_stcore/stream", socket),
    ]
    return TestClient(Starlette(routes=routes, middleware=[Middleware(SecurityMiddleware)]), base_url=ORIGIN)


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8501", "127.0.0.1.evil.example", "localhost.", "0.0.0.0", "", "127.0.0.1:x"]
)
def test_another_name_of_this_machine_is_not_answered(host: str) -> None:
    client = guarded()
    for address in ("/", "/api/read"):
        answer = client.get(address, headers={"Host": host})
        assert answer.status_code == 400
        assert "localhost" in answer.json()["error"]
    with pytest.raises(Exception) as refused, client.websocket_connect("/_stcore/stream", headers={"Host": host}):
        pass
    assert getattr(refused.value, "status_code", None) == 400


@pytest.mark.parametrize("host", ["127.0.0.1:8501", "localhost:8501", "LOCALHOST:9", "localhost"])
def test_our_own_names_are(host: str) -> None:
    assert guarded().get("/", headers={"Host": host, "Origin": f"http://{host}"}).status_code == 200


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:8502", "https://127.0.0.1:8501"])
def test_a_page_of_another_site_is_not_answered(origin: str) -> None:
    client = guarded()
    for method, address in (("POST", "/"), ("GET", "/"), ("POST", "/api/change"), ("GET", "/api/read")):
        answer = client.request(method, address, headers={"Origin": origin, "X-Prismsearch": "1"})
        assert answer.status_code == 403
        assert "another site" in answer.json()["error"]
    host = {"Host": "127.0.0.1:8501"}
    with (
        pytest.raises(Exception) as refused,
        client.websocket_connect("/_stcore/stream", headers={**host, "Origin": origin}),
    ):
        pytest.fail("must not be accepted")
    assert getattr(refused.value, "status_code", None) == 403
    with client.websocket_connect("/_stcore/stream", headers={**host, "Origin": ORIGIN}):
        pass


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_picture_or_script_in_a_page_of_another_site_gets_nothing(site: str) -> None:
    """Browsers send no Origin for those, but they say where they come from."""
    assert guarded().get("/api/read", headers={"Sec-Fetch-Site": site}).status_code == 403
    assert guarded().get("/", headers={"Sec-Fetch-Site": site}).status_code == 200, "a link to the page is welcome"


def test_changes_need_our_header() -> None:
    client = guarded()
    for headers in ({}, {"X-Prismsearch": "0"}, {"Origin": ORIGIN}):
        answer = client.post("/api/change", json={}, headers=headers)
        assert answer.status_code == 403
        assert "X-Prismsearch" in answer.json()["error"]
    assert client.post("/api/change", json={"a": 1}, headers={"X-Prismsearch": "1"}).json() == {"sent": {"a": 1}}


def test_browsers_are_told_what_they_may_do() -> None:
    client = guarded()
    for address in ("/", "/api/read", "/api/nothing"):
        headers = client.get(address).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert "frame-ancestors" in headers["content-security-policy"]
    assert client.get("/api/read").headers["cache-control"] == "no-store"
    assert "default-src 'none'" in client.get("/api/read").headers["content-security-policy"]


# What is sent to us


def asking(answer: Any) -> TestClient:
    routes = [route("/api/it", answer, method) for method in ("GET", "POST")]
    return TestClient(
        Starlette(routes=routes, middleware=[Middleware(SecurityMiddleware)]),
        base_url=ORIGIN,
        headers={"X-Prismsearch": "1"},
    )


def test_bodies_are_bounded_whether_or_not_they_say_how_long_they_are() -> None:
    client = asking(lambda request: {"length": len(request.body)})
    assert client.post("/api/it", json="x" * 1000).json() == {"length": 1000}
    assert client.post("/api/it", json="x" * (MAX_BODY_BYTES + 1)).status_code == 413
    pulled = []

    def endless() -> Any:
        while len(pulled) < 1000:
            pulled.append(1)
            yield b"x" * 65536

    lying = {"Content-Length": str(5 << 30), "Content-Type": "application/json"}
    assert client.post("/api/it", content=b"[]", headers=lying).status_code == 413
    assert client.post("/api/it", content=endless(), headers={"Content-Type": "application/json"}).status_code == 413


@pytest.mark.parametrize(
    "content",
    [b"{", b"\xff\xfe", b"[" * 100_000, b"1" * 10_000, b'{"a": nul}'],
    ids=["cut", "bytes", "deep", "long", "no"],
)
def test_what_is_not_json_is_400(content: bytes) -> None:
    client = asking(lambda request: {})
    answer = client.post("/api/it", content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert "JSON" in answer.json()["error"]
    assert client.post("/api/it", content=b"a=1", headers={"Content-Type": "text/plain"}).status_code == 415


class AnyMembers(Body):
    name: Annotated[str, Field(max_length=20), NO_NULL, NOT_BLANK]
    count: Integer = 0
    many: list[Integer] = Field(default_factory=list, max_length=5)
    mode: Literal["zip", "folder"] = "zip"
    note: Annotated[str, Field(max_length=9)] | None = None
    size: Number = 0.0


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"name": "a", "count": 3, "many": [1], "mode": "zip", "note": None, "size": 1.5}, 200),
        ({"name": "a"}, 200),
        (None, 400),
        ([], 400),
        ({}, 400),
        ({"name": 1}, 400),
        ({"name": "  "}, 400),
        ({"name": "x" * 21}, 400),
        ({"name": "a\0b"}, 400),
        ({"name": "\ud800"}, 400),
        ({"name": "a", "count": True}, 400),
        ({"name": "a", "count": 1.5}, 400),
        ({"name": "a", "count": 2**63}, 400),
        ({"name": "a", "count": "1"}, 400),
        ({"name": "a", "many": {}}, 400),
        ({"name": "a", "many": [1, "2"]}, 400),
        ({"name": "a", "many": [1] * 6}, 400),
        ({"name": "a", "mode": "tar"}, 400),
        ({"name": "a", "mode": ["zip"]}, 400),
        ({"name": "a", "note": 3}, 400),
        ({"name": "a", "size": float("nan")}, 400),
        ({"name": "a", "size": float("inf")}, 400),
        ({"name": "a", "size": 10**400}, 400),
    ],
)
def test_wrong_types_are_400_with_a_sentence(body: Any, status: int) -> None:
    def answer(request: ApiRequest) -> dict[str, Any]:
        return {"kept": sorted(request.json(AnyMembers).model_fields_set)}

    sent = json.dumps(body).encode()
    got = asking(answer).post("/api/it", content=sent, headers={"Content-Type": "application/json"})
    assert got.status_code == status
    if status != 200:
        assert got.json()["error"].endswith(".")


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ([], "A JSON object is needed."),
        ({}, "`name` is missing."),
        ({"name": 1}, "`name` must be text."),
        ({"name": " "}, "`name` is blank; enter something."),
        ({"name": "x" * 21}, "`name` is longer than 20 characters; shorten it."),
        ({"name": "a\0b"}, "`name` contains characters that cannot be stored."),
        ({"name": "\ud800"}, "`name` contains characters that cannot be stored."),
        ({"name": "a", "count": "1"}, "`count` must be a whole number."),
        ({"name": "a", "count": 2**63}, "`count` must be a whole number."),
        ({"name": "a", "count": -(2**63)}, "`count` must be a whole number."),
        ({"name": "a", "many": "x"}, "`many` must be a list."),
        ({"name": "a", "many": [1, "2"]}, "`many` must be a whole number."),
        ({"name": "a", "many": [1] * 6}, "`many` has more than 5; send fewer at a time."),
        ({"name": "a", "mode": "tar"}, "`mode` must be one of zip, folder."),
        ({"name": "a", "size": float("nan")}, "`size` must be a number."),
        ({"name": "a", "size": "1"}, "`size` must be a number."),
    ],
)
def test_the_sentences_about_bodies_are_ours(body: Any, sentence: str) -> None:
    """Pydantic's own texts, with their links and excerpts of what was sent, are never shown."""
    with pytest.raises(ApiError) as raised:
        validated(AnyMembers, body)
    assert (raised.value.status, raised.value.sentence) == (400, sentence)


@pytest.mark.parametrize(
    ("error", "status", "word"),
    [
        (LibraryBusy("Another process has kept the library locked; wait."), 503, "Another process"),
        (LibraryFull("There is no space left on the disk of the library."), 507, "no space"),
        (LibraryDamaged("library.sqlite3 is not a valid library file."), 500, "not a valid"),
        (OSError(28, "No space left on device"), 507, "full"),
        (PermissionError(13, "Permission denied"), 403, "permissions"),
        (FileNotFoundError(2, "No such file or directory"), 404, "drive"),
        (OSError(5, "Input/output error"), 500, "disk"),
        (RuntimeError("secret detail <script>"), 500, "RuntimeError"),
    ],
)
def test_errors_become_sentences(error: Exception, status: int, word: str) -> None:
    def fail(_: ApiRequest) -> None:
        raise error

    answer = asking(fail).get("/api/it")
    assert answer.status_code == status
    assert word in answer.json()["error"]
    assert "<script>" not in answer.text


# Every route there is


PAYLOADS = [
    "..", "../..", "../../library.sqlite3", "..%2f..%2flibrary.sqlite3", "%2e%2e%2f%2e%2e%2fsecret.txt",
    "....//....//secret.txt", "..%5c..%5csecret.txt", "%252e%252e%252fsecret.txt", "/etc/passwd", "%2fetc%2fpasswd",
    "file:%2f%2f%2fetc%2fpasswd", "1%00.jpg", "~root", "-1", "0", "1e3", "9" * 30, "<script>alert(1)</script>",
    "%3Cscript%3E", "'; DROP TABLE videos; --", "%ff%fe", "secret.txt", ".", "C:%5csecret.txt",
]  # fmt: skip


def test_no_route_reads_anything_but_its_own(tmp_path: Path) -> None:
    """Every parameter of every route gets every payload; no answer may hold the secret, or fail in prismsearch."""
    library = small_library(tmp_path)
    secret = "the-secret-of-this-test"
    for place in (tmp_path, library.directory, library.directory / "media", library.directory / "runs"):
        place.mkdir(exist_ok=True)
        (place / "secret.txt").write_text(secret)
    client = client_of(library)
    known = str(segment_ids(library)[0])
    tried = 0
    for each in our_routes(Settings(library=library.directory), library, Proxies(library.directory / "proxies")):
        names = list(each.param_convertors)
        for name in names:
            for payload in PAYLOADS:
                address = each.path.replace(":path}", "}")
                for other in names:
                    address = address.replace(f"{{{other}}}", payload if other == name else known)
                for method in sorted(each.methods or ()):
                    answer = client.request(method, address)
                    tried += 1
                    assert answer.status_code < 500, f"{method} {address}: {answer.text[:300]}"
                    assert secret not in answer.text, f"{method} {address}"
                    assert b"SQLite format 3" not in answer.content, f"{method} {address}"
                    assert "root:" not in answer.text, f"{method} {address}"
                    assert "text/html" not in answer.headers.get("content-type", ""), f"{method} {address}"
    assert tried > 500


def test_what_is_no_route_of_ours_is_404_in_json(library: Library) -> None:
    client = client_of(library)
    for method, address in (
        ("GET", "/api/"),
        ("GET", "/api/nothing"),
        ("POST", "/api/poster/1"),
        ("DELETE", "/api/x/y"),
    ):
        answer = client.request(method, address)
        assert answer.status_code == 404
        assert answer.json()["error"]


def test_what_may_take_long_is_done_one_at_a_time_and_only_for_those_who_wait() -> None:
    began: list[str] = []
    now, go_on = threading.Semaphore(0), threading.Semaphore(0)

    def slow(request: ApiRequest) -> dict[str, Any]:
        began.append(request.query["who"])
        now.release()
        assert go_on.acquire(timeout=60)
        return {}

    routes = [route("/api/slow", slow, max_concurrent=1), route("/api/quick", lambda request: {})]
    app = Starlette(routes=routes, middleware=[Middleware(SecurityMiddleware)])
    with live(app) as port, ExitStack() as open_until_the_end:
        asking = []
        for who in "abc":
            connection = open_until_the_end.enter_context(socket.create_connection(("127.0.0.1", port)))
            connection.sendall(request_bytes(port, "GET", f"/api/slow?who={who}", {}))
            asking.append(connection)
            if who == "a":
                assert now.acquire(timeout=60)
        asking[1].close()
        for _ in range(2):  # what is answered later than that was seen by the server
            with socket.create_connection(("127.0.0.1", port)) as connection:
                connection.sendall(request_bytes(port, "GET", "/api/quick", {}))
                assert answer_of(connection)[0] == 200
        go_on.release()
        assert answer_of(asking[0])[0] == 200
        assert now.acquire(timeout=60)
        go_on.release()
        assert answer_of(asking[2])[0] == 200
    assert began == ["a", "c"]


def test_a_handler_that_is_told_can_end_when_its_browser_goes() -> None:
    began, ended = threading.Semaphore(0), threading.Semaphore(0)

    def slow(request: ApiRequest) -> dict[str, Any]:
        if "wrong" in request.query:
            raise ApiError(418, "This is wrong.")
        began.release()
        for _ in range(6000):
            if request.gone():
                ended.release()
                break
            threading.Event().wait(0.01)
        return {}

    told = route("/api/slow", slow, max_concurrent=1, tell_gone=True)
    with live(Starlette(routes=[told], middleware=[Middleware(SecurityMiddleware)])) as port:
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(request_bytes(port, "GET", "/api/slow", {}))
            assert began.acquire(timeout=60)
        assert ended.acquire(timeout=60)
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(request_bytes(port, "GET", "/api/slow?wrong=1", {}))
            assert answer_of(connection)[0] == 418
