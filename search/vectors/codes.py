"""1-bit codes: quantised rows, scanned for candidates that are then compared exactly.

RaBitQ (Gao and Long, SIGMOD 2024) in FAISS's fast-scan layout: 104 bytes per row of 768 columns, scanned at 10 ms per
million. A single list needs no training except the mean of the rows; of many lists (k-means on a sample), a search
probes only the nearest. Every candidate is compared exactly afterwards (search.vectors.row_parts).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import faiss as _faiss
import numpy as np
from numpy.typing import NDArray

from search.vectors.row_parts import DamagedRows

faiss: Any = _faiss  # its stubs describe the C++ constructors, not those of its Python wrapper

TRAINED_ROWS = 100_000
"""From here on, many lists pay off: they halve the time of a search at 100 000 rows, and take a tenth at a million."""

_QUERY_BITS = 8  # per number of a query; fewer are hardly faster and less exact
_SAMPLE_A_LIST = 40  # training rows per list, about as FAISS recommends
_ITERATIONS = 8
_PROBED = 1.25  # for the ten nearest, 1.25 times the root of the number of lists are probed
_MIN_LISTS = 256


def list_count(count: int) -> int:
    """Return the number of lists for `count` rows: 1, or a power of two near the root of their number."""
    if count < TRAINED_ROWS:
        return 1
    return max(_MIN_LISTS, int(2 ** round(np.log2(np.sqrt(count)))))


def candidate_count(k: int, *, one_list: bool) -> int:
    """Return how many candidates are needed for the `k` nearest at a recall of 0.99 (measured by benchmarks.vectors).

    In a single list, all rows are coded by their difference from one mean, which is less precise, so twice as many are
    needed.
    """
    return (300 + 20 * k) * (2 if one_list else 1)


class Codes:
    """Codes of the rows at positions 0 to len - 1. Immutable: `extended` returns new ones."""

    def __init__(self, index: Any) -> None:
        """Wrap a faiss.IndexIVFRaBitQFastScan. Raise DamagedRows for any other index."""
        if not isinstance(index, faiss.IndexIVFRaBitQFastScan) or index.nlist < 1:
            raise DamagedRows("the file of codes holds another kind of index")
        self.index = index

    def __len__(self) -> int:
        return int(self.index.ntotal)

    @property
    def lists(self) -> int:
        return int(self.index.nlist)

    @property
    def dim(self) -> int:
        return int(self.index.d)

    @classmethod
    def train(cls, sample: Callable[[int], NDArray[np.float32]], dim: int, lists: int) -> Codes:
        """Return trained codes without rows.

        Args:
            sample: Returns at most n rows, float32 (n, D), spread over the library.
            dim: Columns of a row.
            lists: Number of inverted lists; see `list_count`.
        """
        index = faiss.IndexIVFRaBitQFastScan(faiss.IndexFlatIP(dim), dim, lists, faiss.METRIC_INNER_PRODUCT)
        index.qb = _QUERY_BITS
        index.cp.niter, index.cp.spherical, index.cp.seed = _ITERATIONS, True, 1
        index.cp.min_points_per_centroid = 1  # silences FAISS: the number was chosen here
        index.train(np.ascontiguousarray(sample(_SAMPLE_A_LIST * lists + 1000)))
        return cls(index)

    def extended(self, batches: Iterable[NDArray[np.float16]]) -> Codes:
        """Return codes extended by rows, float16 (n, D) per batch. Takes 10 µs per row in one list, 30 in 1000."""
        index = faiss.clone_index(self.index)
        for rows in batches:
            index.add(rows.astype(np.float32))
        return Codes(index)

    def candidates(
        self, query: NDArray[np.float32], count: int, k: int, allowed: NDArray[np.uint8] | None, share: float
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return (positions, estimated scores) of at most `count` rows, best first.

        The fewer rows are allowed, the farther apart are the nearest of them, so the more lists are probed; and even
        more if these contain few allowed rows, as with a filter for content unlike the query.

        Args:
            query: float32 (1, D).
            count: Number of candidates.
            k: Number of nearest rows that the candidates should contain.
            allowed: A bit for each position, lowest first. None allows all.
            share: Allowed rows in proportion to all rows, above 0 to 1.
        """
        parameters = faiss.IVFRaBitQSearchParameters()
        parameters.qb = _QUERY_BITS
        if allowed is not None:
            parameters.sel = selector = faiss.IDSelectorBitmap(allowed)
        probed = self._probed(k / share)
        while True:
            parameters.nprobe = probed
            estimates, found = self.index.search(query, count, params=parameters)
            there = found[0] >= 0
            if there.all() or probed == self.lists:
                break
            probed = min(self.lists, 4 * probed)
        if allowed is not None:
            del selector  # kept alive until here, because FAISS holds no reference to it
        return found[0][there], estimates[0][there]

    def _probed(self, nearest: float) -> int:
        """Return the number of lists to probe: four times as many nearest rows are in twice as many lists."""
        return int(min(self.lists, np.ceil(_PROBED * np.sqrt(self.lists * max(1.0, nearest / 12)))))
