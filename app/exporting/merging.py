"""Clips that overlap in a source, merged in pairs: the parts of a long shot overlap, and so do hits of two of them.

Only what overlaps directly is merged, and what was merged never again: else the parts of a film that all match would
grow into the whole film.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from app.exporting.request import ClipRequest
from indexer.identity import Identity


def merge_overlapping(clips: Sequence[ClipRequest]) -> list[ClipRequest]:
    """Return the clips, with each merged with the first later one that overlaps it, unless that was merged before.

    The merged clip has the place, rank and score of the first of its two.

    Args:
        clips: Best first.
    """
    merged: list[ClipRequest] = []
    waiting: dict[tuple[str, Identity | None], list[int]] = defaultdict(list)  # numbers of clips not merged, by source
    for clip in clips:
        alone = waiting[clip.path, clip.identity]
        other = next((at for at in alone if _overlap(merged[at], clip)), None)
        if other is None:
            alone.append(len(merged))
            merged.append(clip)
            continue
        first = merged[other]
        start = min(Fraction(first.start_seconds), Fraction(clip.start_seconds))
        end = max(Fraction(first.end_seconds), Fraction(clip.end_seconds))
        merged[other] = replace(first, start_seconds=start, end_seconds=end)
        alone.remove(other)
    return merged


def _overlap(one: ClipRequest, other: ClipRequest) -> bool:
    starts = max(Fraction(one.start_seconds), Fraction(other.start_seconds))
    return starts < min(Fraction(one.end_seconds), Fraction(other.end_seconds))
