"""Attacks on a page for several people, at the real server: docs/network.md lists what is tried here and elsewhere."""

from __future__ import annotations

import http.client
import os
import re
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from browser_app import App
from page_library import segment_ids, small_library
from test_access_of_others import STRANGER, ask, every_request
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect as open_socket

from app.jobs.jobs import Jobs
from app.shell.passwords import Passwords
from db.library import Library

pytest.importorskip("argon2", reason="the extra `server` is not installed")

PASSWORD = {name: f"the very own password of {name}" for name in ("Anna", "Bo")}
STRANGE_ADDRESSES = (
    "/api/../api/library", "/login/../api/library", "/login/..%2fapi/library", "/login/..;/api/library",
    "/healthz/../api/library", "/healthz/api/library", "//api/library", "/./api/library", "/api//library",
    "/%61pi/library", "/api/library/", "/API/LIBRARY", "/api/library?/login", "/api/library#/login",
    "/api/library;x=/login", "/api/library%00", "/api/library%0d%0aX: y", "/login?x=/api/library",
    "/static/../api/library", "/media/../../../../../../etc/passwd", "/static/..%2f..%2f..%2f..%2fetc%2fpasswd",
    "/api/assets/..%2f..%2f..%2fserver.py", "/component/x/..%2f..%2f..%2fetc%2fpasswd",
    "/app/static/..%2f..%2fetc%2fpasswd", "/_stcore/upload_file/..%2f..%2fx/y", "http://127.0.0.1/api/library",
    "*", "api/library", "\\api\\library", "/..\\..\\..\\..\\etc\\passwd",
)  # fmt: skip


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """A page for Anna, who may all, and Bo, who may search; with shots to collect."""
    with small_library(tmp_path_factory.mktemp("attacked")) as library:
        passwords = Passwords()
        library.people.add("Anna", "delete", passwords.hashed(PASSWORD["Anna"]))
        library.people.add("Bo", "search", passwords.hashed(PASSWORD["Bo"]))
    with App(library.directory, "--listen", f"127.0.0.1:{free_port()}") as running:
        yield running


def request(app: App, method: str, path: str, body: str = "", **headers: str) -> tuple[int, dict[str, str], bytes]:
    """What the server answers to a browser on its own page."""
    connection = http.client.HTTPConnection(app.address.removeprefix("http://"), timeout=60)
    given = {"Origin": app.address, "X-Prismsearch": "1"} | {
        name.replace("_", "-"): each for name, each in headers.items()
    }
    connection.request(method, path, body or None, given)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, {name.lower(): value for name, value in answer.headers.items()}, content


