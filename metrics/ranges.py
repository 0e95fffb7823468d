"""Overlap of time ranges [start, end)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def intersection_over_union(first: ArrayLike, second: ArrayLike) -> NDArray[np.float64]:
    """Return the intersection over the union of every range with every other.

    Args:
        first: (n, 2), start and end of each range.
        second: (m, 2).

    Returns:
        float64 (n, m), from 0 to 1. Ranges that only touch share nothing; neither do ranges without length, which are
        0 even with themselves.

    Raises:
        ValueError: A range is not a pair, ends before it starts, or is not finite.
    """
    one, two = _ranges(first), _ranges(second)
    start = np.maximum(one[:, None, 0], two[None, :, 0])
    end = np.minimum(one[:, None, 1], two[None, :, 1])
    shared = np.maximum(end - start, 0)
    union = (one[:, 1] - one[:, 0])[:, None] + (two[:, 1] - two[:, 0])[None] - shared
    overlaps: NDArray[np.float64] = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    return overlaps


def _ranges(ranges: ArrayLike) -> NDArray[np.float64]:
    pairs = np.asarray(ranges, dtype=np.float64)
    pairs = pairs.reshape(0, 2) if pairs.size == 0 else pairs
    if pairs.ndim != 2 or pairs.shape[1] != 2:
        raise ValueError(f"a range has a start and an end, got an array of shape {pairs.shape}")
    if not np.isfinite(pairs).all() or (pairs[:, 1] < pairs[:, 0]).any():
        raise ValueError("a range is not finite, or ends before it starts")
    return pairs
