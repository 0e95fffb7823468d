"""Basic operations on files: creation that never follows a link, flushing to the disk, checksums, removal."""

from __future__ import annotations

import logging
import os
import zlib
from pathlib import Path

logger = logging.getLogger(__name__)

_CHUNK_BYTES = 1 << 22


def checksum(path: Path) -> int:
    """Return the CRC-32 of a file's bytes. It detects damage, not forgery, at several GB a second.

    Raises:
        OSError: The file cannot be read.
    """
    value = 0
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            value = zlib.crc32(chunk, value)
    return value


def create_empty(path: Path) -> None:
    """Create an empty file for another program to fill, so that it cannot follow a link that was put in its place.

    Raises:
        FileExistsError: There is something of that name, be it a link that leads nowhere.
        OSError: The file cannot be created.
    """
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_NOFOLLOW", 0), 0o666))


def flush(path: Path) -> None:
    """Flush the content of a file to the disk (fsync).

    Raises:
        OSError: The file is missing, or the disk is full or broken.
    """
    with path.open("rb+") as stream:
        os.fsync(stream.fileno())


def flush_directory(directory: Path) -> None:
    """Make the renames in a folder durable if the system can; Windows and some file systems cannot. Never raises."""
    try:
        handle = os.open(directory, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    except OSError as error:
        logger.debug("fsync of %s: %s", directory, error)
    finally:
        os.close(handle)


def remove(path: Path) -> None:
    """Remove a file if it exists. Never raises: a file that cannot be removed (a mapped one on Windows) stays."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        logger.debug("%s could not be removed and stays until the next time: %s", path, error)
