"""Address of the server: the loopback interface, port 8501 or the next free one."""

from __future__ import annotations

import errno
import os
import socket

from app.shell.errors import CommandError
from app.shell.exit_codes import MISSING

ADDRESS = "127.0.0.1"
DEFAULT_PORT = 8501
_PORTS_TRIED = 50


def listen(port: int | None) -> socket.socket:
    """Return a socket that listens on the loopback address.

    Args:
        port: Port to listen on; None for the first free one from DEFAULT_PORT.

    Raises:
        CommandError: The port is taken, or no port is free.
    """
    for candidate in range(DEFAULT_PORT, DEFAULT_PORT + _PORTS_TRIED) if port is None else (port,):
        # TCP by name: only then does asyncio disable Nagle's algorithm, which would wait 40 ms for more to send.
        found = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            if os.name != "nt":  # on Windows, it would let two programs share one port
                found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            found.bind((ADDRESS, candidate))
            found.listen(2048)
            found.setblocking(False)
            return found
        except OSError as error:
            found.close()
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise
    if port is None:
        last = DEFAULT_PORT + _PORTS_TRIED - 1
        raise CommandError(f"all ports from {DEFAULT_PORT} to {last} are in use; name a free one with --port", MISSING)
    raise CommandError(
        f"port {port} cannot be had (in use, or reserved); choose another --port, or none for the next free one",
        MISSING,
    )
