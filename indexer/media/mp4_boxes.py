"""Sample entries of MP4 and QuickTime files, which name the format of each track. Standard library only."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class MovieFacts:
    """What the header of a movie states."""

    seconds: float
    pixels: int  # of its largest picture


def movie_facts(file: FileIO) -> MovieFacts | None:
    """Return what an MP4 or QuickTime file states; None for other or damaged files.

    Raises:
        OSError: The file cannot be read.
    """
    seconds, pixels = 0.0, 0
    for movie, begin, end in boxes(file, 0, os.fstat(file.fileno()).st_size):
        if movie != b"moov":
            continue
        for name, start, stop in boxes(file, begin, end):
            if name == b"mvhd":
                seconds = _seconds(_content(file, start, stop))
            elif name == b"trak":
                for inner, first, last in boxes(file, start, stop):
                    if inner == b"tkhd":
                        shown = _content(file, first, last)[-8:]  # width and height, 16.16
                        size = [int.from_bytes(shown[at : at + 4], "big") >> 16 for at in (0, 4)]
                        pixels = max(pixels, size[0] * size[1])
        break
    return MovieFacts(seconds, pixels) if seconds and pixels else None


def _seconds(header: bytes) -> float:
    """Return the length that the content of an mvhd box states; 0 if none."""
    wide = header[:1] == b"\x01"
    at, size = (20, 8) if wide else (12, 4)
    scale, length = header[at : at + 4], header[at + 4 : at + 4 + size]
    if len(length) < size or not any(scale):
        return 0.0
    return int.from_bytes(length, "big") / int.from_bytes(scale, "big")


def _content(file: FileIO, begin: int, end: int) -> bytes:
    file.seek(begin)
    return file.read(min(end - begin, _MAX_CONTENT))


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
