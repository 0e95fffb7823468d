"""Judgement of changes from one frame to the next, as hard cuts or not, by what is around them."""

from __future__ import annotations

import math

import numpy as np

from indexer.shots.thumbnails import Thumbnails

AROUND = 0.25
"""Seconds on either side of a change that are examined."""

LEAST_AROUND = 2
"""Frames on either side that are examined at least, as few are that near at low frame rates; but none beyond FAR."""

FAR = 1.0
"""Seconds."""

LEAST_CONTENT = 3.0
"""The smallest score of a change that is examined."""

_LEAST_CONTENT_AROUND = 3.0  # so that small changes do not stand out in still pictures
_LEAST_RECOLOUR_AROUND = 0.1


def cut_evidence(rows: Thumbnails, number: int) -> float:
    """Return the log odds that a new shot begins with the frame `number`; best called AROUND seconds later.

    In fast motion all changes are large. A cut among them has a larger one than its neighbours in two ways: in the
    pixels, and in the colours wherever they are, which motion hardly changes. The evidence is a logistic regression on
    the score of the change and on both ratios, fitted on assembled shots of moving cameras and things, in colour, grey
    and dark, where half of the cuts are to another view of the same scene; no film was among them.
    """
    after = rows.row_of(number)
    first, end = _around(rows, after)
    around = [*range(first + 1, after), *range(after + 1, end + 1)]
    content, recolour = float(rows.content[after]), float(rows.recolour[after])
    by_content = content / max(rows.content[around].max(initial=0.0), _LEAST_CONTENT_AROUND)
    by_recolour = recolour / max(rows.recolour[around].max(initial=0.0), _LEAST_RECOLOUR_AROUND)
    return 1.3 * _log(content, 1.0) + 7.9 * _log(by_content, 0.1) + 3.4 * _log(by_recolour, 0.1) - 8.6


def is_change(rows: Thumbnails, number: int) -> bool:
    """Return whether another picture begins with the frame `number` and stays, unlike with a jerk or a flash."""
    after = rows.row_of(number)
    before = max(after - 1, 0)
    first, end = _around(rows, after)
    sooner = max(first, before - max(1, (before - first) // 2))
    later = min(end, after + max(1, (end - after) // 2))
    return not (rows.are_alike(before, later) or rows.are_alike(sooner, after))


def _around(rows: Thumbnails, after: int) -> tuple[int, int]:
    """Return the first and the last row around a change to the row `after`."""
    before = max(after - 1, 0)

    seconds = rows.seconds[: rows.count]
    near, far = seconds.searchsorted(seconds[before] - np.array([AROUND, FAR]) - 1e-6)
    first = min(near, max(before - LEAST_AROUND, far))
    near, far = seconds.searchsorted(seconds[after] + np.array([AROUND, FAR]) + 1e-6) - 1
    return int(first), int(max(near, min(after + LEAST_AROUND, far)))


def _log(value: float, least: float) -> float:
    return math.log(max(value, least))
