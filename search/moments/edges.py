"""Edges of a moment: from a coarse curve of windows to places between them, with a few more windows near each edge."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from search.moments.contrast import Run, crossing
from search.moments.windows import Window

EDGE_LEVEL = 1 / 3
"""Where between outside (0) and inside (1) the score of a window lies whose middle is an edge. A clip that shows
something else for half of its time is less like either than half. On joined takes of the demo world, edges at a
quarter to a third are as often too early as too late; at a half, moments are too short by a fifth of a window on either
side."""

Score = Callable[[Sequence[Window]], NDArray[np.float64]]
"""Returns the corrected scores of windows."""


def edges_of(
    run: Run, windows: Sequence[Window], curve: NDArray[np.float64], frames: int, score: Score
) -> tuple[float, float]:
    """Return start and end of a run of windows, in frames of the stretch; not whole numbers.

    An edge is where the curve of the windows' middles crosses EDGE_LEVEL.

    Args:
        run: What stands out.
        windows: All windows, ascending.
        curve: (n,), their corrected scores.
        frames: Number of frames of the stretch.
        score: Scores further windows.
    """
    level = run.outside + EDGE_LEVEL * (run.inside - run.outside)
    further: dict[Window, float] = {}
    wanted = [] if run.first == 0 else _between(windows, run.first - 1, run.first)
    wanted += [] if run.end == len(windows) else _between(windows, run.end - 1, run.end)
    new = [each for each in dict.fromkeys(wanted) if each not in set(windows)]
    if new:
        further = dict(zip(new, score(new).tolist(), strict=True))
    all_windows = sorted({**dict(zip(windows, curve.tolist(), strict=True)), **further}.items())
    middles = np.array([(window.first + window.end) / 2 for window, _ in all_windows])
    values = np.array([value for _, value in all_windows])
    inner = (
        (windows[run.first].first + windows[run.first].end) / 2,
        (windows[run.end - 1].first + windows[run.end - 1].end) / 2,
    )
    start, end = 0.0, float(frames)
    if run.first > 0:
        outer = (windows[run.first - 1].first + windows[run.first - 1].end) / 2
        chosen = (middles >= outer) & (middles <= inner[0])
        start = crossing(middles[chosen], values[chosen], level)
    if run.end < len(windows):
        outer = (windows[run.end].first + windows[run.end].end) / 2
        chosen = (middles >= inner[1]) & (middles <= outer)
        end = crossing(middles[chosen][::-1], values[chosen][::-1], level)
    return start, max(end, start + 1)


def _between(windows: Sequence[Window], one: int, other: int) -> list[Window]:
    """Return windows of the same length between two neighbours, at thirds of the way where there is room."""
    length = windows[one].end - windows[one].first
    low, high = windows[one].first, windows[other].first
    firsts = {low + round((high - low) * share) for share in (1 / 3, 2 / 3)} - {low, high}
    return [Window(first, first + length) for first in sorted(firsts)]
