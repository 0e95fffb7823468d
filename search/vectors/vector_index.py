"""What the engine needs of an index of vectors, and nothing of how it is kept."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray


@runtime_checkable
class VectorIndex(Protocol):
    """Nearest rows by inner product, which is the cosine for rows of unit length. Ids are segment ids.

    Implementations pass tests/test_vector_index.py.
    """

    def search(
        self, rows: NDArray[np.float32], k: int, allowed: NDArray[np.int64] | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """The k best of each query row: float32 (Q, D) -> ids int64 (Q, n), scores float32 (Q, n), best first.

        n is the smaller of k and the number of rows that may be found, so there is no padding: -1 is never an id.
        Equal scores come by ascending id. allowed: only these ids may be found; unknown ones and repeats do no harm;
        an empty array finds nothing, None finds everything.

        Raises ValueError for another shape or dtype, for k < 1 and for rows that are not finite.
        """
        ...

    def count(self, row: NDArray[np.float32], threshold: float, allowed: NDArray[np.int64] | None = None) -> int:
        """How many rows score `threshold` or more, by the scores that `search` gives: exact, however many there are.

        row: float32 (D,). allowed: as for `search`. Raises ValueError for another shape or dtype, for a row that is not
        finite and for a threshold that is NaN; infinite ones count all rows or none.
        """
        ...

    def __len__(self) -> int:
        """Rows that may be found."""
        ...


@runtime_checkable
class Refreshable(Protocol):
    """An index that is derived from something and can catch up with it."""

    def refresh(self) -> bool:
        """Take in what was added, changed or removed since. True where anything was."""
        ...


@runtime_checkable
class HoldsRows(Protocol):
    """An index that gives back the rows it compares, sooner than the library reads them."""

    def rows_of(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """float32 (n, D): the rows of these ids as stored, in their order. Raises KeyError for one that has none."""
        ...


CODED_ROWS = 50_000
"""From here on an index of vectors is more than the rows themselves, and worth to be brought up to date beforehand."""


def check_search(rows: NDArray[np.float32], k: int, dim: int | None) -> None:
    """What every index refuses. dim: columns of its rows, or None while it is empty and would take any.

    Raises ValueError as `VectorIndex.search` says.
    """
    if rows.ndim != 2 or rows.dtype != np.float32 or (dim is not None and rows.shape[1] != dim):
        wanted = "D" if dim is None else dim
        raise ValueError(f"query rows are float32 (Q, {wanted}), got {rows.dtype} {rows.shape}")
    if k < 1:
        raise ValueError(f"k must be at least 1, got {k}")
    if not np.isfinite(rows).all():
        raise ValueError("a query row is not finite: the encoder gave NaN or infinity for a term")


def least_score(threshold: float) -> np.float32:
    """The smallest float32 that is not below the threshold, so that float32 scores can be compared with it exactly.

    Raises ValueError for NaN.
    """
    if np.isnan(threshold):
        raise ValueError("the threshold is not a number")
    with np.errstate(over="ignore"):
        nearest = np.float32(threshold)
        return np.nextafter(nearest, np.float32(np.inf)) if float(nearest) < threshold else nearest
