"""Requests that the page's own JavaScript never sends."""

from __future__ import annotations

import contextlib
import random
import re
import socket
import time

from campaigns._campaign import Case
from campaigns._children import Fault
from campaigns._page import Page, receive

PATHS = (
    "/",
    "/api/library",
    "/api/library/disk",
    "/api/library/state",
    "/api/collections",
    "/api/searches",
    "/api/runs",
    "/api/map",
    "/api/poster/1",
    "/api/preview/1",
    "/api/video/1",
    "/api/segment/1",
    "/api/neighbours/1",
    "/api/frames/1",
    "/api/exports",
    "/api/proxy/1",
    "/api/proxy/1/file",
    "/api/examples",
    "/api/examples/abc/poster",
    "/api/collections/1/subclips",
    "/api/subclips/1",
    "/api/subclips/1/move",
    "/api/runs/x/stop",
    "/api/runs/x/download",
    "/_stcore/health",
    "/_stcore/stream",
    "/_stcore/upload_file/a/b",
    "/media/x",
    "/component/x/y",
    "/static/x",
)
IDS = (
    "0",
    "-1",
    "9" * 400,
    "1e9",
    "%00",
    "..%2f..%2fetc%2fpasswd",
    "../../../etc/passwd",
    "%ff",
    "１",
    " 1",
    "1;drop",
    "x" * 20_000,
)
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "CONNECT", "BREW", "get", "G" * 5000)
HEADERS = (
    ("Host", ("evil.example", "", "127.0.0.1.evil.example", "localhost:1:2", "[::1", "-")),
    ("Origin", ("http://evil.example", "null", "file://", "-", "http://127.0.0.1:1")),
    ("X-Prismsearch", ("0", "-", "1, 1")),
    ("Cookie", ("a=b; " * 2000, "prismsearch=x", "\x00", "-")),
    (
        "Range",
        ("bytes=0-0,5-9", "bytes=-1", "bytes=9999999999999-", "bytes=5-1", "lines=1-2", "bytes=" + "0-1," * 3000),
    ),
    ("If-None-Match", ('"x"', "*", 'W/"' + "x" * 9000)),
    (
        "Content-Type",
        (
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "application/json;" * 99,
        ),
    ),
    ("Content-Length", ("-5", "99999999999999999999", "1e3", "0x10", "5, 5")),
    ("Transfer-Encoding", ("chunked", "gzip, chunked", "identity, chunked")),
    ("Sec-Fetch-Site", ("cross-site", "same-site", "-")),
)
BODIES = (
    b"",
    b"{",
    b"null",
    b"[]",
    b'"x"',
    b"\xff\xfe",
    b"{}" * 9,
    b"[" * 100_000,
    b'{"a":' * 50_000,
    b'{"name": "' + b"x" * 3_000_000 + b'"}',
    b'{"name": "\\u0000"}',
    b'{"name": "\\ud800"}',
    b'{"name": 1e999}',
    b'{"items": [{"segment": 1e400}]}',
    b"1" * 100_000,
    b'{"items": [{"segment": 99999999999999999999999}]}',
    b'{"revision": NaN, "note": "x"}',
    b'{"ids": [' + b"1," * 99_999 + b"1]}",
)
REQUESTS, STALLED = 40, 6


def hostile_request(page: Page, draw: random.Random) -> tuple[bytes, bool]:
    """Return a request, and whether more of it may be expected than comes."""
    path = draw.choice(PATHS)
    if draw.random() < 0.5:
        path = path.replace("1", draw.choice(IDS)).replace(" ", "%20" if draw.random() < 0.8 else " ")
    usual = ("GET", "GET", "GET", "POST", "PATCH", "DELETE")
    method = draw.choice(METHODS) if draw.random() < 0.25 else draw.choice(usual)
    body = draw.choice(BODIES) if method in ("POST", "PUT", "PATCH", "DELETE") else b""
    odd = draw.sample(HEADERS, draw.choice([0, 0, 1, 1, 2, 5]))
    changed = {name: draw.choice(values) for name, values in odd}
    request = page.head(method, path, changed, None if "Content-Length" in changed else len(body)) + body
    if draw.random() < 0.05:
        return draw.randbytes(draw.choice([1, 100, 70_000])), True
    return request, bool(changed.keys() & {"Content-Length", "Transfer-Encoding"})


def attack(case: Case, page: Page) -> None:
    """Send hostile requests; every answer is one of ours, and the page goes on answering. Raises Fault."""
    stalled = _stall(case, page)
    try:
        for number in range(REQUESTS):
            request, unfinished = hostile_request(page, case.random)
            with contextlib.closing(page.connect()) as connection:
                connection.settimeout(20)
                with contextlib.suppress(OSError):
                    connection.sendall(request)
                    if unfinished:  # else the server would wait, as it should
                        connection.shutdown(socket.SHUT_WR)
                try:
                    status, content = receive(connection)
                except TimeoutError:
                    raise Fault(f"request {number} was not answered within 20 s: {request[:120]!r}") from None
            case.count("requests")
            case.count(f"answers {status // 100}xx" if status else "connections closed")
            if status >= 500 and status not in (501, 503, 507):
                raise Fault(f"raw: {status} for {request[:160]!r}: {content[:160]!r}")
            if b"Traceback" in content or b"root:x:0" in content:
                raise Fault(f"raw: a traceback or a file in the answer to {request[:160]!r}")
            if page.child.ended():
                raise Fault(f"the page ended with {page.child.code} after {request[:160]!r}: {page.child.last_words()}")
        began = time.monotonic()
        status, _ = page.ask("GET", "/api/library/state")
        if status != 200:
            raise Fault(f"afterwards the page answers {status}")
        case.count("seconds to answer beside stalled uploads", int(time.monotonic() - began))
    finally:
        for connection in stalled:
            connection.close()
    log = page.child.said + page.child.printed
    ends = re.findall(r"^Traceback \(most recent call last\):\n(?:[ \n].*\n|\n)*(.*)$", log, re.MULTILINE)
    if ours := [end for end in ends if not end.startswith("h11.")]:  # uvicorn's own, of clients that close early
        raise Fault(f"raw: a traceback in the page's log: {ours[0][:200]}")


def _stall(case: Case, page: Page) -> list[socket.socket]:
    """Begin uploads and bodies that never go on."""
    opened = []
    for _ in range(case.random.randint(0, STALLED)):
        connection = page.connect()
        path = case.random.choice(["/api/examples", "/api/collections", "/api/searches"])
        connection.sendall(
            page.head("POST", path, {"Content-Type": "video/mp4"}, None)[:-2] + b"Content-Length: 5000000\r\n\r\nabc"
        )
        opened.append(connection)
    case.count("stalled uploads", len(opened))
    return opened
