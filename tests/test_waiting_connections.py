"""Whoever opens connections and says nothing keeps nobody out, and fills no log."""

from __future__ import annotations

import logging
import logging.handlers
import socket
from typing import Any

import pytest
from live_server import answer_of, live, request_bytes

from app.web.http.malformed import is_worth_telling
from app.web.http.waiting_connections import bounded_protocol


async def hello(scope: Any, receive: Any, send: Any) -> None:
    while (await receive()).get("more_body"):
        pass
    kind = {"websocket": "websocket.http.response"}.get(scope["type"], "http.response")
    await send({"type": f"{kind}.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": f"{kind}.body", "body": b"hi"})


def is_closed(connection: socket.socket) -> bool:
    connection.settimeout(0.3)
    try:
        return connection.recv(1) == b""
    except TimeoutError:
        return False
    except OSError:
        return True


def test_of_connections_that_wait_the_longest_is_closed_and_those_that_ask_are_answered() -> None:
    with live(hello, http=bounded_protocol(4)) as port:
        opened = []
        for number in range(6):
            opened.append(socket.create_connection(("127.0.0.1", port)))
            opened[-1].sendall([b"", b"GET / HTTP/1.1\r\nX-Slow: "][number % 2])
        answers = [opened[-1]]
        opened[-1].sendall(f"x\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
        assert answer_of(opened[-1]) == (200, b"hi")
        assert [is_closed(each) for each in opened[:5]] == [True, True, False, False, False]
        for _ in range(3):  # one that has an answer waits again, as the newest
            opened.append(socket.create_connection(("127.0.0.1", port)))
        answers[0].sendall(request_bytes(port, "GET", "/", {}))
        assert answer_of(answers[0]) == (200, b"hi")
        for each in opened:
            each.close()


def test_a_request_that_takes_its_time_does_not_count_among_them() -> None:
    body = {"Content-Length": "5"}
    with live(hello, http=bounded_protocol(2)) as port, socket.create_connection(("127.0.0.1", port)) as slow:
        slow.sendall(request_bytes(port, "POST", "/", body))
        assert not is_closed(slow), "and the server has had time to read it"
        others = [socket.create_connection(("127.0.0.1", port)) for _ in range(5)]
        assert [is_closed(each) for each in others] == [True, True, True, False, False]
        slow.sendall(b"12345")
        assert answer_of(slow) == (200, b"hi")


def test_a_head_without_an_end_is_refused() -> None:
    with live(hello, http=bounded_protocol()) as port, socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nX: " + b"a" * 200_000)
        assert answer_of(connection)[0] == 400


@pytest.mark.parametrize("upgrade", ["", "h2c", "websocket"])
def test_nothing_is_logged_of_what_anybody_may_send(upgrade: str) -> None:
    socket_headers = {"Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
    headers = {"Upgrade": upgrade, "Connection": "upgrade", **socket_headers}
    sent = request_bytes(8501, "GET", "/", headers) if upgrade else b"nonsense\r\n\r\n"
    log, told = logging.getLogger("uvicorn.error"), logging.handlers.BufferingHandler(99)
    log.addFilter(is_worth_telling)
    try:
        with live(hello, http=bounded_protocol(), ws="websockets-sansio") as port:
            connection = socket.create_connection(("127.0.0.1", port))
            log.setLevel("WARNING")
            log.addHandler(told)
            connection.sendall(sent)
            answer_of(connection)
            connection.close()
            log.warning("the server is ill")
    finally:
        log.removeFilter(is_worth_telling)
        log.removeHandler(told)
    assert [each.getMessage() for each in told.buffer] == ["the server is ill"]
