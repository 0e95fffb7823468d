"""The result of a query of a full-text index, and the limits of such queries."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MOST = 1000
"""Matches that are looked at."""

COMMON = 3000
"""A word in more lines than this tells lines apart by their length alone."""

MOST_RANGES = 64
"""Of ids, that are asked for one by one; of more, all matches are read and compared with the ranges."""

Range = tuple[int, int]
"""The first and the last id of lines."""


@dataclass(frozen=True, slots=True, eq=False)
class Matches:
    """Lines that match.

    Attributes:
        ids: int64 (n,), best first, or ascending where nothing is ranked.
        complete: False if there are more than were looked at.
    """

    ids: NDArray[np.int64]
    complete: bool
