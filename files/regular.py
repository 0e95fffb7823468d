"""Opening of regular files only: a pipe, a device or a socket under the same name is never waited for."""

from __future__ import annotations

import errno
import os
import stat
from io import FileIO
from typing import TypeAlias

AnyPath: TypeAlias = "str | os.PathLike[str]"


class NotRegularFile(OSError):
    """The name is that of a folder, a pipe, a device or a socket."""


def open_regular(path: AnyPath, *, follow_links: bool = True) -> FileIO:
    """Open a regular file for reading, unbuffered; the open file itself is checked.

    Args:
        path: The file.
        follow_links: Whether the last part of the path may be a link.

    Raises:
        NotRegularFile: It is something else.
        OSError: It cannot be opened.
    """
    # Nonblocking, because opening a named pipe would otherwise wait for its other end; regular files ignore it.
    flags = getattr(os, "O_NONBLOCK", 0) | (0 if follow_links else getattr(os, "O_NOFOLLOW", 0))
    try:
        file = FileIO(os.fspath(path), opener=lambda name, mode: os.open(name, mode | flags))
    except IsADirectoryError as error:
        raise NotRegularFile(error.errno, error.strerror, os.fspath(path)) from None
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise NotRegularFile(errno.EINVAL, "not a regular file", os.fspath(path))
    return file


def read_regular(path: AnyPath, *, max_bytes: int, follow_links: bool = True) -> bytes:
    """Return the content of a regular file.

    Args:
        path: The file.
        max_bytes: The maximum size of the file.
        follow_links: As for `open_regular`.

    Raises:
        OSError: As for `open_regular`, or it cannot be read.
        ValueError: It is larger.
    """
    with open_regular(path, follow_links=follow_links) as file:
        content = bytearray()
        while len(content) <= max_bytes and (part := file.read(max_bytes + 1 - len(content))):
            content += part
    if len(content) > max_bytes:
        raise ValueError(f"it has more than {max_bytes:,} bytes")
    return bytes(content)