def try_to_log_in(app: App, name: str, password: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    form = urlencode({"name": name, "password": password})
    return request(app, "POST", "/login", form, Content_Type="application/x-www-form-urlencoded", **headers)


def cookie_of(app: App, name: str) -> str:
    """The `name=value` of a log-in."""
    status, headers, _ = try_to_log_in(app, name, PASSWORD[name])
    assert status == 303, status
    return headers["set-cookie"].partition(";")[0]


def test_every_route_and_socket_asks_for_a_log_in_streamlits_included(app: App) -> None:
    _, refused, _ = ask(app, every_request(app.library), args=[sys.executable, "-c", STRANGER])
    assert len(refused) > 90
    assert {address for address, statuses in refused.items() if statuses != {401}} == set()


def test_no_spelling_of_an_address_leads_around_the_log_in(app: App) -> None:
    name = next(each.name for each in (app.library.parent / "videos").iterdir())
    for address in STRANGE_ADDRESSES:
        with socket.create_connection(("127.0.0.1", int(app.address.rpartition(":")[2])), timeout=30) as connection:
            head = f"GET {address} HTTP/1.1\r\nHost: {app.address.removeprefix('http://')}\r\nConnection: close\r\n\r\n"
            connection.sendall(head.encode())
            content = b"".join(iter(lambda found=connection: found.recv(65536), b""))
        status = int(content.split()[1])
        is_form = address.startswith("/login?")
        assert status in ((200,) if is_form else (400, 401, 404)), (address, status)
        assert name.encode() not in content
        assert b"root:" not in content


def test_a_second_request_hidden_in_a_first_is_no_more_welcome(app: App) -> None:
    """Two lengths, and a body that looks like a request."""
    host = app.address.removeprefix("http://")
    inner = f"GET /api/library HTTP/1.1\r\nHost: {host}\r\n\r\n"
    for head in (
        f"POST /login HTTP/1.1\r\nHost: {host}\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        f"POST /login HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\nContent-Length: 60\r\n\r\n",
        f"GET /healthz HTTP/1.1\r\nHost: {host}\r\nContent-Length: 5\r\n\r\nhello",
    ):
        with socket.create_connection(("127.0.0.1", int(app.address.rpartition(":")[2])), timeout=30) as connection:
            connection.sendall((head + inner).encode())
            connection.settimeout(5)
            content = b""
            try:
                while part := connection.recv(65536):
                    content += part
            except TimeoutError:
                pass
        assert b'"videos"' not in content, head


def test_forged_cookies_and_headers_let_nobody_in(app: App) -> None:
    name, _, value = cookie_of(app, "Anna").partition("=")
    with Library.open(app.library) as library, library._database.reading() as connection:
        digests = connection.exec_driver_sql("SELECT token FROM sign_ins").scalars().all()
        people = library.people.all()
    lone = name.removesuffix("-login")
    tries: list[dict[str, str]] = [
        *({"Cookie": f"{name}={digest}"} for digest in digests),
        {"Cookie": f"{name}={value[:-1]}{'a' if value[-1] != 'a' else 'b'}"},
        {"Cookie": f"{lone}={value}"},
        {"Cookie": f"{lone}={int(time.time())}.{'0' * 64}"},
        {"Cookie": f"_streamlit_user={value}"},
        *({"X_Prismsearch_Person": str(each.id)} for each in people),
        *({header: "Anna"} for header in ("X_Remote_User", "Remote_User", "X_Forwarded_User", "Authorization")),
        {"X_Forwarded_For": "127.0.0.1", "X_Forwarded_Proto": "https", "X_Real_Ip": "127.0.0.1"},
    ]
    for each in tries:
        assert request(app, "GET", "/api/library", **each)[0] == 401, each
    assert request(app, "GET", "/?token=1.2.3")[0] == 401, "a token of a page for one person is nothing here"
    assert request(app, "GET", "/api/library", Cookie=f"{name}={value}")[0] == 200


def test_a_page_of_another_site_reaches_nothing_of_somebody_who_is_logged_in(app: App) -> None:
    cookie = cookie_of(app, "Anna")
    for headers in ({"Origin": "http://evil.example"}, {"Sec_Fetch_Site": "cross-site"}, {"X_Prismsearch": "0"}):
        answer = request(
            app, "POST", "/api/collections", '{"name": "x"}', Cookie=cookie, Content_Type="application/json", **headers
        )
        assert answer[0] == 403, headers
    assert request(app, "GET", "/api/library", Cookie=cookie, Host="evil.example")[0] == 400
    with pytest.raises(InvalidStatus) as refused:
        connect(app, cookie, origin="http://evil.example")
    assert "403" in str(refused.value)


def connect(app: App, cookie: str, *, origin: str = "", session: str = "") -> Any:
    """Streamlit's web socket, as its front end opens it. session: the id of a session to go on with."""
    protocols = ["streamlit", "", session] if session else ["streamlit"]
    protocols = [each or "placeholder" for each in protocols]
    return open_socket(
        f"{app.address.replace('http', 'ws')}/_stcore/stream",
        subprotocols=protocols,
        origin=origin or app.address,
        additional_headers={"Cookie": cookie},
        max_size=1 << 26,
    )


def begin_session(connection: Any) -> str:
    """Run the script of the page, and give the id of Streamlit's session."""
    from streamlit.proto.BackMsg_pb2 import BackMsg
    from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

    asked = BackMsg()
    asked.rerun_script.query_string = ""
    connection.send(asked.SerializeToString())
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        message = ForwardMsg()
        message.ParseFromString(connection.recv(timeout=60))
        if message.WhichOneof("type") == "new_session":
            return str(message.new_session.initialize.session_id)
    raise AssertionError("no session")


def test_nobody_goes_on_with_the_streamlit_session_of_another_person(app: App) -> None:
    anna, bo = cookie_of(app, "Anna"), cookie_of(app, "Bo")
    with connect(app, anna) as connection:
        session = begin_session(connection)
        with connect(app, bo, session=session) as other:
            assert begin_session(other) != session
    with connect(app, bo, session=session) as other:  # nor once she has closed her tab
        assert begin_session(other) != session
    with connect(app, anna, session=session) as again:
        assert begin_session(again) == session, "as she herself does after a break of her network"


def test_nobody_fills_the_memory_by_uploads_of_streamlit(app: App) -> None:
    cookie = cookie_of(app, "Bo")
    with connect(app, cookie) as connection:
        session = begin_session(connection)
        token = request(app, "GET", "/_stcore/health", Cookie=cookie)[1]["set-cookie"].partition(";")[0]
        form = '--b\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\nx\r\n--b--\r\n'
        headers = {"Cookie": f"{cookie}; {token}", "X_Xsrftoken": token.partition("=")[2]}
        headers["Content_Type"] = "multipart/form-data; boundary=b"
        for method in ("PUT", "DELETE"):
            path = f"/_stcore/upload_file/{session}/file"
            assert request(app, method, path, form, **headers)[0] == 404


def test_an_open_socket_ends_with_the_log_in(app: App) -> None:
    cookie = cookie_of(app, "Bo")
    with connect(app, cookie) as connection:
        begin_session(connection)
        assert request(app, "POST", "/logout", Cookie=cookie)[0] == 200
        with pytest.raises(ConnectionClosed):
            begin_session(connection)
    assert request(app, "GET", "/api/library", Cookie=cookie)[0] == 401


def test_no_password_and_no_cookie_stands_in_a_log_a_journal_a_process_or_the_library(app: App) -> None:
    """After log-ins, right and wrong, and an export by a job of its own."""
    secrets = [*PASSWORD.values(), "a wrong password 4711"]
    try_to_log_in(app, "Anna", "a wrong password 4711")
    try_to_log_in(app, "a wrong password 4711", "typed into the wrong field")
    cookie = cookie_of(app, "Anna")
    secrets.append(cookie.partition("=")[2])
    told = request(app, "GET", "/api/collections", Cookie=cookie)[2].decode()
    [tray] = re.findall(r'"tray":(\d+)', told)
    with Library.open(app.library) as library:
        segment = segment_ids(library)[0]
    json_type = {"Cookie": cookie, "Content_Type": "application/json"}
    items = f'{{"items": [{{"segment": {segment}}}]}}'
    assert request(app, "POST", f"/api/collections/{tray}/subclips", items, **json_type)[0] == 200
    order = f'{{"collection": {tray}, "to": "zip", "mode": "none", "lists": ["csv"]}}'
    status, _, content = request(app, "POST", "/api/exports", order, **json_type)
    assert status == 200, content
    processes: list[bytes] = []
    deadline = time.monotonic() + 90
    while any(state.running for state in Jobs(app.library).all()):
        processes += all_of_processes()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert [state.outcome for state in Jobs(app.library).all()] == ["done"]
    processes += all_of_processes()
    kept = {str(path): path.read_bytes() for path in app.library.rglob("*") if path.is_file()}
    assert any("runs" in path for path in kept)
    for secret in secrets:
        assert not any(secret in line for line in app.lines)
        assert [path for path, content in kept.items() if secret.encode() in content] == []
        assert not any(secret.encode() in each for each in processes)


def all_of_processes() -> list[bytes]:
    """Command lines and environments of our processes, where the system shows them."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        for name in ("cmdline", "environ"):
            try:
                found.append((folder / name).read_bytes())
            except OSError:
                continue
    own = str(os.getpid()).encode()
    return [each for each in found if own not in each]


def test_guessing_is_stopped_at_the_real_server(app: App) -> None:
    """Last: it locks this address for a while."""
    answers = [try_to_log_in(app, "Bo", f"guess {number}") for number in range(7)]
    assert [each[0] for each in answers][-2:] == [429, 429]
    assert int(answers[-1][1]["retry-after"]) > 0
    assert try_to_log_in(app, "Bo", PASSWORD["Bo"])[0] == 429
    assert try_to_log_in(app, "Bo", PASSWORD["Bo"], X_Forwarded_For="203.0.113.9")[0] == 429, (
        "an address of one's own making"
    )
    with Library.open(app.library) as library:
        assert library.people.events.latest(1)[0].action == "log-in failed"
