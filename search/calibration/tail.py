"""Probability of chance: the share of null strengths that are at least as large as a hit's.

A share of a few hundred is an estimate, so it is taken at its upper end, one standard error above: too few good matches
are called weak by that, but chance alone gives hardly more good matches than a level says.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from search.strength import Strength

FEWEST = 200
"""With fewer null strengths than this, their share is too coarse, and the tail of a normal distribution is taken."""


class Tail:
    """Strengths of null questions or shots, in any order."""

    def __init__(self, values: NDArray[np.floating]) -> None:
        self.values = np.sort(np.asarray(values, dtype=np.float64))

    def strengths(self, values: NDArray[np.float64]) -> list[Strength]:
        """Return each strength with its probability of chance. No chance is below 1 / (n + 1)."""
        count = len(self.values)
        if count < FEWEST:
            tails = [max(0.5 * math.erfc(value / math.sqrt(2)), 1e-9) for value in values.tolist()]
        else:
            at_least = count - np.searchsorted(self.values, values, side="left")
            tails = np.minimum(1, (1 + at_least + np.sqrt(at_least)) / (count + 1)).tolist()
        normal = count < FEWEST
        return [
            Strength(value=value, chance=chance, normal=normal)
            for value, chance in zip(values.tolist(), tails, strict=True)
        ]
