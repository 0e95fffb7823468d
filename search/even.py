"""Every n-th of many, so that a few represent all."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Scalar = TypeVar("Scalar", bound=np.generic)


def even_places(count: int, most: int) -> NDArray[np.int64]:
    """Return at most `most` places, evenly spread over 0 to `count` - 1: int64, ascending, each once."""
    return np.linspace(0, max(0, count - 1), min(count, most)).astype(np.int64)  # of fewer than `count`, none is twice


def evenly(values: NDArray[Scalar], most: int) -> NDArray[Scalar]:
    """Return at most `most` of the values (or rows), evenly spread, in their order."""
    return values[even_places(len(values), most)]
