"""Times of the frames of a shot that are read. Pure arithmetic over milliseconds; the caller decodes.

One frame is enough for a short shot, because most text stays as long as its shot. Where the frames that were read do
not show the same text, it came, went or changed between them, and a frame halfway tells when:

    times = frame_times(start_ms, end_ms)
    while times:
        readings += read the frames at these times
        times = more_times(readings)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from recognition.protocol import FoundText
from recognition.screen.merging import LEAST_CONFIDENCE
from recognition.screen.same_text import same_texts

_TWO_FROM_MS, _THREE_FROM_MS = 2_000, 6_000
_FINEST_MS = 500
MOST_FRAMES = 12
"""Frames of one shot that are read at most, however often its text changes."""


@dataclass(frozen=True, slots=True)
class FrameReading:
    """What was read in the frame shown at a time."""

    time_ms: int
    texts: tuple[FoundText, ...]


def frame_times(start_ms: int, end_ms: int) -> tuple[int, ...]:
    """Return the times of the frames to read first: one to three, in the middle of equal parts of the shot.

    Args:
        start_ms: The beginning of the shot, or of one of the parts in which a long shot is indexed.
        end_ms: Its end, exclusive.

    Raises:
        ValueError: The shot has no length, or a negative one.
    """
    length = end_ms - start_ms
    if length <= 0:
        raise ValueError(f"a shot must end after it begins, got {start_ms}..{end_ms} ms")
    count = 1 if length < _TWO_FROM_MS else 2 if length < _THREE_FROM_MS else 3
    return tuple(start_ms + length * (2 * i + 1) // (2 * count) for i in range(count))


def more_times(
    readings: Iterable[FrameReading],
    *,
    finest_ms: int = _FINEST_MS,
    most: int = MOST_FRAMES,
    least_confidence: float = LEAST_CONFIDENCE,
) -> tuple[int, ...]:
    """Return the times of more frames to read: halfway between neighbours that do not show the same text.

    Args:
        readings: What was read in frames of one shot so far, in any order.
        finest_ms: Neighbours that are nearer than twice this are left as they are.
        most: Frames of the shot that are read at most. If there is room for only some more, those in the widest gaps
            are chosen.
        least_confidence: Texts below it do not count: noise is another in every frame, and would cost three times the
            frames.

    Returns:
        Times in order; empty if enough is known.
    """
    known = sorted(readings, key=lambda reading: reading.time_ms)
    texts = [[text for text in reading.texts if text.confidence >= least_confidence] for reading in known]
    gaps = [
        (after.time_ms - before.time_ms, (before.time_ms + after.time_ms) // 2)
        for (before, old), (after, new) in pairwise(zip(known, texts, strict=True))
        if after.time_ms - before.time_ms >= 2 * finest_ms and not same_texts(old, new)
    ]
    widest = sorted(gaps, key=lambda gap: (-gap[0], gap[1]))[: max(0, most - len(known))]
    return tuple(sorted(middle for _, middle in widest))


def shown_ranges(times_ms: Sequence[int], start_ms: int, end_ms: int) -> list[tuple[int, int]]:
    """Return for each frame of a shot the time for which it stands: halfway to its neighbours, and to the shot's ends.

    Args:
        times_ms: Ascending times within the shot.
        start_ms, end_ms: The shot.
    """
    borders = [start_ms, *((a + b) // 2 for a, b in pairwise(times_ms)), end_ms]
    return list(pairwise(borders)) if times_ms else []
