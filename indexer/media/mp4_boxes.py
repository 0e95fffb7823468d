"""Sample entries of MP4 and QuickTime files, which name the format of each track. Standard library only."""

from __future__ import annotations

import os
from collections.abc import Iterator
from io import FileIO

from files.regular import open_regular

_TO_ENTRIES = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd")
_VISUAL_BYTES = 78  # fields of a sample entry of pictures, before its boxes
_MAX_CONTENT = 4096  # bytes of a box that are of interest
_MAX_BOXES = 1000  # per level, as a damaged file may hold any number of tiny ones


def sample_entries(path: str) -> list[bytes]:
    """Return the four-letter code of each sample entry, such as avc1 or mp4a; empty for other or damaged files.

    Raises:
        OSError: The file cannot be read.
    """
    with open_regular(path) as file:
        return [name for name, _, _ in _entries(file, 0, os.fstat(file.fileno()).st_size, _TO_ENTRIES)]


def sample_entry_boxes(path: str) -> list[tuple[bytes, bytes]]:
    """Return (name, content) of the boxes inside the sample entries of pictures; empty for other or damaged files.

    Of a long content, the beginning.

    Raises:
        OSError: The file cannot be read.
    """
    found = []
    with open_regular(path) as file:
        for _, begin, end in _entries(file, 0, os.fstat(file.fileno()).st_size, _TO_ENTRIES):
            for name, start, stop in boxes(file, begin + _VISUAL_BYTES, end):
                file.seek(start)
                found.append((name, file.read(min(stop - start, _MAX_CONTENT))))
    return found


def _entries(file: FileIO, begin: int, end: int, names: tuple[bytes, ...]) -> Iterator[tuple[bytes, int, int]]:
    """Yield (name, start and end of the content) of the sample entries below a path of boxes."""
    for name, start, stop in boxes(file, begin, end):
        if name != names[0]:
            continue
        if len(names) > 1:
            yield from _entries(file, start, stop, names[1:])
        else:  # stsd: version, flags and count, then the entries, which are boxes
            yield from boxes(file, start + 8, stop)
        if name == b"moov":
            return


def boxes(file: FileIO, begin: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield (name, start and end of the content) of the boxes in a part of the file."""
    for _ in range(_MAX_BOXES):
        if begin + 8 > end:
            return
        file.seek(begin)
        head = file.read(16)
        size, name, header = int.from_bytes(head[:4], "big"), head[4:8], 8
        if size == 1:
            size, header = int.from_bytes(head[8:16], "big"), 16
        elif size == 0:  # up to the end
            size = end - begin
        if size < header or len(head) < 8:
            return
        yield name, begin + header, min(begin + size, end)
        begin += size
