"""A proxy that counts what goes through it: between a client and the socket of a server, on this machine."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

_BLOCK = 1 << 18


class Counted:
    """The bytes so far, without what TCP and IP add. `port` is where the proxy listens, on 127.0.0.1."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.sent = 0  # by clients
        self.received = 0  # by clients

    @property
    def both(self) -> int:
        return self.sent + self.received

    def address(self, address: str, folder: Path) -> str:
        """Return an address of a library by way of the proxy instead of the socket in `folder`."""
        direct = f"host={quote(str(folder))}"
        if direct not in address:
            raise ValueError(f"{address} does not name the socket in {folder}")
        through = f"host=127.0.0.1&port={self.port}&sslmode=disable&gssencmode=disable"
        return address.replace(direct, through, 1)


@contextmanager
def counting(path: Path) -> Iterator[Counted]:
    """Yield what is counted between clients of a port and the socket at a path, until the end of the context."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        counted = Counted(listener.getsockname()[1])
        threading.Thread(target=_accept, args=(listener, path, counted), daemon=True).start()
        yield counted
        listener.shutdown(socket.SHUT_RDWR)


def _accept(listener: socket.socket, path: Path, counted: Counted) -> None:
    while True:
        try:
            client, _ = listener.accept()
        except OSError:  # closed: the end
            return
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        server = socket.socket(socket.AF_UNIX)
        server.connect(str(path))
        for source, target, name in ((client, server, "sent"), (server, client, "received")):
            threading.Thread(target=_pass_on, args=(source, target, counted, name), daemon=True).start()


def _pass_on(source: socket.socket, target: socket.socket, counted: Counted, name: str) -> None:
    """Pass on what comes from a socket until it is closed. One thread at a time adds to a count of a connection."""
    try:
        while block := source.recv(_BLOCK):
            with _adding:
                setattr(counted, name, getattr(counted, name) + len(block))
            target.sendall(block)
        target.shutdown(socket.SHUT_WR)
    except OSError:  # the other side has gone
        pass


_adding = threading.Lock()
