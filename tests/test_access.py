"""The cookie and the tokens of the page's person, and the secret behind them."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
from page_library import ORIGIN
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket

from app.shell.errors import CommandError
from app.web.http.access import COOKIE_SECONDS, TOKEN_SECONDS, Access, AccessMiddleware, new_token
from app.web.http.security import SecurityMiddleware
from app.web.services.open_pages import announced, open_pages, redirect_file, this_page
from app.web.services.page_secret import SECRET_BYTES, page_folder, page_secret

SECRET, NOW, DAY = b"s" * SECRET_BYTES, 1_800_000_000.0, 86400
SOCKET = "ws://127.0.0.1:8501/_stcore/stream"
HTML = {"Accept": "text/html,*/*"}
PRIVATE = pytest.mark.skipif(os.name == "nt", reason="files have no owner and mode there")


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


def page_of(clock: Clock, *, server: str = "one", library: str = "id") -> TestClient:
    """A page, something of the API and a web socket, as one start of a server has them."""

    async def page(_: Any) -> PlainTextResponse:
        return PlainTextResponse("page")

    async def socket(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.close()

    routes = [Route(path, page, methods=["GET", "POST"]) for path in ("/", "/search", "/api/x", "/_stcore/health")]
    guards = [
        Middleware(SecurityMiddleware),
        Middleware(AccessMiddleware, access=Access(SECRET, library, server), clock=clock),
    ]
    app = Starlette(routes=[*routes, WebSocketRoute("/_stcore/stream", socket)], middleware=guards)
    return TestClient(app, base_url=ORIGIN, headers={"X-Prismsearch": "1"}, follow_redirects=False)


def entry(*, server: str = "one", secret: bytes = SECRET, now: float = NOW) -> str:
    return f"/?token={new_token(secret, server, now=now)}"


def signed_in(clock: Clock, **server: str) -> TestClient:
    client = page_of(clock, **server)
    assert client.get(entry(server=server.get("server", "one"), now=clock.now)).status_code == 303
    return client


def test_without_the_cookie_nothing_is_answered_but_how_to_get_in() -> None:
    client = page_of(Clock())
    for path in ("/", "/search", "/api/x", "/_stcore/health", "/nothing"):
        for method in ("GET", "HEAD", "POST", "OPTIONS"):
            assert client.request(method, path).status_code == 401, (method, path)
    assert "prismsearch ui --url" in client.get("/api/x").json()["error"]
    shown = client.get("/search", headers=HTML)
    assert (shown.status_code, "prismsearch ui --url" in shown.text, "<script" in shown.text) == (401, True, False)
    assert "default-src 'none'" in shown.headers["content-security-policy"]
    with pytest.raises(Exception) as refused, client.websocket_connect(SOCKET):
        pytest.fail("must not be accepted")
    assert getattr(refused.value, "status_code", None) == 401


def test_the_token_works_once_and_leaves_the_address() -> None:
    clock = Clock()
    client, other, address = page_of(clock), None, entry()
    came = client.get(f"{address}&q=a%20fox&x", headers=HTML)
    assert (came.status_code, came.headers["location"]) == (303, "/?q=a%20fox&x")
    assert re.search(r"; Path=/; Max-Age=\d+; HttpOnly; SameSite=Lax$", came.headers["set-cookie"])
    assert came.headers["referrer-policy"] == "no-referrer"
    assert client.get("/api/x").text == "page"
    with client.websocket_connect(SOCKET):
        pass
    client.cookies.clear()
    other = client.get(address, headers=HTML)
    assert (other.status_code, "used before" in other.text, "set-cookie" in other.headers) == (401, True, False)


def test_a_browser_that_is_in_uses_a_token_up_as_well() -> None:
    client = signed_in(Clock())
    again = entry()
    assert client.get(again).headers["location"] == "/"
    client.cookies.clear()
    assert client.get(again).status_code == 401


@pytest.mark.parametrize(
    "address",
    [
        entry(server="an earlier start"),
        entry(secret=b"t" * SECRET_BYTES),
        entry(now=NOW - TOKEN_SECONDS),
        entry(now=NOW + DAY),
        entry()[:-1] + "x",
        entry().replace(".18", ".19"),
        "/?token=",
        "/?token=..",
        "/?token=a.b.c",
        "/?token=%C3%A9%ff",
        "/?token=\u00e9",
    ],
)
def test_no_other_token_is_good(address: str) -> None:
    answer = page_of(Clock()).get(address, headers=HTML)
    assert (answer.status_code, "set-cookie" in answer.headers) == (401, False)


def test_only_the_page_itself_takes_a_token() -> None:
    client, query = page_of(Clock()), entry()[2:]
    for path in (f"/search?{query}", f"/api/x?{query}"):
        assert client.get(path).status_code == 401
    assert client.post(f"/?{query}").status_code == 401
    assert client.get(f"/?{query}").status_code == 303, "which is still unused"


def test_a_cookie_survives_a_restart_and_belongs_to_its_library() -> None:
    clock = Clock()
    cookies = signed_in(clock).cookies
    again = page_of(clock, server="two")
    again.cookies = cookies
    assert again.get("/").status_code == 200
    theirs = page_of(clock, library="another")
    theirs.cookies = cookies
    assert theirs.get("/").status_code == 401
    assert theirs.get(entry()).status_code == 303
    assert len(theirs.cookies) == 2, "neither library overwrites the cookie of the other"


def test_a_cookie_in_use_is_renewed_and_an_old_one_ends() -> None:
    clock = Clock()
    client = signed_in(clock)
    assert "set-cookie" not in client.get("/", headers=HTML).headers
    clock.now += 2 * DAY
    assert "set-cookie" not in client.get("/api/x").headers
    old = dict(client.cookies)
    assert "set-cookie" in client.get("/", headers=HTML).headers
    assert dict(client.cookies) != old
    clock.now += COOKIE_SECONDS - DAY
    assert client.get("/").status_code == 200
    clock.now += DAY
    client.cookies.update(old)
    assert client.get("/").status_code == 401


@pytest.mark.parametrize("change", ["x", "", "0", ".", "é", "="])
def test_a_changed_cookie_is_none(change: str) -> None:
    access = Access(SECRET, "id", "one")
    value = access.new_cookie(now=NOW).partition(";")[0]
    good = Headers(raw=[(b"cookie", f"other=1; {value}; last".encode())])
    assert access.cookie_age(good, now=NOW) == 0
    for changed in (value.replace("=", f"={change}", 1) if change else "", value[:-1] + change, f"{value}{change}x"):
        assert access.cookie_age(Headers(raw=[(b"cookie", changed.encode())]), now=NOW) is None
    assert access.cookie_age(good, now=NOW - DAY) is None, "from the future"


# The secret


def test_the_secret_is_made_once_and_open_to_nobody_else(tmp_path: Path) -> None:
    folder = page_folder(tmp_path / "state", tmp_path / "library")
    first = page_secret(folder, "../../id")
    assert len(first) == SECRET_BYTES
    assert page_secret(folder, "../../id") == first
    assert page_secret(folder, "another") != first
    if os.name != "nt":
        assert [oct(path.stat().st_mode & 0o777) for path in (folder, *folder.iterdir())] == ["0o700", "0o600", "0o600"]


def test_the_secret_never_lies_in_the_library(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="inside the library"):
        page_folder(tmp_path / "library" / "state", tmp_path / "library")


@PRIVATE
def test_a_secret_that_others_could_have_made_or_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = page_folder(tmp_path, tmp_path / "library")
    page_secret(folder, "id")
    [path] = folder.iterdir()
    path.chmod(0o640)
    with pytest.raises(CommandError, match="open to other users"):
        page_secret(folder, "id")
    path.write_bytes(b"short")
    path.chmod(0o600)
    with pytest.raises(CommandError, match="damaged"):
        page_secret(folder, "id")
    for target in (tmp_path / "elsewhere", tmp_path / "missing"):
        path.unlink()
        (tmp_path / "elsewhere").write_bytes(SECRET)
        path.symlink_to(target)
        with pytest.raises(CommandError, match="link"):
            page_secret(folder, "id")
    path.unlink()
    os.mkfifo(path, 0o600)
    with pytest.raises(CommandError, match="not a file"):
        page_secret(folder, "id")
    folder.chmod(0o755)
    with pytest.raises(CommandError, match="chmod 700"):
        page_folder(tmp_path, tmp_path / "library")
    folder.chmod(0o700)
    real = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: real + 1)
    with pytest.raises(CommandError, match="another user"):
        page_folder(tmp_path, tmp_path / "library")
    monkeypatch.undo()
    folder.rename(tmp_path / "moved")
    folder.symlink_to(tmp_path / "moved")
    with pytest.raises(CommandError, match="link"):
        page_folder(tmp_path, tmp_path / "library")


def test_a_page_is_found_while_it_runs(tmp_path: Path) -> None:
    folder = page_folder(tmp_path, tmp_path / "library")
    with announced(folder, "id", this_page(8501, "one")), announced(folder, "id", this_page(8502, "two")):
        assert sorted(page.server for page in open_pages(folder, "id")) == ["one", "two"]
        assert open_pages(folder, "another") == []
        with redirect_file(folder, "http://127.0.0.1/?token=a&b") as path:
            assert 'url=http://127.0.0.1/?token=a&amp;b"' in path.read_text()
            assert os.name == "nt" or path.stat().st_mode & 0o077 == 0
        assert not path.exists()
    assert open_pages(folder, "id") == []


def test_a_note_of_a_killed_server_is_not_believed(tmp_path: Path) -> None:
    folder = page_folder(tmp_path, tmp_path / "library")
    page = this_page(8501, "one")
    with announced(folder, "id", page):
        [note] = folder.iterdir()
        note.write_text(note.read_text().replace(f'"create_time": {page.process.create_time}', '"create_time": 1.5'))
        assert open_pages(folder, "id") == []
        for content in ("", "{}", "[]", '{"port": "x"}'):
            note.write_text(content)
            assert open_pages(folder, "id") == []
