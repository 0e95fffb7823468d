"""Best path of a chain through the segments of one video: one segment for each step, in time and near enough.

Dynamic programming over the steps taken so far, exact for any additive gain. Times are seconds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Positions = NDArray[np.int64]

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

    A path takes no two segments that overlap, because a long shot's overlapping parts are one event.
    """

    def __init__(self, starts: Floats, ends: Floats, gains: Floats, *, within: float, any_order: bool) -> None:
        """Prepare the search.

        Args:
            starts: float64 (n,), ascending.
            ends: float64 (n,), each after its start.
            gains: float64 (S, n), what each step gains from each segment; -inf where it cannot have it.
            within: Maximum time from the end of a segment to the start of the next.
            any_order: Whether the steps may come in any order.
        """
        self._starts, self._ends, self._gains = starts, ends, np.array(gains)
        self._by_end = np.argsort(ends, kind="stable")
        in_order = ends[self._by_end]
        # The segments that a path may come from, for each segment: a range among those ordered by their ends.
        self._low = np.searchsorted(in_order, starts - within - _SLACK, "left")
        self._high = np.searchsorted(in_order, starts, "right")
        steps = len(gains)
        ordered = [(1 << taken) - 1 for taken in range(1, steps + 1)]
        self._states = list(range(1, 1 << steps)) if any_order else ordered

    def best(self) -> Path | None:
        """Return the best path, or None if there is none. Of equal ones, the one that ends first."""
        n = self._gains.shape[1]
        totals: dict[int, Floats] = {}
        reached: dict[int, tuple[Floats, Positions]] = {}  # by state: the best total before each segment, and its last
        came: dict[int, tuple[Positions, Positions]] = {}  # by state: the last step taken, and the segment before
        for state in self._states:
            total, last, before = np.full(n, -np.inf), np.zeros(n, np.int64), np.full(n, -1)
            for step, gains in enumerate(self._gains):
                rest = state ^ (1 << step)
                if not state >> step & 1 or (rest and rest not in totals):
                    continue
                value, source = gains, np.full(n, -1)
                if rest:
                    if rest not in reached:
                        reached[rest] = self._reached(totals[rest])
                    value, source = gains + reached[rest][0], reached[rest][1]
                better = value > total
                total, last = np.where(better, value, total), np.where(better, step, last)
                before = np.where(better, source, before)
            totals[state], came[state] = total, (last, before)
        state = self._states[-1]
        if not n or not np.isfinite(totals[state]).any():
            return None
        at = int(np.argmax(totals[state]))
        whole = float(totals[state][at])
        found = [0] * len(self._gains)
        while state:
            last, before = came[state]
            step = int(last[at])
            found[step] = at
            at, state = int(before[at]), state ^ (1 << step)
        return Path(whole, tuple(found))

    def take(self, path: Path) -> None:
        """Leave out the segments of a path, and all that overlap them, from the paths to come."""
        for at in path.at:
            self._gains[:, (self._starts < self._ends[at]) & (self._ends > self._starts[at])] = -np.inf

    def _reached(self, totals: Floats) -> tuple[Floats, Positions]:
        """Return the best of `totals` that each segment can be reached from, and where it is; -inf if none.

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
