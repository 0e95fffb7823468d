"""A page for several people lets in who is logged in, and nobody else, to nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from people_page import (
    ASKED,
    DAY,
    HOST,
    HTML,
    ORIGIN,
    SOCKET,
    Clock,
    add_person,
    everything,
    log_in,
    password_of,
    people_page,
    who,
)
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from app.web.http.access import cookie_name
from app.web.http.people_access import ADDRESS_HEADER, PERSON_HEADER, TROUBLE
from app.web.http.sign_in import IDLE_SECONDS, LONGEST_SECONDS
from db.errors import LibraryBusy, LibraryFull
from db.library import Library


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.open(tmp_path) as opened:
        add_person(opened, "Anna", "delete")
        add_person(opened, "Bo", "search")
        opened.people.add("Proxied", "search", None)
        yield opened


def cookie_of(client: TestClient) -> tuple[str, str]:
    [(name, value)] = client.cookies.items()
    return name, value


def socket_status(client: TestClient) -> int | None:
    with pytest.raises(Exception) as refused, client.websocket_connect(SOCKET):
        pytest.fail("must not be accepted")
    return getattr(refused.value, "status_code", None)


# Nobody


def test_without_a_log_in_nothing_is_answered_but_the_form(library: Library, clock: Clock) -> None:
    client = people_page(library, clock)
    for each in everything(clock)[:-1]:
        for method in ("GET", "HEAD", "POST", "PUT", "OPTIONS"):
            refused = client.request(method, each.path)
            assert (refused.status_code, refused.headers["x-prismsearch-login"]) == (401, "1"), (method, each.path)
    assert client.get("/nothing").status_code == 401
    assert socket_status(client) == 401
    shown = client.get("/search?q=a%20fox", headers=HTML)
    assert (shown.status_code, "<script" in shown.text, 'type="password"' in shown.text) == (401, False, True)
    assert "default-src 'none'" in shown.headers["content-security-policy"]
    assert shown.headers["cache-control"] == "no-store"
    assert library.id not in shown.text + str(shown.headers)


def test_a_link_of_another_site_comes_once_more_with_the_cookie(library: Library, clock: Clock) -> None:
    """It is same-site only, so that the browser leaves it out at first."""
    client = people_page(library, clock)
    shown = client.get("/search?q=%22><b>", headers={**HTML, "Sec-Fetch-Site": "cross-site"})
    assert (shown.status_code, "<input" in shown.text) == (200, False)
    assert '<meta http-equiv="refresh" content="0; url=/search?q=%22%3E%3Cb%3E">' in shown.text
    assert "<input" in client.get("/search", headers={**HTML, "Sec-Fetch-Site": "same-origin"}).text


# Logging in and out


def test_a_person_logs_in_by_name_and_password(library: Library, clock: Clock) -> None:
    client = people_page(library, clock)
    came = log_in(client, "anna", password_of("Anna"), to="/search?q=a%20fox")
    assert (came.status_code, came.headers["location"]) == (303, "/search?q=a%20fox")
    pattern = rf"prismsearch-[0-9a-f]+-login=[\w-]{{43}}; Path=/; Max-Age={LONGEST_SECONDS}; HttpOnly; SameSite=Strict"
    assert re.fullmatch(pattern, came.headers["set-cookie"])
    seen = client.get("/api/x").json()
    anna = library.people.all()[0]
    assert seen == {
        "id": anna.id,
        "name": "Anna",
        "address": "10.0.0.7",
        "headers": [[str(anna.id)], ["10.0.0.7"]],
    }
    with client.websocket_connect(SOCKET) as socket:
        socket.send_bytes(ASKED)
        assert socket.receive_json() == seen


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("Anna", ""),
        ("Anna", "password of Bo"),
        ("Anna", "password of Anna "),
        ("Nobody", "password of Nobody"),
        ("", ""),
        ("Proxied", ""),
        ("Proxied", "None"),
        ("\x00", "\x00"),
        ("\ud83d", "x"),
    ],
)
def test_nothing_else_logs_in(library: Library, clock: Clock, name: str, password: str) -> None:
    client = people_page(library, clock)
    fields = {"name": name.encode("utf-8", "surrogatepass"), "password": password}
    refused = client.post("/login", data=fields)
    assert (refused.status_code, "set-cookie" in refused.headers) == (403, False)
    assert "The name or the password is wrong" in refused.text
    assert who(client) is None


def test_an_unknown_name_is_refused_as_a_wrong_password_is(library: Library, clock: Clock) -> None:
    client = people_page(library, clock)
    known, unknown = (log_in(client, name, "wrong") for name in ("Bo", "Xx"))
    assert known.text.replace('"Bo"', '"Xx"') == unknown.text
    assert known.status_code == unknown.status_code


@pytest.mark.parametrize(
    "to",
    [
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "javascript:alert(1)",
        "/search/../../x",
        "/api/collections",
        "/search?q=a\r\nSet-Cookie: x=y",
        "/search?q=\u00e9",
        "search",
        "",
    ],
)
def test_a_log_in_leads_to_our_own_pages_only(library: Library, clock: Clock, to: str) -> None:
    assert log_in(people_page(library, clock), "Anna", to=to).headers["location"] == "/"


def test_what_was_typed_comes_back_as_text_without_the_password(library: Library, clock: Clock) -> None:
    shown = log_in(people_page(library, clock), '"><script>', "hunter22 hunter22", to='/search?q="><b>').text
    assert "<script" not in shown
    assert "<b>" not in shown
    assert "hunter22" not in shown
    assert 'value="&quot;&gt;&lt;script&gt;"' in shown


def test_a_form_of_another_site_logs_nobody_in(library: Library, clock: Clock) -> None:
    client = people_page(library, clock)
    fields = {"name": "Anna", "password": password_of("Anna")}
    for origin in ("http://evil.example", "null", f"https://{HOST}"):
        assert client.post("/login", data=fields, headers={"Origin": origin}).status_code == 403
    del client.headers["Origin"]
    assert client.post("/login", data=fields).status_code == 403
    assert client.post("/logout").status_code == 403
    assert client.get("/login", params=fields).status_code == 200
    assert not client.cookies, "a password in an address is not even looked at"


def test_forms_that_are_none(library: Library, clock: Clock) -> None:
    client = people_page(library, clock)
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert client.post("/login", json={"name": "Anna"}).status_code == 415
    assert client.post("/login", content=b"name=" + b"a" * 40_000, headers=form).status_code == 413
    assert client.post("/login", content="name=é".encode(), headers=form).status_code == 400
    assert client.post("/login", content=b"&".join([b"a=b"] * 9), headers=form).status_code == 400
    assert client.put("/login").status_code == client.get("/logout").status_code == 405


def test_logging_out_ends_the_log_in_everywhere_in_this_browser(library: Library, clock: Clock) -> None:
    client, other = people_page(library, clock), people_page(library, clock)
    log_in(client, "Anna")
    log_in(other, "Anna")
    name, value = cookie_of(client)
    with client.websocket_connect(SOCKET) as socket:
        gone = client.post("/logout")
        assert f"{name}=; Path=/; Max-Age=0" in gone.headers["set-cookie"]
        socket.send_bytes(ASKED)
        with pytest.raises(WebSocketDisconnect):
            socket.receive_json()
    assert who(client) is None
    client.cookies.clear()
    copied = client.get("/api/x", headers={"Cookie": f"{name}={value}"})
    assert copied.status_code == 401, "a copy of the cookie is worth nothing"
    assert who(other) == "Anna"
    assert client.post("/logout").status_code == 200


def test_another_log_in_in_the_same_browser_ends_the_former(library: Library, clock: Clock) -> None:
    client = people_page(library, clock)
    log_in(client, "Anna")
    former = "=".join(cookie_of(client))
    log_in(client, "Bo")
    assert who(client) == "Bo"
    client.cookies.clear()
    assert client.get("/api/x", headers={"Cookie": former}).status_code == 401


# How long


def test_a_browser_in_use_stays_logged_in_for_a_while_and_an_idle_one_does_not(library: Library, clock: Clock) -> None:
    client = people_page(library, clock)
    log_in(client, "Anna")
    began = clock.now
    while clock.now < began + LONGEST_SECONDS - DAY:
        clock.now += DAY
        assert who(client) == "Anna", (clock.now - began) / DAY
    clock.now = began + LONGEST_SECONDS + 1
    assert who(client) is None
    log_in(client, "Anna")
    clock.now += IDLE_SECONDS + 1
    assert who(client) is None


@pytest.mark.parametrize("change", ["password", "removal"])
def test_a_changed_password_and_a_removed_person_are_out_within_a_second(
    library: Library, clock: Clock, change: str
) -> None:
    client = people_page(library, clock)
    log_in(client, "Anna")
    with client.websocket_connect(SOCKET) as socket:
        socket.send_bytes(ASKED)
        assert socket.receive_json()["name"] == "Anna"
        if change == "password":
            library.people.set_password("Anna", "hash of another")
        else:
            library.people.remove("Anna")
        clock.now += 1
        socket.send_bytes(ASKED)
        with pytest.raises(WebSocketDisconnect):
            socket.receive_json()
    assert who(client) is None


def test_a_library_that_does_not_answer_lets_nobody_in(
    library: Library, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = people_page(library, clock)
    log_in(client, "Anna")

    def busy(*_: object, **__: object) -> None:
        raise LibraryBusy("busy")

    clock.now += 5
    with client.websocket_connect(SOCKET) as socket:
        monkeypatch.setattr(library.people.sign_ins, "find", busy)
        clock.now += 5
        socket.send_bytes(ASKED)
        with pytest.raises(WebSocketDisconnect):
            socket.receive_json()
    assert client.get("/api/x").status_code == 503
    assert socket_status(client) == 503


def test_strangers_are_not_told_where_the_library_is_or_what_it_lacks(
    library: Library, clock: Clock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    said = f"There is no space left on the disk of the library {library.place}."

    def full(*_: object, **__: object) -> None:
        raise LibraryFull(said)

    client = people_page(library, clock)
    for name in ("note_failure", "begin", "find"):
        monkeypatch.setattr(library.people.sign_ins, name, full)
    client.cookies.set(f"{cookie_name(library.id)}-login", "x")
    for password in (password_of("Anna"), "wrong", "wrong again"):
        answer = log_in(client, "Anna", password)
        assert (answer.status_code, answer.json()) == (507, {"error": TROUBLE})
    answer = client.get("/api/x")
    assert (answer.status_code, answer.json()) == (507, {"error": TROUBLE})
    assert caplog.messages == [f"nobody can log in: {said}"], "once"


# Forged


def test_no_other_cookie_is_good(library: Library, clock: Clock) -> None:
    client = people_page(library, clock)
    log_in(client, "Anna")
    name, value = cookie_of(client)
    client.cookies.clear()
    with library._database.reading() as connection:
        digest = connection.exec_driver_sql("SELECT token FROM sign_ins").scalar()
    for forged in (
        "",
        value[:-1],
        value + "x",
        value.swapcase(),
        str(digest),
        "1",
        "' OR 1=1 --",
        "\u00e9",
        "a" * 9999,
    ):
        for header in (f"{name}={forged}", f"{name.upper()}={value}", f"x{name}={value}", f"__Host-{name}={value}"):
            answer = client.get("/api/x", headers={"Cookie": header.encode("latin-1", "replace")})
            assert answer.status_code == 401, header
    twice = f"{name}={value}; {name}=planted"
    assert client.get("/api/x", headers={"Cookie": twice}).status_code == 401, "one of them was planted"
    assert client.get("/api/x", headers={"Cookie": f"a=b; {name}={value}"}).status_code == 200


def test_the_headers_that_say_who_is_there_are_ours_alone(library: Library, clock: Clock) -> None:
    client = people_page(library, clock)
    forged = {PERSON_HEADER: "1", ADDRESS_HEADER: "6.6.6.6", PERSON_HEADER.upper(): "1"}
    assert client.get("/api/x", headers=forged).status_code == 401
    log_in(client, "Bo")
    bo = library.people.all()[1]
    assert client.get("/api/x", headers=forged).json()["headers"] == [[str(bo.id)], ["10.0.0.7"]]


# Behind a reverse proxy


def test_behind_a_proxy_with_tls_the_cookie_is_secure_and_bound_to_the_host(library: Library, clock: Clock) -> None:
    client = people_page(library, clock, proxies=["10.0.0.0/24"])
    client.headers |= {"X-Forwarded-Proto": "https", "X-Forwarded-For": "6.6.6.6, 203.0.113.9"}
    assert log_in(client, "Anna").status_code == 403, "the browser's own origin is https"
    client.headers["Origin"] = f"https://{HOST}"
    came = log_in(client, "Anna")
    assert re.search(r"^__Host-prismsearch-\w+-login=.*; SameSite=Strict; Secure$", came.headers["set-cookie"])
    cookie = came.headers["set-cookie"].partition(";")[0]
    seen = client.get("/api/x", headers={"Cookie": cookie}).json()
    assert (seen["name"], seen["address"]) == ("Anna", "203.0.113.9"), "not what the browser wrote before it"


def test_headers_of_a_proxy_are_believed_from_its_addresses_only(library: Library, clock: Clock) -> None:
    client = people_page(library, clock, proxies=["10.0.9.1"], header="X-Remote-User")
    client.headers |= {"X-Remote-User": "Anna", "X-Forwarded-For": "127.0.0.1", "X-Forwarded-Proto": "https"}
    assert who(client) is None
    came = log_in(client, "Anna")
    assert "Secure" not in came.headers["set-cookie"]
    assert client.get("/api/x").json()["address"] == "10.0.0.7"


def test_a_person_whom_our_proxy_names_is_in(library: Library, clock: Clock) -> None:
    client = people_page(library, clock, proxies=["10.0.0.7"], header="X-Remote-User")
    add_person(library, "Chris")
    told = {"Proxied": "Proxied", "ANNA": "Anna", "Nobody": None, "Anna, Bo": None, "": None, "chris": "Chris"}
    for named, seen in told.items():
        client.headers["X-Remote-User"] = named
        assert who(client) == seen, named
    del client.headers["X-Remote-User"]
    twice = [("X-Remote-User", "Bo"), ("X-Remote-User", "Anna")]
    assert client.get("/api/x", headers=twice).status_code == 401, "one of them is not the proxy's"
    assert client.get("/api/x", headers=twice[:1]).status_code == 200
    alike = [(b"X-Remote-User", "Chriſ".encode())]  # somebody else to a single sign-on, though not to our own log-in
    assert client.get("/api/x", headers=alike).status_code == 401
    client.headers["X-Remote-User"] = "Nobody"
    shown = client.get("/", headers=HTML)
    assert (shown.status_code, "not known here" in shown.text) == (403, True)
    client.headers["X-Remote-User"] = "Bo"
    with client.websocket_connect(SOCKET) as socket:
        library.people.remove("Bo")
        socket.send_bytes(ASKED)
        with pytest.raises(WebSocketDisconnect):
            socket.receive_json()


def test_the_header_of_a_proxy_counts_for_nothing_unless_it_was_chosen(library: Library, clock: Clock) -> None:
    client = people_page(library, clock, proxies=["10.0.0.7"])
    assert client.get("/api/x", headers={"X-Remote-User": "Anna"}).status_code == 401


def test_what_a_browser_asks_for_is_otherwise_as_before(library: Library, clock: Clock) -> None:
    client = people_page(library, clock)
    log_in(client, "Anna")
    assert client.get("/api/x", headers={"Host": "evil.example"}).status_code == 400
    assert client.get("/api/x", headers={"Origin": "http://evil.example"}).status_code == 403
    assert client.get("/api/x", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    del client.headers["X-Prismsearch"]
    assert client.post("/api/x").status_code == 403
    assert client.get("/api/x", headers={"Origin": ORIGIN}).status_code == 200
