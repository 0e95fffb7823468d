"""Indexes that our vector store is compared with, in this process: FAISS flat and HNSW, and usearch if installed."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import faiss as _faiss
import numpy as np
from numpy.typing import NDArray

faiss: Any = _faiss

BUILD_THREADS = 2  # of the graphs; all searches, and the rest of the builds, are on one thread
EXPANSION = 128  # of a search in a graph: candidates held

Search = Callable[[NDArray[np.float32], int], tuple[NDArray[np.int64], float, float]]
"""(float32 (1, D), k) -> ids int64 (m,), wall and CPU seconds."""


def rivals(graphs: bool, flat: bool) -> dict[str, Callable[[NDArray[np.float16]], Search]]:
    """Return functions that build an index of float16 rows (n, D), the ids being 1, 2 ... n."""
    found: dict[str, Callable[[NDArray[np.float16]], Search]] = {}
    if graphs:
        found[f"FAISS HNSW32, built on {BUILD_THREADS} threads"] = _hnsw
        try:
            import usearch.index  # noqa: F401

            found[f"usearch f16, built on {BUILD_THREADS} threads"] = _usearch
        except ImportError:
            print("usearch is not installed and is left out (pip install usearch)")
    if flat:
        found["FAISS flat"] = _flat
    return found


def _flat(rows: NDArray[np.float16]) -> Search:
    faiss.omp_set_num_threads(1)
    return _filled(faiss.IndexFlatIP(rows.shape[1]), rows)


def _hnsw(rows: NDArray[np.float16]) -> Search:
    faiss.omp_set_num_threads(BUILD_THREADS)
    index = faiss.IndexHNSWFlat(rows.shape[1], 32, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction, index.hnsw.efSearch = 100, EXPANSION
    search = _filled(index, rows)
    faiss.omp_set_num_threads(1)
    return search


def _filled(index: Any, rows: NDArray[np.float16]) -> Search:
    for start in range(0, len(rows), 20_000):
        index.add(rows[start : start + 20_000].astype(np.float32))
    return _timing(lambda query, k: index.search(query, k)[1][0] + 1)


def _usearch(rows: NDArray[np.float16]) -> Search:
    from usearch.index import Index

    index = Index(ndim=rows.shape[1], metric="ip", dtype="f16", expansion_search=EXPANSION)
    index.add(np.arange(1, len(rows) + 1), rows, threads=BUILD_THREADS)
    return _timing(lambda query, k: index.search(query[0], k, threads=1).keys.astype(np.int64))


def _timing(find: Callable[[NDArray[np.float32], int], NDArray[np.int64]]) -> Search:
    def search(query: NDArray[np.float32], k: int) -> tuple[NDArray[np.int64], float, float]:
        cpu, wall = time.process_time(), time.perf_counter()
        ids = find(query, k)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        return ids, wall, cpu

    return search
