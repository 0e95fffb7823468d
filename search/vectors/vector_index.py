"""Protocols of a vector index: the interface that the engine needs, independent of storage."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int64]  # of segments

RowsOf = Callable[[list[int]], tuple[list[int], NDArray[np.float32]]]
"""Returns (ids, float32 (n, D)) for segment ids, in order, without those that no longer exist."""


@runtime_checkable
class VectorIndex(Protocol):
    """Nearest-neighbour search by inner product, which is the cosine for unit rows. Ids are unique segment ids.

    Methods may be called from several threads, even while the index is being updated. They raise ValueError for query
    rows of the wrong shape or dtype or that are not finite, and LibraryError if the library has to be reread and cannot
    be. Implementations must pass tests/test_vector_index.py and tests/test_equal_scores.py.
    """

    def search(self, rows: NDArray[np.float32], k: int, allowed: Ids | None = None) -> tuple[Ids, NDArray[np.float32]]:
        """Return the k best rows for each query row.

        Args:
            rows: float32 (Q, D), query rows. Q may be 0. An empty index accepts any D.
            k: Number of results per query row, 1 or more.
            allowed: int64 (n,), ids of the allowed rows, in any order; unknown and repeated ids are ignored. An empty
                array allows no row, None allows all.

        Returns:
            (ids, scores): int64 (Q, m) and float32 (Q, m), best first. m is the smaller of k and the number of
            allowed rows, so results are never padded with an id of -1. Scores are inner products with the stored
            rows; equal rows have equal scores, bit for bit, and equal scores come by ascending id.
        """
        ...

    def count(self, row: NDArray[np.float32], threshold: float, allowed: Ids | None = None) -> int:
        """Return the number of allowed rows whose score with `row`, float32 (D,), is at least `threshold`, exactly.

        The threshold may be infinite, but not NaN.
        """
        ...

    def __len__(self) -> int:
        """Return the number of rows."""
        ...


@runtime_checkable
class Refreshable(Protocol):
    """An index that is derived from a library and can be updated from it."""

    def refresh(self) -> bool:
        """Apply the rows added, changed or removed since the last refresh; return whether there were any.

        Searches may continue meanwhile. Raises LibraryError if the library cannot be read.
        """
        ...


@runtime_checkable
class RowStore(Protocol):
    """An index that can return its rows, faster than the library reads them."""

    def rows_of(self, ids: Ids) -> NDArray[np.float32]:
        """Return rows as stored, float32 (n, D), in the order of `ids`, int64 (n,), which may repeat.

        Raises KeyError if an id has no row, and LibraryError if the library has to be reread and cannot be.
        """
        ...


@runtime_checkable
class Optimizable(Protocol):
    """An index of many rows that searches faster once something has been made of them, which takes a while."""

    def is_due(self) -> bool:
        """Return whether `optimize` would make something. Raises LibraryError if the library cannot be read."""
        ...

    def optimize(self, on_progress: Callable[[float], None] | None = None) -> bool:
        """Make it, if it is due, and return whether that was so. Searches may continue meanwhile.

        Args:
            on_progress: Receives the share that is done, if that is known; what it raises ends the work.

        Raises LibraryError if the library cannot be read, or something cannot be stored in it.
        """
        ...


CODED_ROWS = 50_000
"""From here on, an index has codes, because comparing every row takes more than 3 ms."""


def check_search(rows: NDArray[np.float32], k: int, dim: int | None) -> None:
    """Raise ValueError for arguments with which an index of `dim` columns (None: any) cannot be searched."""
    if rows.ndim != 2 or rows.dtype != np.float32 or (dim is not None and rows.shape[1] != dim):
        wanted = "D" if dim is None else dim
        raise ValueError(f"query rows are float32 (Q, {wanted}), got {rows.dtype} {rows.shape}")
    if k < 1:
        raise ValueError(f"k must be at least 1, got {k}")
    if not np.isfinite(rows).all():
        raise ValueError("a query row is not finite: the encoder gave NaN or infinity for a term")


def least_score(threshold: float) -> np.float32:
    """Return the smallest float32 that is not below the threshold. Raise ValueError for NaN."""
    if np.isnan(threshold):
        raise ValueError("the threshold is not a number")
    with np.errstate(over="ignore"):
        nearest = np.float32(threshold)
        return np.nextafter(nearest, np.float32(np.inf)) if float(nearest) < threshold else nearest
