"""One bit a number: compressed rows that say quickly which few are worth comparing exactly.

RaBitQ (Gao and Long, SIGMOD 2024) in FAISS's fast-scan layout: 104 bytes for a row of 768 columns, scanned at 10 ms a
million. In one list nothing has to be learned from the rows but their mean; in many lists (k-means on a sample) a
search looks only into those near it. Everything found here is compared exactly afterwards (search.vectors.row_parts).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import faiss as _faiss
import numpy as np
from numpy.typing import NDArray

from search.vectors.row_parts import DamagedRows

faiss: Any = _faiss  # its stubs describe the C++ constructors, not what its Python wrapper makes of them

TRAINED_ROWS = 100_000
"""From here on many lists pay: half the time of one at 100 000 rows, a tenth at a million."""

_QUERY_BITS = 8  # of a query's numbers; fewer are quicker by little and wrong by more
_SAMPLE_A_LIST = 40  # rows that k-means sees for each list, about what FAISS asks for
_ITERATIONS = 8
_PROBED = 1.25  # for the ten nearest, so many times the root of the number of lists are looked into
_FEWEST_LISTS = 256


def wanted_lists(count: int) -> int:
    """Lists for so many rows: 1, or a power of two near the root of their number."""
    if count < TRAINED_ROWS:
        return 1
    return max(_FEWEST_LISTS, int(2 ** round(np.log2(np.sqrt(count)))))


def candidates_for(k: int, *, one_list: bool) -> int:
    """How many candidates hold the `k` nearest: recall 0.99 or more at a million rows (benchmarks.vectors).

    In one list all rows are told apart by their difference from one mean, which says less: twice as many.
    """
    return (300 + 20 * k) * (2 if one_list else 1)


class Codes:
    """Codes of the rows at positions 0 to len - 1. Nobody changes them: `added` gives others."""

    def __init__(self, index: Any) -> None:
        """index: faiss.IndexIVFRaBitQFastScan. Raises DamagedRows for another."""
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
    def learned(cls, sample: Callable[[int], NDArray[np.float32]], dim: int, lists: int) -> Codes:
        """Codes of no row yet. sample(n): n or fewer rows, float32 (n, D), from all over the library."""
        index = faiss.IndexIVFRaBitQFastScan(faiss.IndexFlatIP(dim), dim, lists, faiss.METRIC_INNER_PRODUCT)
        index.qb = _QUERY_BITS
        index.cp.niter, index.cp.spherical, index.cp.seed = _ITERATIONS, True, 1
        index.cp.min_points_per_centroid = 1  # silences FAISS: how many there are was chosen here
        index.train(np.ascontiguousarray(sample(_SAMPLE_A_LIST * lists + 1000)))
        return cls(index)

    def added(self, batches: Iterable[NDArray[np.float16]]) -> Codes:
        """These and the codes of further rows, float16 (n, D) each: 10 µs a row in one list, 30 µs in a thousand."""
        index = faiss.clone_index(self.index)
        for rows in batches:
            index.add(rows.astype(np.float32))
        return Codes(index)

    def candidates(
        self, query: NDArray[np.float32], count: int, k: int, allowed: NDArray[np.uint8] | None, share: float
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """(positions, estimated scores) of `count` rows or fewer, best first.

        query: float32 (1, D). k: how many nearest are looked for. allowed: a bit for each position, lowest first;
        share: how many of all they are. The fewer are allowed, the farther apart are the nearest of them, and the more
        lists are looked into; and still more where these hold few that are allowed, as when a filter lets through
        what the query is not about.
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
            del selector  # until here: FAISS keeps no reference to it
        return found[0][there], estimates[0][there]

    def _probed(self, nearest: float) -> int:
        """Lists to look into for so many nearest of all: four times as many of those lie in twice as many lists."""
        return int(min(self.lists, np.ceil(_PROBED * np.sqrt(self.lists * max(1.0, nearest / 12)))))
