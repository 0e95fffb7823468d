"""The page's server in a child, and requests to it as its own JavaScript sends them."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from campaigns._campaign import Case
from campaigns._children import Child, Fault, command

MODULES = ("streamlit", "uvicorn", "starlette.testclient", "app.web.server", "app.commands.ui")


def free_port() -> int:
    with contextlib.closing(socket.socket()) as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


class Page:
    """`prismsearch ui` over a library, until it is killed or stopped."""

    def __init__(self, case: Case, library: Path, name: str = "ui") -> None:
        self.port = free_port()
        self.child: Child = command(["ui", "--no-browser", "--port", self.port], case.log(name), library=library)
        deadline = time.monotonic() + 120
        while True:
            if self.child.ended():
                raise Fault(f"the page ended with {self.child.code}: {self.child.last_words()}")
            with contextlib.suppress(OSError):
                if self.ask("GET", "/api/library/state")[0]:
                    return
            if time.monotonic() > deadline:
                self.child.kill(group=True)
                raise Fault(f"the page did not come: {self.child.last_words()}")
            time.sleep(0.05)

    def head(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, length: int | None = None
    ) -> bytes:
        """Return the head of a request of the page's own."""
        fields = {
            "Host": f"127.0.0.1:{self.port}", "Origin": f"http://127.0.0.1:{self.port}", "X-Prismsearch": "1",
            "Sec-Fetch-Site": "same-origin", "Connection": "close", **(headers or {}),
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
