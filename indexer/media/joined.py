"""Recordings joined byte by byte into one file: where each begins. Standard library only."""

from __future__ import annotations

import os
from io import FileIO

from files.regular import open_regular
from indexer.media.mp4_boxes import boxes

_EBML, _SEGMENT = b"\x1aE\xdf\xa3", b"\x18S\x80g"
_MAX_PARTS = 10_000


def starts_of_parts(path: str) -> list[int]:
    """Return where the recordings in a Matroska or MP4 file begin, in bytes: 0 alone for any other or plain file.

    The end of a live recording is not stated, so no other is found after one.

    Raises:
        OSError: The file cannot be read.
    """
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        if file.read(4) == _EBML:
            return _matroska_parts(file, size)
        starts = [start - 8 for name, start, _ in boxes(file, 0, size) if name == b"ftyp"]
    return starts if len(starts) > 1 else [0]


def _matroska_parts(file: FileIO, size: int) -> list[int]:
    starts: list[int] = []
    at: int | None = 0
    while at is not None and at < size and len(starts) < _MAX_PARTS:
        begin = at
        header = _end_of_element(file, at, _EBML)
        if header is None:
            break
        starts.append(begin)
        at = _end_of_element(file, header, _SEGMENT)
    return starts or [0]


def _end_of_element(file: FileIO, at: int, name: bytes) -> int | None:
    """Return where an element with a name of 4 bytes ends; None if it is another one, or states no size."""
    file.seek(at)
    head = file.read(12)
    if head[:4] != name or len(head) < 5:
        return None
    length = 9 - head[4].bit_length()  # of the size, in bytes
    size = int.from_bytes(head[4 : 4 + length], "big") & ((1 << 7 * length) - 1)
    if length > 8 or size == (1 << 7 * length) - 1:  # unknown
        return None
    return at + 4 + length + size
