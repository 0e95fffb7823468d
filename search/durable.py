"""Files that last, or are not there: flushing, checksums and removal that never raises."""

from __future__ import annotations

import logging
import os
import zlib
from pathlib import Path

logger = logging.getLogger(__name__)

_CHUNK_BYTES = 1 << 22


def checksum(path: Path) -> int:
    """CRC-32 of a file: it finds damage, which is all that is asked of it, at several GB a second."""
    value = 0
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            value = zlib.crc32(chunk, value)
    return value


def flush(path: Path) -> None:
    """Have the disk hold what was written to a file."""
    with path.open("rb+") as stream:
        os.fsync(stream.fileno())


def flush_directory(directory: Path) -> None:
    """Make the renames in a folder last. Windows has no such thing, and not every file system does it."""
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
    """Remove a file that may be there. Windows keeps files that are mapped: those go another time."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        logger.debug("%s could not be removed and stays until the next time: %s", path, error)
