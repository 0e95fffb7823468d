"""Segments within reach of a part of a chain: those that its other parts could have been found among by chance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from db.segment_times import SegmentTimes
from search.chain_paths import Floats

_SLACK = 1e-6  # of rounding, so that the chain itself counts


@dataclass(frozen=True, slots=True, eq=False)
class Reach:
    """The segments that a search for chains has looked at.

    Attributes:
        times: All segments of the videos that were looked at.
        gains: float64 (S, n), what each of these gains in each step; see `search.chain_paths`.
        segments: Number of segments in the library.
    """

    times: SegmentTimes
    gains: Floats
    segments: int

    def share(self, step: int, total: float, seconds: float, *, before: bool, after: bool) -> float:
        """Return the share of the library's segments within reach of what could be a part of as good a chain.

        Args:
            step: Number of the part's step, from 0.
            total: Sum of the gains of a chain's parts. A segment that gains as much could be part of one as good, were
                all other parts at their best.
            seconds: Maximum time from the part to the other one.
            before, after: Whether the other may precede or follow the part.
        """
        videos = np.cumsum(np.diff(self.times.video_ids, prepend=self.times.video_ids[:1]) != 0)
        apart = float(self.times.ends.max() - self.times.starts.min()) + seconds + 1.0
        starts, ends = self.times.starts + apart * videos, self.times.ends + apart * videos
        could = self.gains[step] >= total - _SLACK
        count = 0
        if after:
            count += _covered(starts, ends[could], ends[could] + seconds)
        if before:
            count += _covered(np.sort(ends), starts[could] - seconds, starts[could])
        return min(1.0, max(1, count) / max(1, self.segments))


def _covered(times: Floats, firsts: Floats, lasts: Floats) -> int:
    """Return how many of the times, ascending, lie in any of the ranges."""
    begun = np.bincount(np.searchsorted(times, firsts, "left"), minlength=len(times) + 1)
    ended = np.bincount(np.searchsorted(times, lasts, "right"), minlength=len(times) + 1)
    return int((np.cumsum(begun - ended)[:-1] > 0).sum())
