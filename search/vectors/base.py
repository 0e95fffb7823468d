"""Base of a vector index: many rows that do not change, with FAISS's codes and possibly a copy on a GPU.

FAISS's product quantiser in inverted lists (IVF, PQ, fast scan) codes a few columns in four bits: 109 bytes per row of
768 columns. The codes select candidates, which are compared exactly. FAISS's IndexRefine would do both, but hides the
candidates: damaged rows, and equal rows at their end, would go unnoticed.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from search.vectors.rows import DamagedRows, Found, Mask, Rows, best_of, faiss, selector_of

logger = logging.getLogger(__name__)

_SAMPLE_A_LIST = 40  # training rows per list, about as FAISS recommends
_MIN_LISTS = 256
_LARGEST_SHARE = 8  # candidates may be 1/8 of the allowed rows; with more, comparing with all is as fast
_CLOSE = 0.05  # of the tenth score: on a million rows, sentences then find 96 of 100 hits, without it 90
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
        self._on_gpu: Any = None
        self._lock = threading.Lock()
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

        Candidates come from ever more lists, until as many as before add no hit and nothing close to one: a shot is
        near the rows of a few lists, but a sentence is about as near to those of many.
        """
        rows = len(self.rows) if allowed is None else int(np.count_nonzero(allowed))
        count, unfiltered = 150 + 10 * k, rows >= _NEARLY_ALL * len(self.rows)
        if self.codes is None or count * _LARGEST_SHARE > rows:
            return self.rows.best(query, k, allowed)
        use_gpu = self._on_gpu is not None and unfiltered and count <= _MAX_ON_GPU
        close = min(1, 10 / k) * (_CLOSE if unfiltered else 2 * _CLOSE)
        scores, found = np.empty(0, np.float32), np.empty(0, np.int64)
        for estimates, positions in (self._from_gpu if use_gpu else self._from_lists)(query, count, allowed):
            begun, (more, at) = len(scores) >= k, best_of(query, k, np.sort(positions), self.rows.take)
            scores, found = np.concatenate([scores, more]), np.concatenate([found, at])
            if len(scores) < k:
                continue
            least = np.partition(scores, -k)[-k]
            last, _ = best_of(query, 1, positions[estimates <= estimates[-1:]], self.rows.take)
            if len(positions) == count and (last == least).any():
                return self.rows.best(query, k, allowed)  # equal rows have equal codes: there may be more like the last
            new = np.count_nonzero(more >= least)
            if begun and new <= k // 100 and not (more > least - close * abs(least)).any():
                break
        return (scores, found) if len(scores) >= k else self.rows.best(query, k, allowed)

    def _from_gpu(self, query: NDArray[np.float32], count: int, allowed: Mask | None) -> Iterator[Found]:
        """Yield (scores to float16 precision, positions) of the best rows, best first, once."""
        with self._lock:
            scores, found = self._on_gpu.search(query, count)
        there = found[0] >= 0 if allowed is None else allowed[found[0]]
        yield scores[0][there], found[0][there]

    def _from_lists(self, query: NDArray[np.float32], count: int, allowed: Mask | None) -> Iterator[Found]:
        """Yield (estimated scores, positions), best first: `count` or fewer of some lists, then of as many again."""
        lists, selector, pointer = int(self.codes.nlist), selector_of(allowed), faiss.swig_ptr
        nearness, order = self.codes.quantizer.search(query, lists)
        probed, width = 0, max(1, int(np.sqrt(lists) / 2))
        while probed < lists:
            estimates, positions = np.empty(count, np.float32), np.empty(count, np.int64)
            near, chosen = nearness[0, probed : probed + width], order[0, probed : probed + width]
            parameters = faiss.SearchParametersIVF(nprobe=len(chosen), sel=selector)
            arrays = map(pointer, (chosen, near, estimates, positions))
            self.codes.search_preassigned_c(1, pointer(query), count, *arrays, False, parameters)
            there = (positions >= 0) & (positions < len(self.rows))
            yield estimates[there], positions[there]
            probed, width = probed + width, probed + width
