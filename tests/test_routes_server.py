"""The real server in a process of its own: its address, who is answered, a port that is taken, and how it ends."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from app.cli import main
from app.commands.ui import entry_address
from app.compose import Settings
from app.shell.errors import CommandError
from app.web.http.security import inline_scripts_of
from app.web.pages.theme import DARK, LIGHT
from app.web.server import ADDRESS, DEFAULT_PORT, listen

SERVE = "from app.cli import main; main(prog_name='prismsearch')"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """`prismsearch ui` over a library that is not there yet, on a free port; the process and the port."""
    with socket.socket() as free:
        free.bind((ADDRESS, 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, "--library", str(tmp_path / "new" / "library"), "ui", "--no-browser", "--port",
         str(port)],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=tmp_path, env=environment,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert re.search(rf"http://127\.0\.0\.1:{port}\b", line), line
        yield process, port
    finally:
        process.kill()
        process.wait()


def asked(port: int, path: str, headers: dict[str, str] | None = None, method: str = "GET") -> tuple[int, str, bytes]:
    """Status, content type and body."""
    connection = http.client.HTTPConnection(ADDRESS, port, timeout=30)
    connection.putrequest(method, path, skip_host=True)
    for name, value in {"Host": f"{ADDRESS}:{port}", **(headers or {})}.items():
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    content = b"" if answer.status == 101 else answer.read()
    got = answer.status, answer.headers.get("content-type", ""), content
    connection.close()
    return got


def cookie_of(library: Path, port: int) -> dict[str, str]:
    """The header with which a browser that came with a token asks."""
    connection = http.client.HTTPConnection(ADDRESS, port, timeout=30)
    connection.request("GET", entry_address(Settings(library=library), port).partition(str(port))[2])
    header = connection.getresponse().headers["set-cookie"]
    connection.close()
    return {"Cookie": header.partition(";")[0]}


def policy_of(port: int, headers: dict[str, str]) -> str:
    connection = http.client.HTTPConnection(ADDRESS, port, timeout=30)
    connection.request("GET", "/", headers=headers)
    policy = connection.getresponse().headers["content-security-policy"]
    connection.close()
    return policy


def test_a_server_over_a_library_that_is_not_there_yet(
    served: tuple[subprocess.Popen[str], int], tmp_path: Path
) -> None:
    """Streamlit's own routes and ours behind one middleware; Ctrl-C ends it cleanly."""
    process, port = served
    cookie = cookie_of(tmp_path / "new" / "library", port)
    assert (tmp_path / "new" / "library" / "library.sqlite3").is_file()
    status, kind, body = asked(port, "/", cookie)
    assert (status, kind.partition(";")[0], b"<title>" in body) == (200, "text/html", True)
    scripts = re.search("script-src ([^;]*)", policy_of(port, cookie))
    assert scripts is not None
    inline = inline_scripts_of(body).split()
    assert len(inline) == 2, "Streamlit's own script and static/host.js, and no other"
    assert scripts[1].split() == ["'self'", *inline, "blob:"]
    every = ["/", "/_stcore/health", "/_stcore/host-config", "/static/x.js", "/media/x", "/component/x", "/search",
             "/api/poster/1", "/api/assets/x/y.js", "/_stcore/stream", "/_stcore/upload_file/a/b"]  # fmt: skip
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
               "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}  # fmt: skip
    for path in every:
        more = {**cookie, **(upgrade if path == "/_stcore/stream" else {})}
        assert asked(port, path, {"Host": "evil.example", **more})[0] == 400, path
        assert asked(port, path, {"Origin": "http://evil.example", **more})[0] == 403, path
    for name in (ADDRESS, "localhost"):  # and the page's own socket is let in
        own = {**cookie, **upgrade, "Host": f"{name}:{port}", "Origin": f"http://{name}:{port}"}
        assert asked(port, "/_stcore/stream", own)[0] == 101
    status, kind, body = asked(port, "/api/poster/1", cookie)
    assert (status, kind) == (404, "application/json")
    assert json.loads(body)["error"]
    assert asked(port, "/api/nothing", cookie)[0] == 404
    assert b"library" not in asked(port, "/app/static/../../library.sqlite3", cookie)[2][:200]
    broken = f"POST / HTTP/1.1\r\nHost: {ADDRESS}:{port}\r\nTransfer-Encoding: chunked\r\n\r\nno number\r\n"
    with socket.create_connection((ADDRESS, port), timeout=30) as connection:
        connection.sendall(broken.encode())
        assert connection.recv(99).startswith(b"HTTP/1.1 400")
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0
    assert process.stdout is not None
    rest = process.stdout.read()
    assert "Traceback" not in rest
    assert rest.strip().endswith("stopped")


def test_a_port_that_was_asked_for_and_is_taken_is_said() -> None:
    with listen(None) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CommandError, match=str(port)):
            listen(port)


def test_without_a_wish_the_next_free_port_is_taken() -> None:
    with listen(None) as first, listen(None) as second:
        ports = [each.getsockname()[1] for each in (first, second)]
    assert DEFAULT_PORT <= ports[0] < ports[1]


def test_small_answers_are_sent_at_once() -> None:
    """asyncio switches Nagle's algorithm off only for sockets that name their protocol."""
    with listen(None) as socket_of_ours:
        assert socket_of_ours.proto == socket.IPPROTO_TCP


def test_the_command_refuses_a_taken_port_in_one_line(tmp_path: Path) -> None:
    with listen(None) as taken:
        port = taken.getsockname()[1]
        ran = CliRunner().invoke(
            main, ["--library", str(tmp_path / "l"), "ui", "--no-browser", "--port", str(port)], standalone_mode=True
        )
    assert ran.exit_code == 3
    assert str(port) in ran.output


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_colours_can_be_read(theme: dict[str, str]) -> None:
    for background in (theme["backgroundColor"], theme["secondaryBackgroundColor"]):
        assert contrast(theme["textColor"], background) >= 7
        assert contrast(theme["linkColor"], background) >= 4.5
        assert contrast(theme["primaryColor"], background) >= 3
    assert contrast("#ffffff", theme["primaryColor"]) >= 4.5
