"""Address of the server: the loopback interface, port 8501 or the next free one; or, for several people, any other."""

from __future__ import annotations

import errno
import os
import socket

from app.shell.errors import CommandError
from app.shell.exit_codes import MISSING

ADDRESS = "127.0.0.1"
DEFAULT_PORT = 8501
_PORTS_TRIED = 50


def listen(port: int | None, host: str = ADDRESS) -> socket.socket:
    """Return a socket that listens on an address.

    Args:
        port: Port to listen on; None for the first free one from DEFAULT_PORT.
        host: Name or address of this machine.

    Raises:
        CommandError: The port is taken, no port is free, or the address is not one of this machine.
    """
    try:
        family, _, _, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError) as error:
        raise _not_ours(host) from error
    for candidate in range(DEFAULT_PORT, DEFAULT_PORT + _PORTS_TRIED) if port is None else (port,):
        # TCP by name: only then does asyncio disable Nagle's algorithm, which would wait 40 ms for more to send.
        found = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            if os.name != "nt":  # on Windows, it would let two programs share one port
                found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            found.bind((where[0], candidate))
            found.listen(2048)
            found.setblocking(False)
            return found
        except OSError as error:
            found.close()
            if error.errno == errno.EADDRNOTAVAIL:
                raise _not_ours(host) from error
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise
    if port is None:
        last = DEFAULT_PORT + _PORTS_TRIED - 1
        raise CommandError(f"all ports from {DEFAULT_PORT} to {last} are in use; name a free one with --port", MISSING)
    raise CommandError(
        f"port {port} cannot be had (in use, or reserved); choose another --port, or none for the next free one",
        MISSING,
    )


def host_and_port(text: str) -> tuple[str, int]:
    """Return host and port of `HOST:PORT`. An IPv6 address is in brackets, as in a browser's address.

    Raises:
        ValueError: The text is anything else.
    """
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]") if host.startswith("[") else host
    if not (host and colon and port.isascii() and port.isdecimal() and len(port) <= 5 and 0 < int(port) < 65536):
        raise ValueError(f"{text} is not HOST:PORT, such as 0.0.0.0:8501 or [::]:8501")
    if ":" in host and not text.startswith("["):
        raise ValueError(f"{text}: put an IPv6 address into brackets, such as [::]:8501")
    return host, int(port)


def _not_ours(host: str) -> CommandError:
    return CommandError(f"{host} is no address of this machine; 0.0.0.0 and [::] stand for all of them", MISSING)
