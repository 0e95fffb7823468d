"""The page's server in a child, and requests to it as its own JavaScript sends them."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from collections.abc import Mapping
from typing import Any

from campaigns._campaign import Case
from campaigns._children import PATIENCE, Child, Fault, command

MODULES = ("streamlit", "uvicorn", "starlette.testclient", "app.web.server", "app.commands.ui")


def free_port() -> int:
    with contextlib.closing(socket.socket()) as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


class Page:
    """`prismsearch ui` over a library, until it is killed or stopped."""

    def __init__(self, case: Case, library: object, *, cookie: str = "") -> None:
        """Start it, and wait until it answers.

        Args:
            case: Its logs are the server's.
            library: What it shows.
            cookie: That of an earlier server over this library; by default it is asked for with a token.
        """
        self.port = free_port()
        self.cookie = cookie
        self.child: Child = command(["ui", "--no-browser", "--port", self.port], case.log("ui"), library=library)
        try:
            self._come_in(case, library)
        except BaseException:
            self.stop()
            raise

    def _come_in(self, case: Case, library: object) -> None:
        """Wait until it answers, and get the cookie. Raises Fault where that is not to be had."""
        deadline = time.monotonic() + PATIENCE
        while not self._answers():
            if self.child.ended():
                raise Fault(f"the page ended with {self.child.code}: {self.child.last_words()}")
            if time.monotonic() > deadline:
                raise Fault(f"the page did not come: {self.child.last_words()}")
            time.sleep(0.05)
        if not self.cookie:
            self.cookie = self._exchange(case, library)
        if (status := self.ask("GET", "/api/library/state")[0]) != 200:
            raise Fault(f"the page answers its person with {status}")

    def _answers(self) -> bool:
        with contextlib.suppress(OSError):
            return self.ask("GET", "/api/library/state")[0] > 0
        return False

    def _exchange(self, case: Case, library: object) -> str:
        """Return the cookie that a browser gets for the address of `ui --url`."""
        told = command(["ui", "--url", "--port", self.port], case.log("url"), library=library)
        if told.wait() != 0:
            raise Fault(f"ui --url ended with {told.code}: {told.last_words()}")
        path = "/" + told.printed.strip().partition("/")[2].partition("/")[2].partition("/")[2]
        with contextlib.closing(self.connect()) as connection:
            connection.sendall(self.head("GET", path, {"Sec-Fetch-Site": "none", "Origin": "-"}))
            answer = b""
            while part := connection.recv(65536):
                answer += part
        for line in answer.partition(b"\r\n\r\n")[0].split(b"\r\n"):
            if line.lower().startswith(b"set-cookie:"):
                return line.partition(b":")[2].partition(b";")[0].strip().decode()
        raise Fault(f"the address of ui --url gave no cookie: {answer[:80]!r}")

    def head(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, length: int | None = None
    ) -> bytes:
        """Return the head of a request of the page's own."""
        fields = {
            "Host": f"127.0.0.1:{self.port}", "Origin": f"http://127.0.0.1:{self.port}", "X-Prismsearch": "1",
            "Sec-Fetch-Site": "same-origin", "Connection": "close",
            **({"Cookie": self.cookie} if self.cookie else {}), **(headers or {}),
        }  # fmt: skip
        if length is not None:
            fields |= {"Content-Type": "application/json", "Content-Length": str(length)}
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items() if value != "-")]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "surrogateescape")

    def send(self, method: str, path: str, body: object = None) -> socket.socket:
        """Send a request and return the connection, on which the answer will come."""
        content = b"" if body is None else json.dumps(body).encode()
        connection = self.connect()
        connection.sendall(self.head(method, path, length=len(content)) + content)
        return connection

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=60)

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Return status and JSON of the answer. Raises OSError where none comes."""
        with contextlib.closing(self.send(method, path, body)) as connection:
            status, content = receive(connection)
        try:
            return status, json.loads(content)
        except ValueError:
            return status, content

    def stop(self) -> None:
        self.child.kill(group=True)
        self.child.sweep()


def receive(connection: socket.socket, most: int = 1 << 22) -> tuple[int, bytes]:
    """Return status and body of an answer whose connection is closed after it; 0 where it was cut short."""
    content = b""
    try:
        while len(content) < most and (part := connection.recv(65536)):
            content += part
    except TimeoutError:
        raise
    except OSError:
        pass
    head, _, body = content.partition(b"\r\n\r\n")
    words = head.split(b" ", 2)
    return (int(words[1]) if len(words) > 1 and words[1].isdigit() else 0), body
