"""Base of a vector index: many rows that do not change, with FAISS's codes and possibly a copy on a GPU.

The codes are FAISS's product quantiser in inverted lists (IVF, PQ, fast scan), with four bits per group of columns: 109
bytes per row of 768 columns. They select candidates, whose rows are then compared. FAISS's IndexRefine would do both,
but does not return the candidates: damaged rows, and equal rows just beyond the last candidate, would go unnoticed.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.even import even_places
from search.vectors.rows import Mask, Rows, Scored, faiss, index_over, selector_of

logger = logging.getLogger(__name__)

_MIN_LISTS = 256
_ROWS_PER_CANDIDATE = 32  # with fewer allowed rows than this per candidate, comparing all of them is as fast
_CLOSE = 0.04  # share of the score of the tenth hit: candidates this close to it show that further lists may have hits
_MIN_GPU_ROWS = 100_000
_NEARLY_ALL = 0.9  # share of allowed rows from which on a GPU is used: it has no filter, so others are dropped later


def build_codes(rows: Rows) -> Any:
    """Return a FAISS index of the rows' codes. Takes 43 s of one core per million rows. Raise DamagedRows."""
    dim, lists = rows.dim, max(_MIN_LISTS, 2 ** round(np.log2(np.sqrt(len(rows)))))
    columns = next(size for size in (4, 2, 1) if size == 1 or (dim % size == 0 and dim >= 128 * size))
    code = f"IVF{lists},PQ{dim // columns}x4fsr"  # r: of residuals, else rows of a few fixed cameras had equal codes
    index = faiss.index_factory(dim, code, faiss.METRIC_INNER_PRODUCT)
    index.cp.niter, index.cp.spherical, index.pq.cp.niter = 8, True, 8
    index.cp.min_points_per_centroid = index.pq.cp.min_points_per_centroid = 1  # no warnings about small samples
    sample = even_places(len(rows), 40 * lists)  # FAISS recommends 39 per list
    index.train(rows.take(sample).astype(np.float32))
    for block in rows.blocks():
        index.add(block.astype(np.float32))
    return index


class Base:
    """Rows, and their codes (None if the rows are few). Raises DamagedRows."""

    def __init__(self, rows: Rows, codes: Any = None) -> None:
        self.rows, self.codes = rows, codes
        self._on_gpu: Any = None
        self._lock = threading.Lock()
        if codes is not None and len(rows) >= _MIN_GPU_ROWS and faiss.get_num_gpus() > 0:
            try:
                self._resources = faiss.StandardGpuResources()  # used by the copy, but not kept alive by FAISS
                self._on_gpu = faiss.index_cpu_to_gpu(self._resources, 0, index_over(rows.matrix))
            except RuntimeError as error:  # FAISS's only exception: too little memory, or an incompatible driver
                logger.warning("searching on the CPU: the vectors could not be copied to the GPU (%s)", error)

    def best(self, query: NDArray[np.float32], k: int, allowed: Mask | None) -> Scored:
        """Return the k best allowed rows (with codes, nearly all) and perhaps others, in any order. Raise DamagedRows.

        Candidates come from more and more lists, until as many again add no hit and nothing close to one: the hits of
        a shot lie in a few lists, those of a sentence in many.
        """
        rows = len(self.rows) if allowed is None else int(np.count_nonzero(allowed))
        count, unfiltered = 250 + 10 * k, rows >= _NEARLY_ALL * len(self.rows)
        if self.codes is None or count * _ROWS_PER_CANDIDATE > rows:
            return self.rows.best(query, k, allowed)
        use_gpu = self._on_gpu is not None and unfiltered and count <= 2048  # (FAISS's largest)
        close = min(1, 10 / k) * (_CLOSE if unfiltered else 2 * _CLOSE)
        scores, found, least, error = np.empty(0, np.float32), np.empty(0, np.int64), -np.inf, 0.0
        for estimates, positions in (self._from_gpu if use_gpu else self._from_lists)(query, count, allowed):
            last, enough = positions[-1] if len(positions) == count else -1, len(scores) >= k
            order = np.argsort(positions)
            order = order[estimates[order] > least - error]
            more, at = self.rows.best_at(positions[order], query, max(k, 32))
            if not enough and len(more):  # measure how much too low the estimates of good rows are
                low = more - estimates[order][np.searchsorted(positions[order], at)]
                error = low.mean() + 5 * low.std()
            scores, found = np.concatenate([scores, more]), np.concatenate([found, at])
            if len(scores) < k:
                continue
            least = np.partition(scores, -k)[-k]
            if last in at[more == least]:
                return self.rows.best(query, k, allowed)  # equal rows have equal codes: more of them may be left
            if enough and not (more >= least - close * abs(least)).any():
                break
        return (scores, found) if len(scores) >= k else self.rows.best(query, k, allowed)

    def _from_gpu(self, query: NDArray[np.float32], count: int, allowed: Mask | None) -> Iterator[Scored]:
        """Yield (scores in float16 precision, positions) of the best rows, best first, once."""
        with self._lock:
            scores, found = self._on_gpu.search(query, count)
        there = slice(None) if allowed is None else allowed[found[0]]
        yield scores[0][there], found[0][there]

    def _from_lists(self, query: NDArray[np.float32], count: int, allowed: Mask | None) -> Iterator[Scored]:
        """Yield (estimated scores, positions), best first: at most `count` of a few lists, then of as many again."""
        lists, selector, pointer = int(self.codes.nlist), selector_of(allowed), faiss.swig_ptr
        nearness, order = self.codes.quantizer.search(query, lists)
        probed, width = 0, max(1, int(np.sqrt(lists) / 1.5))
        while probed < lists:
            estimates, positions = np.empty(count, np.float32), np.empty(count, np.int64)
            near, chosen = nearness[0, probed : probed + width], order[0, probed : probed + width]
            parameters = faiss.SearchParametersIVF(nprobe=len(chosen), sel=selector)
            arrays = map(pointer, (chosen, near, estimates, positions))  # (FAISS's wrapper accepts no parameters)
            self.codes.search_preassigned_c(1, pointer(query), count, *arrays, False, parameters)
            there = (positions >= 0) & (positions < len(self.rows))
            yield estimates[there], positions[there]
            probed, width = probed + width, probed + width
