"""Splitting of shots into segments: pure functions on integers."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from fractions import Fraction

Span = tuple[int, int]
"""[start, end) in pts."""


def split_shot(start: int, end: int, longest: int, overlap: int) -> list[Span]:
    """Split [start, end) into as few equal parts of at most `longest` as possible; neighbours share `overlap`.

    All values are in pts. Rounding moves inner borders by less than one unit and never the outer ones.

    Raises:
        ValueError: Unless end > start and 0 <= overlap < longest.
    """
    if end <= start or not 0 <= overlap < longest:
        raise ValueError(f"cannot split {start}..{end} into parts of {longest} that overlap by {overlap}")
    length = end - start
    if length <= longest:
        return [(start, end)]
    count = math.ceil(Fraction(length - overlap, longest - overlap))
    part = Fraction(length + (count - 1) * overlap, count)
    return [
        (start + round(k * (part - overlap)), end if k == count - 1 else start + round(k * (part - overlap) + part))
        for k in range(count)
    ]


def merge_empty(spans: Sequence[Span], times: Sequence[int]) -> list[Span]:
    """Merge spans without a frame into the previous span, whose picture was still shown; leading ones into the next.

    Args:
        spans: Ascending.
        times: pts of the frames, ascending; at least one lies within the spans.

    Returns:
        Spans that each hold a frame.
    """
    joined: list[Span] = []
    waiting: int | None = None  # start of leading spans without a frame
    for start, end in spans:
        if bisect_left(times, start) < bisect_left(times, end):
            joined.append((start if waiting is None else waiting, end))
            waiting = None
        elif joined:
            joined[-1] = (joined[-1][0], end)
        elif waiting is None:
            waiting = start
    return joined
