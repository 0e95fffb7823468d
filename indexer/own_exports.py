"""Clips that prismsearch itself has exported: recognised by a mark in their tags, or by the table beside them.

Below an indexed folder they would become footage, and hide the film that they were cut from.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from io import FileIO
from typing import Any

from files.json_file import read_json
from files.regular import open_regular
from indexer.media.mp4_boxes import boxes

MARK = "clip exported by prismsearch"
"""Written into the comment of every clip. MP4, QuickTime, Matroska and AVI have a place for that."""

TABLE = "clips.json"
_UNMARKED = (".mxf", ".ts", ".mts", ".m2ts", ".mpg", ".mpeg", ".vob", ".dv")
"""Endings of clips in containers without a place for a comment, which only the table tells."""

_EDGE_BYTES = 256 * 1024  # at the beginning, at the end, and before the end of the header


def is_own_export(path: str) -> bool:
    """Return whether a file is a clip that prismsearch exported. At most 768 KiB of it are read.

    Raises:
        OSError: The file cannot be read.
    """
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        mark = MARK.encode()
        if any(mark in _read(file, begin, end) for begin, end in _places(file, size)):
            return True
    return path.lower().endswith(_UNMARKED) and os.path.basename(path) in _listed(os.path.dirname(path))


def _places(file: FileIO, size: int) -> Iterator[tuple[int, int]]:
    """Yield the parts of a file that may hold its tags. MP4 has them at the end of its header, wherever that is."""
    yield 0, _EDGE_BYTES
    yield size - _EDGE_BYTES, size
    for name, _, end in boxes(file, 0, size):
        if name == b"moov":
            yield end - _EDGE_BYTES, end
            return


def _read(file: FileIO, begin: int, end: int) -> bytes:
    file.seek(max(0, begin))
    return file.read(max(0, end - max(0, begin)))


def _listed(folder: str) -> set[str]:
    """Return the names of the clips that the table in a folder lists; none without a table of ours."""
    try:
        document: Any = read_json(os.path.join(folder, TABLE), any_number=True)
    except (OSError, ValueError):
        return set()
    records = document.get("clips") if isinstance(document, dict) else None
    return {
        each["clip"]
        for each in (records if isinstance(records, list) else ())
        if isinstance(each, dict) and isinstance(each.get("clip"), str) and {"source", "early_seconds"} <= each.keys()
    }
