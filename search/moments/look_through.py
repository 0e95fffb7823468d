"""The stretch of a shot that is looked through for a moment: chosen by the stored rows of the shot's parts.

A long shot is indexed in parts, so their rows are a coarse curve that costs nothing. Those beside the hit that answer
the question as well are looked through with it, and one more on either side, where the moment may begin or end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from search.moments.contrast import find_run

if TYPE_CHECKING:
    from db.records import Segment

MOST_SECONDS = 60
"""The longest stretch that is looked through: longer moments end where it ends."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A range of pts.

    Attributes:
        start_pts, end_pts: The range.
    """

    start_pts: int
    end_pts: int


def stretch_of(
    hit: Segment,
    parts: Sequence[Segment],
    scores: NDArray[np.floating],
    nulls: NDArray[np.floating],
    time_base: Fraction,
) -> Stretch:
    """Return the stretch to look through for the moment of a hit.

    Args:
        hit: The segment that was found.
        parts: All segments of its shot, by start; the hit is one of them.
        scores: (n,), of the parts.
        nulls: (n, Q), of the parts for unrelated questions.
        time_base: Seconds per pts.
    """
    at = next((n for n, part in enumerate(parts) if part.id == hit.id), None)
    if at is None:
        return Stretch(hit.start_pts, hit.end_pts)
    first, end = at, at + 1
    run = find_run(scores, nulls)
    if run is None:
        first, end = 0, len(parts)  # all of it answers, or a moment too short to show in any part
        if (parts[-1].end_pts - parts[0].start_pts) * time_base > MOST_SECONDS:
            first, end = at, at + 1
    elif run.first <= at < run.end:
        first, end = run.first, run.end
    first, end = max(0, first - 1), min(len(parts), end + 1)
    while (parts[end - 1].end_pts - parts[first].start_pts) * time_base > MOST_SECONDS and end - first > 1:
        if end - 1 - at >= at - first:  # from the side that is further away
            end -= 1
        else:
            first += 1
    return Stretch(parts[first].start_pts, parts[end - 1].end_pts)
