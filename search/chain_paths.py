"""Best path of a chain through the segments of one video: one segment for each step, in time and near enough.

The z-score of a segment in a step (its score in standard deviations above the library's mean) becomes the logarithm of
how likely it is what the step asks for, so that the sum over the steps of a path says how likely it is that all are
there: one very near part does not make up for a missing one. Dynamic programming over the steps taken so far finds the
best sum exactly. Times are seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Positions = NDArray[np.int64]

HALF = 2.0
"""Z-score at which a segment is as likely as not what a step asks for: about what the best of the fifty shots of a
video gets that have nothing to do with it."""

CHANGE = 1.0
"""By how much two parts of one shot must differ in z-score, in both steps, to be two events.

Measured on the demo world: one take drawn twice differs by 0.17 (median; 0.44 in 9 of 10 cases), and never by 1 in both
of two steps that it meets; two takes, each of which meets one of the steps, always do.
"""

_SLACK = 1e-6  # of times rounded in a time base, so that exactly 20 s is within 20 s


@dataclass(frozen=True, slots=True)
class Path:
    """One segment for each step.

    Attributes:
        total: Sum of the gains.
        at: Positions of the segments, in the order of the steps.
    """

    total: float
    at: tuple[int, ...]


class Paths:
    """The paths through one video, best first. A segment once taken, and all that overlap it, are not taken again.

    A path takes no two segments that overlap, because a long shot's overlapping parts are one event. Two parts of one
    shot may follow each other only where the shot changes: each z-score must be above the other by CHANGE in its own
    step. So what shows both steps at once is not taken for one after the other.
    """

    def __init__(
        self, starts: Floats, ends: Floats, shots: Positions, z_scores: Floats, *, within: float, any_order: bool
    ) -> None:
        """Prepare the search.

        Args:
            starts: float64 (n,), ascending.
            ends: float64 (n,), each after its start.
            shots: int64 (n,), numbers of the shots that the segments are of, ascending.
            z_scores: float64 (S, n), of each segment in each step; -inf where the step cannot have it.
            within: Maximum time from the end of a segment to the start of the next.
            any_order: Whether the steps may come in any order.
        """
        self._starts, self._ends, self._z_scores, self._gains = starts, ends, z_scores, gain(z_scores)
        self._by_end = np.argsort(ends, kind="stable")
        in_order = ends[self._by_end]
        # The segments that a path may come from, for each segment: a range among those ordered by their ends, of which
        # those of its own shot are the last.
        low = np.searchsorted(in_order, starts - within - _SLACK, "left")
        high = np.searchsorted(in_order, starts, "right")
        of_shot = np.searchsorted(shots, shots, "left")  # the first segment of the same shot
        first = np.minimum(np.searchsorted(in_order, starts[of_shot], "right"), high)
        self._low, self._high = low, np.maximum(first, low)
        own = np.maximum(high - np.maximum(first, low), 0)
        self._to = np.repeat(np.arange(len(starts)), own)
        within_own = np.arange(len(self._to)) - np.repeat(np.cumsum(own) - own, own)
        self._from = self._by_end[np.repeat(self._high, own) + within_own]
        steps = len(z_scores)
        ordered = [(1 << taken) - 1 for taken in range(1, steps + 1)]
        self._states = list(range(1, 1 << steps)) if any_order else ordered

    def best(self) -> Path | None:
        """Return the best path, or None if there is none. Among equals, the one that ends first wins."""
        n = self._gains.shape[1]
        # By the steps taken (bits) and the last of them: the best total that ends in each segment, and from which
        # segment and step it came.
        totals: dict[int, dict[int, Floats]] = {}
        came: dict[tuple[int, int], Sequence[Positions]] = {}
        reached: dict[int, tuple[Floats, Positions, Positions]] = {}  # from other shots, whatever step is to come
        for state in self._states:
            totals[state] = {}
            for step, gains in enumerate(self._gains):
                rest = state ^ (1 << step)
                if state >> step & 1 and (not rest or rest in totals):
                    if not rest:
                        totals[state][step] = gains
                        continue
                    if rest not in reached:
                        reached[rest] = self._reached(totals[rest])
                    total, *came[state, step] = self._with_own_shot(*reached[rest], totals[rest], step)
                    totals[state][step] = gains + total
        state = self._states[-1]
        step, at = max(
            ((step, int(np.argmax(total))) for step, total in totals[state].items() if n),
            key=lambda each: (totals[state][each[0]][each[1]], -each[1]),
            default=(0, 0),
        )
        if not n or not np.isfinite(totals[state][step][at]):
            return None
        whole, found = float(totals[state][step][at]), [0] * len(self._gains)
        while True:
            found[step] = at
            if (state, step) not in came:
                return Path(whole, tuple(found))
            before, last = came[state, step]
            state, step, at = state ^ (1 << step), int(last[at]), int(before[at])

    def take(self, path: Path) -> None:
        """Leave out the segments of a path, and all that overlap them, from the paths to come."""
        for at in path.at:
            self._gains[:, (self._starts < self._ends[at]) & (self._ends > self._starts[at])] = -np.inf

    def _reached(self, totals: dict[int, Floats]) -> tuple[Floats, Positions, Positions]:
        """Return the best total with which each segment is reached from other shots, from which segment, and its step.

        Args:
            totals: By the last step taken, those that end in each segment.
        """
        every = np.stack(list(totals.values()))
        steps = np.array(list(totals))[every.argmax(axis=0)]
        reached, source = self._best_in_range(every.max(axis=0))
        return reached, source, steps[np.maximum(source, 0)]

    def _with_own_shot(
        self, reached: Floats, source: Positions, last: Positions, totals: dict[int, Floats], step: int
    ) -> tuple[Floats, Positions, Positions]:
        """Return the same for a step to come, when segments are reached from their own shot, too."""
        if not len(self._to):
            return reached, source, last
        reached, source, last = reached.copy(), source.copy(), last.copy()
        own = self._z_scores
        better = own[step, self._to] >= own[step, self._from] + CHANGE
        for before, total in totals.items():
            changed = better & (own[before, self._from] >= own[before, self._to] + CHANGE)
            came, to = self._from[changed], self._to[changed]
            order = np.argsort(total[came], kind="stable")  # so that the best is written last
            here = np.full(len(reached), -1)
            here[to[order]] = came[order]
            at = np.flatnonzero(here >= 0)
            at = at[total[here[at]] > reached[at]]
            reached[at], source[at], last[at] = total[here[at]], here[at], before
        return reached, source, last

    def _best_in_range(self, totals: Floats) -> tuple[Floats, Positions]:
        """Return the best of `totals` in the range of each segment, and where it is; -inf and -1 if there is none.

        Ranges are answered from the maxima of all stretches whose length is a power of two (a sparse table).
        """
        ordered = totals[self._by_end]
        table = [np.arange(len(ordered))]
        while 2 << (len(table) - 1) <= len(ordered):
            left, right = table[-1][: -(1 << (len(table) - 1))], table[-1][1 << (len(table) - 1) :]
            table.append(np.where(ordered[left] >= ordered[right], left, right))
        lengths = self._high - self._low
        reached, source = np.full(len(ordered), -np.inf), np.full(len(ordered), -1)
        for level, best in enumerate(table):
            here = np.flatnonzero((lengths >= 1 << level) & (lengths < 2 << level))
            left, right = best[self._low[here]], best[self._high[here] - (1 << level)]
            chosen = np.where(ordered[left] >= ordered[right], left, right)
            reached[here], source[here] = ordered[chosen], self._by_end[chosen]
        return reached, source


def gain(z_scores: NDArray[np.floating]) -> Floats:
    """Return the logarithm of how likely segments of these z-scores are what is asked for, by a logistic function.

    Far below HALF it is a straight line, far above it is 0.
    """
    return -np.logaddexp(0.0, HALF - np.asarray(z_scores, np.float64))
