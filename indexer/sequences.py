"""Sequences of pictures: the frames of a video as files of one name and ending that differ in a number only."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

_SEQUENCE_FRAMES = 24
_FRAME_NAME = re.compile(r"(.*?)\d+\.(dpx|exr|cin|tga|tiff?|png|jp2|j2c|dng)", re.IGNORECASE)
"""Without JPEG: cameras number photos the same way."""


def sequences_in(names: Iterable[str]) -> list[str]:
    """Return a sentence on each sequence of pictures among the names of the files in a folder."""
    counts: Counter[tuple[str, str]] = Counter()
    for name in names:
        found = _FRAME_NAME.fullmatch(name)
        if found is not None:
            counts[found[1], found[2].lower()] += 1
    return [
        f"holds {count:,} pictures {stem}#.{ending}: image sequences are not indexed; encode them as a video first"
        for (stem, ending), count in counts.items()
        if count >= _SEQUENCE_FRAMES
    ]
