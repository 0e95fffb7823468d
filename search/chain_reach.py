"""Segments within reach of a part of a chain: those that its other parts could have been found among by chance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from db.segment_times import SegmentTimes
from search.chain_paths import Floats, gain

_SLACK = 1e-6  # of rounding, so that the chain itself counts


@dataclass(frozen=True, slots=True, eq=False)
class Reach:
    """The segments that a search for chains has looked at.

    Attributes:
        times: All segments of the videos that were looked at.
        strengths: float64 (S, n), of each of these in each step.
        segments: Number of segments in the library.
    """

    times: SegmentTimes
    strengths: Floats
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
        videos = np.unique(self.times.video_ids, return_inverse=True)[1]
        apart = float(self.times.ends.max() - self.times.starts.min()) + seconds + 1.0
        starts, ends = self.times.starts + apart * videos, self.times.ends + apart * videos
        could = gain(self.strengths[step]) >= total - _SLACK
        count = 0
        if after:
            count += _covered(np.sort(starts), ends[could], ends[could] + seconds)
        if before:
            count += _covered(np.sort(ends), starts[could] - seconds, starts[could])
        return min(1.0, max(1, count) / max(1, self.segments))


def _covered(times: Floats, firsts: Floats, lasts: Floats) -> int:
    """Return how many of the times, ascending, lie in any of the ranges."""
    edges = np.zeros(len(times) + 1, np.int64)
    np.add.at(edges, np.searchsorted(times, firsts, "left"), 1)
    np.add.at(edges, np.searchsorted(times, lasts, "right"), -1)
    return int((np.cumsum(edges[:-1]) > 0).sum())
