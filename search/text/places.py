"""Places of lines: the segments that they lie in, and when a word in a line is said."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from db.timed_text import TimedLine

if TYPE_CHECKING:
    from db.library import Library

Span = tuple[int, int, int]
"""A video, and start and end in milliseconds from its first frame shown."""


def segments_at(library: Library, spans: Sequence[Span]) -> list[tuple[int, ...]]:
    """Return, for each span, the segments that it shares time with, by time.

    Args:
        library: The segments.
        spans: One without length lies in what begins with it or before it, and ends after it.
    """
    owners = sorted({video for video, _, _ in spans})
    times, starts = library.segment_times(owners), library.video_starts(owners)
    found = []
    for video, start_ms, end_ms in spans:
        first, beyond = np.searchsorted(times.video_ids, [video, video + 1])
        origin = starts.get(video, 0.0)
        start, end = origin + start_ms / 1000, origin + max(end_ms, start_ms) / 1000
        begins = times.starts[first:beyond] < end if end > start else times.starts[first:beyond] <= start
        chosen = np.flatnonzero(begins & (times.ends[first:beyond] > start)) + first
        found.append(tuple(times.ids[chosen].tolist()))
    return found


def said_at(line: TimedLine, place: int) -> int:
    """Return when the word at a place in a line's text is said, in milliseconds; the line's start if unknown."""
    at, said = 0, line.start_ms
    for word in line.words:
        begin = line.text.find(word.text, at)
        if begin < 0:
            continue
        if begin > place:
            break
        at, said = begin + len(word.text), word.start_ms
    return said
