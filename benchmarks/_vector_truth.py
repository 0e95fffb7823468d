"""The truth that vector search is compared with: inner products with every stored row, by matrix multiplication.

Only the best scores of each query are kept, block by block, so that ten million rows fit.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

_BLOCK = 20_000
_SAMPLE = 100_000
_ROUNDING = 1e-6  # scores of the same rows, summed in another order, differ by less
_COUNT_ROUNDING = 1e-5

Key = TypeVar("Key", bound=Hashable)


def best_scores(
    rows: NDArray[np.float16],
    queries: NDArray[np.float32],
    wanted: Mapping[Key, tuple[int, NDArray[np.bool_] | None]],
) -> dict[Key, NDArray[np.float32]]:
    """Return the best scores of each query for several k and filters, in one pass over the rows.

    Args:
        rows: float16 (n, D).
        queries: float32 (Q, D).
        wanted: For each key, the number k of scores, and bool (n,), the rows allowed; None allows all.

    Returns:
        For each key float32 (Q, k), descending; -inf where fewer rows are allowed.
    """
    best = {key: np.full((len(queries), k), -np.inf, dtype=np.float32) for key, (k, _) in wanted.items()}
    for start in range(0, len(rows), _BLOCK):
        scores = queries @ rows[start : start + _BLOCK].astype(np.float32).T
        for key, (k, mask) in wanted.items():
            block = scores if mask is None else scores[:, mask[start : start + _BLOCK]]
            joined = np.concatenate([best[key], block], axis=1)
            best[key] = np.partition(joined, joined.shape[1] - k, axis=1)[:, -k:]
    return {key: np.sort(scores, axis=1)[:, ::-1] for key, scores in best.items()}


def recall(
    rows: NDArray[np.float16],
    query: NDArray[np.float32],
    ids: NDArray[np.int64],
    best: NDArray[np.float32],
    mask: NDArray[np.bool_] | None = None,
) -> float:
    """Return the share of the best rows that was found; rows that score the same as the last of them count as well.

    Args:
        rows: float16 (n, D), the rows of the ids 1, 2 ... n.
        query: float32 (D,).
        ids: int64 (m,), the ids that were found.
        best: float32 (k,), this query's scores from `best_scores`.
        mask: bool (n,), the rows allowed; others do not count.
    """
    best = best[np.isfinite(best)]
    if best.size == 0:
        return 1.0
    found = np.unique(ids) - 1
    if mask is not None:
        found = found[mask[found]]
    scores = rows[found].astype(np.float32) @ query
    right = int(np.count_nonzero(scores >= best[-1] - _ROUNDING))
    return min(best.size, right) / best.size


@dataclass(frozen=True)
class Counting:
    """A query with a threshold, and the least and greatest number of rows that may be counted above it."""

    query: NDArray[np.float32]  # float32 (1, D)
    threshold: float
    least: int
    most: int


def countings(
    rows: NDArray[np.float16], queries: NDArray[np.float32], shares: tuple[float, ...]
) -> dict[float, list[Counting]]:
    """Return, for each share, one Counting per query whose threshold about that share of the rows passes."""
    sample = queries @ rows[:: -(-len(rows) // _SAMPLE)].astype(np.float32).T
    thresholds = np.quantile(sample, 1 - np.array(shares), axis=1).astype(np.float32)  # (shares, queries)
    least, most = np.zeros(thresholds.shape, np.int64), np.zeros(thresholds.shape, np.int64)
    for start in range(0, len(rows), _BLOCK):
        scores = queries @ rows[start : start + _BLOCK].astype(np.float32).T
        for at, limits in enumerate(thresholds):
            least[at] += np.count_nonzero(scores >= limits[:, None] + _COUNT_ROUNDING, axis=1)
            most[at] += np.count_nonzero(scores >= limits[:, None] - _COUNT_ROUNDING, axis=1)
    return {
        share: [
            Counting(queries[i : i + 1], float(thresholds[at, i]), int(least[at, i]), int(most[at, i]))
            for i in range(len(queries))
        ]
        for at, share in enumerate(shares)
    }
