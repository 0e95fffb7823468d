"""The size of a library in strengths: what the best of few shots gets by chance, the best of many gets easily.

A strength of 0 is what the best hit of an unrelated question gets among the shots of its space. So strengths of spaces
of different sizes are brought to one size, that of all shots that are asked. Shots are taken for independent draws of
a normal distribution, of which the best of n has a known mean and spread.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

_GRID = np.linspace(-9.0, 9.0, 2401)
_BELOW = np.array([0.5 * math.erfc(-each / math.sqrt(2)) for each in _GRID.tolist()])


@lru_cache(256)
def best_of(count: int) -> tuple[float, float]:
    """Return the mean and the standard deviation of the largest of `count` draws of a standard normal distribution."""
    share = np.diff(_BELOW ** max(1, count))
    middle = (_GRID[1:] + _GRID[:-1]) / 2
    mean = float((share * middle).sum())
    return mean, math.sqrt(float((share * (middle - mean) ** 2).sum()))


def rescaled(values: NDArray[np.float64], count: int, total: int) -> NDArray[np.float64]:
    """Return strengths among `total` shots, for strengths that hits have among `count`."""
    if count == total:
        return values
    (mean, spread), (wanted_mean, wanted_spread) = best_of(count), best_of(total)
    return np.asarray((values * spread + mean - wanted_mean) / wanted_spread, dtype=np.float64)
