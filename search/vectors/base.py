"""Base of a vector index: many rows that do not change, with FAISS's codes and possibly a copy on a GPU.

FAISS's product quantiser in inverted lists (IVF, PQ, fast scan) codes a few columns in four bits: 109 bytes per row of
768 columns. The codes select candidates, which are compared exactly. FAISS's IndexRefine would do both, but hides the
candidates: damaged rows, and equal rows at their end, would go unnoticed.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from search.vectors.rows import DamagedRows, Found, Mask, Rows, best_of, faiss, selector_of

logger = logging.getLogger(__name__)

_SAMPLE_A_LIST = 40  # training rows per list, about as FAISS recommends
_MIN_LISTS = 256
_LARGEST_SHARE = 8  # candidates may be 1/8 of the allowed rows; with more, comparing with all is as fast
_MIN_GPU_ROWS = 100_000
_NEARLY_ALL = 0.9  # share of allowed rows: a GPU has no filters, but a few deleted rows among its candidates do no harm
_MAX_ON_GPU = 2048  # limit of FAISS's GPU search


def build_codes(rows: Rows) -> Any:
    """Return FAISS's index of the codes of the rows. Takes 40 s of one core per million. Raise DamagedRows."""
    dim, lists = rows.index.d, max(_MIN_LISTS, 2 ** round(np.log2(np.sqrt(len(rows)))))
    columns = next(size for size in (4, 2, 1) if size == 1 or (dim % size == 0 and dim >= 128 * size))
    index = faiss.index_factory(dim, f"IVF{lists},PQ{dim // columns}x4fs", faiss.METRIC_INNER_PRODUCT)
    index.cp.niter, index.cp.spherical, index.pq.cp.niter = 8, True, 8
    index.cp.min_points_per_centroid = index.pq.cp.min_points_per_centroid = 1  # silences FAISS: chosen here
    sample = np.linspace(0, len(rows) - 1, min(len(rows), _SAMPLE_A_LIST * lists)).astype(np.int64)
    index.train(rows.take(sample).astype(np.float32))
    for block in rows.blocks():
        index.add(block.astype(np.float32))
    return index


class Base:
    """Rows, their codes if they are many, and the open files they are mapped from, with their sizes in bytes."""

    def __init__(self, rows: Rows, codes: Any = None, files: Sequence[tuple[IO[bytes], int]] = ()) -> None:
        self.rows, self.codes, self.files = rows, codes, files
        self._on_gpu, self._lock = None, threading.Lock()
        if codes is not None and len(rows) >= _MIN_GPU_ROWS and faiss.get_num_gpus() > 0:
            try:
                self._resources = faiss.StandardGpuResources()  # used by the copy, but not kept alive by FAISS
                self._on_gpu = faiss.index_cpu_to_gpu(self._resources, 0, rows.index)
            except RuntimeError as error:  # FAISS's only exception: too little memory, or an incompatible driver
                logger.warning("searching on the CPU: the GPU did not take the vectors (%s)", error)

    def check_sizes(self) -> None:
        """Raise DamagedRows if a mapped file has another size: reading beyond its end would kill the process."""
        for file, size in self.files:
            if os.fstat(file.fileno()).st_size != size:
                raise DamagedRows(f"{Path(file.name).name} has not the size it was written with")

    def best(self, query: NDArray[np.float32], k: int, allowed: Mask | None) -> Found:
        """Return the k best allowed rows, of 200 all but one, and possibly more, in any order. Raise DamagedRows.

        Equal rows have equal codes, and it is arbitrary which of them become candidates. So if a row at the very end
        of the candidates is still among the best, there may be more like it, and more candidates are used.
        """
        rows = len(self.rows) if allowed is None else int(np.count_nonzero(allowed))
        few = rows < _NEARLY_ALL * len(self.rows)
        count = (150 + 20 * k) << few  # all rows of a folder may be unlike the query, so that more lists are needed
        while self.codes is not None and count * _LARGEST_SHARE <= rows:
            if few or self._on_gpu is None or count > _MAX_ON_GPU:
                estimates, found = self._candidates(query, count, k * len(self.rows) / rows, allowed)
            else:
                with self._lock:
                    estimates, found = self._on_gpu.search(query, count)
            there = (found[0] >= 0) & (found[0] < len(self.rows))
            there[there] = True if allowed is None else allowed[found[0][there]]
            positions, estimates = found[0][there], estimates[0][there]
            if len(positions) < k:
                break
            scores, at = best_of(query, k, np.sort(positions), self.rows.take)
            last, _ = best_of(query, 1, positions[estimates <= estimates[-1]], self.rows.take)
            if last.max() < np.partition(scores, -k)[-k]:
                return scores, at
            count *= 8
        return self.rows.best(query, k, allowed)

    def _candidates(self, query: NDArray[np.float32], count: int, nearest: float, allowed: Mask | None) -> Any:
        """Return (estimated scores, positions), (1, count) each, best first.

        So many lists are probed that they contain the nearest rows, allowed or not: twice as many lists contain four
        times as many. More are probed if these contain too few allowed rows.
        """
        lists = int(self.codes.nlist)
        probed = int(min(lists, 1.5 * np.sqrt(lists * max(1.0, nearest / 20))))
        while True:
            parameters = faiss.SearchParametersIVF(nprobe=probed, sel=selector_of(allowed))
            estimates, found = self.codes.search(query, count, params=parameters)
            if found[0, -1] >= 0 or probed == lists:
                return estimates, found
            probed = min(lists, 4 * probed)
