"""Copy of the rows on a GPU, as float16, to select the candidates of searches without filters."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable
from typing import Any

import faiss as _faiss
import numpy as np
from numpy.typing import NDArray

logger = logging.getLogger(__name__)
faiss: Any = _faiss

_MAX_NEIGHBOURS = 2048  # limit of FAISS's GPU search


class GpuRows:
    """A growing copy on the first GPU of the rows at positions 0 to len - 1. Searches and growth exclude each other."""

    def __init__(self, index: Any, resources: Any) -> None:
        self._index = index
        self._resources = resources  # used by the index, but not kept alive by FAISS
        self._lock = threading.Lock()

    @classmethod
    def empty(cls, dim: int) -> GpuRows | None:
        """Allocate an empty index on the first GPU; on failure, log it and return None."""
        if not hasattr(faiss, "StandardGpuResources") or faiss.get_num_gpus() == 0:
            return None
        resources = faiss.StandardGpuResources()
        try:
            options = faiss.GpuClonerOptions()
            options.useFloat16 = True
            return cls(faiss.index_cpu_to_gpu(resources, 0, faiss.IndexFlatIP(dim), options), resources)
        except RuntimeError as error:  # FAISS's only exception: out of memory, or an incompatible driver
            logger.warning("searching on the CPU: the GPU did not take the vectors (%s)", error)
            return None

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def extend(self, batches: Iterable[NDArray[np.float16]]) -> bool:
        """Append the rows of `batches`, float16 (n, D) each. If they do not fit, log it and return False."""
        try:
            for rows in batches:
                with self._lock:
                    self._index.add(rows.astype(np.float32))
        except RuntimeError as error:
            logger.warning("searching on the CPU: the GPU did not take the vectors (%s)", error)
            return False
        return True

    def candidates(
        self, query: NDArray[np.float32], count: int, rows: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]] | None:
        """Return (positions, scores to float16 precision) of the best rows below position `rows`.

        Returns None if `count` is above the limit of a GPU search.
        """
        if count > _MAX_NEIGHBOURS:
            return None
        with self._lock:
            scores, positions = self._index.search(query, count)
        there = (positions[0] >= 0) & (positions[0] < rows)
        return positions[0][there], scores[0][there]
