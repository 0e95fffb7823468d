"""A gate before a test's PostgreSQL, which can be closed and opened: to its clients, the server stops and starts."""

from __future__ import annotations

import contextlib
import socket
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

_SOCKET = ".s.PGSQL.5432"
_FROM_SERVER, _TO_SERVER = "from server", "to server"


class Gate:
    """Connections to a server pass through a socket in a folder of its own.

    Attributes:
        passed: Called with each piece that passes, before it does, and its direction; it may close the gate.
    """

    def __init__(self, server: str) -> None:
        """Open it. server: the URL of a database, by a socket."""
        self._server = f"{parse_qs(urlsplit(server).query)['host'][0]}/{_SOCKET}"
        self._folder = tempfile.TemporaryDirectory()  # its path is short, as those of sockets must be
        self.address = server.replace(
            f"host={quote(str(Path(self._server).parent))}", f"host={quote(self._folder.name)}"
        )
        assert self._folder.name in self.address
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._listening: socket.socket | None = None
        self.passed: Callable[[bytes, str], None] = lambda piece, direction: None
        self.open()

    def open(self) -> None:
        """Let connections in."""
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(f"{self._folder.name}/{_SOCKET}")
        listening.listen()
        self._listening = listening
        threading.Thread(target=self._accept, args=(listening,), daemon=True).start()

    def close(self) -> None:
        """End all connections, and let nobody in."""
        with self._lock:
            listening, self._listening = self._listening, None
            if listening is None:
                return
            Path(f"{self._folder.name}/{_SOCKET}").unlink()
            for each in (listening, *self._open):
                _end(each)
            self._open.clear()

    def remove(self) -> None:
        """Close it for good."""
        self.close()
        self._folder.cleanup()

    def _accept(self, listening: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listening.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(self._server)
                with self._lock:
                    if self._listening is not listening:
                        _end(client)
                        _end(server)
                        return
                    self._open |= {client, server}
                for one, other, way in ((client, server, _TO_SERVER), (server, client, _FROM_SERVER)):
                    threading.Thread(target=self._pass, args=(one, other, way), daemon=True).start()

    def _pass(self, one: socket.socket, other: socket.socket, way: str) -> None:
        with contextlib.suppress(OSError):
            while piece := one.recv(1 << 16):
                self.passed(piece, way)
                other.sendall(piece)
        _end(one)
        _end(other)


def _end(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
