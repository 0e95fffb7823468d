"""The vector store of one tree, for a process of its own.

PYTHONPATH decides whose FaissIndex and ArrayLibrary are measured; this file only needs their public methods. See
benchmarks/_tree_worker.py; benchmarks/_vector_store.py starts the process and asks.
"""

from __future__ import annotations

import inspect
import pickle
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks._clustered_rows import ArrayLibrary
from search.vectors.faiss_index import FaissIndex

ENCODER = "benchmark"


def allowed_mask(size: int, share: float, seed: int) -> NDArray[np.bool_]:
    """Return bool (size,), a random filter: which of the ids 1, 2 ... `size` are allowed.

    Filters differ by their seeds. At a share of 1, seed 0 allows every row and any other seed all but one.
    """
    mask = np.random.default_rng(seed).random(size) < share
    if share == 1.0 and seed:
        mask[seed % size] = False
    return mask


class _Library(ArrayLibrary):
    """The stand-in for the library, which counts the rows that are read from it."""

    read = 0

    def embeddings(
        self, encoder_id: str, after: int = 0, batch: int = 8192
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
        for ids, rows in super().embeddings(encoder_id, after, batch):
            self.read += len(ids)
            yield ids, rows


class Worker:
    """The requests. Costs are wall and CPU seconds."""

    def __init__(self, rows: str, directory: str) -> None:
        self._rows: NDArray[np.float16] = np.load(rows, mmap_mode="r")
        self._directory = Path(directory)
        self._filter: tuple[Any, NDArray[np.int64]] | None = None
        self._library: _Library
        self._index: FaissIndex

    def origin(self) -> str:
        """Return the file that the store was imported from."""
        return inspect.getfile(FaissIndex)

    def open(self, count: int, gone: NDArray[np.int64]) -> tuple[float, float]:
        """Open the index of the first `count` rows without those `gone`, and return the cost."""
        self._library = _Library(self._rows, count)
        self._library.gone = gone
        self._index, wall, cpu = _timed(lambda: FaissIndex.open(self._library, ENCODER, self._directory))  # type: ignore[arg-type]
        return wall, cpu

    def optimize(self) -> tuple[bool, float, float]:
        """Return whether it was due, and the cost."""
        return _timed(self._index.optimize)

    def search(
        self, query: NDArray[np.float32], k: int, chosen: tuple[int, float, int] | None = None
    ) -> tuple[NDArray[np.int64], float, float]:
        """Return the ids of the k best, int64 (m,), and the cost.

        Args:
            query: float32 (1, D).
            k: Number of hits.
            chosen: Arguments of `allowed_mask`, or None for no filter. As in the application, the index gets a new
                array each time, even if the ids are the same.
        """
        allowed = None if chosen is None else self._allowed(chosen).copy()
        found, wall, cpu = _timed(lambda: self._index.search(query, k, allowed))
        ids: NDArray[np.int64] = found[0][0]
        return ids, wall, cpu

    def _allowed(self, chosen: tuple[int, float, int]) -> NDArray[np.int64]:
        if self._filter is None or self._filter[0] != chosen:
            self._filter = chosen, np.flatnonzero(allowed_mask(*chosen)) + 1
        return self._filter[1]

    def count(self, query: NDArray[np.float32], threshold: float) -> tuple[int, float, float]:
        """Return the number of rows that score at least the threshold, and the cost. query: float32 (1, D)."""
        return _timed(lambda: self._index.count(query[0], threshold))

    def change(self, count: int, gone: NDArray[np.int64], wanted: int) -> tuple[bool, float, float]:
        """Change the library, refresh the index, and search with one of the changed rows.

        Returns:
            Whether the search found the id `wanted`, and the cost of both.
        """
        self._library.count, self._library.gone = count, gone
        query = self._rows[wanted - 1 : wanted].astype(np.float32)

        def refresh_and_search() -> NDArray[np.int64]:
            self._index.refresh()
            found: NDArray[np.int64] = self._index.search(query, 10)[0][0]
            return found

        ids, wall, cpu = _timed(refresh_and_search)
        assert len(self._index) == self._library.stamp(ENCODER).count, "the index has other rows than the library"
        return wanted in ids, wall, cpu

    def rows_read(self) -> int:
        """Return the number of rows read from the library since `open`."""
        return self._library.read

    def rebuild_beside(
        self, count: int, queries: NDArray[np.float32], k: int
    ) -> tuple[float, list[float], float, bool]:
        """Add rows up to `count`, and search while another process optimizes their index.

        Returns:
            Seconds of that process, those of each search meanwhile, those of the refresh afterwards, and whether it
            took a new base over.
        """
        self._library.count = count
        self._index.refresh()
        due = self._index.is_due()
        began = time.perf_counter()
        other = subprocess.Popen([sys.executable, "-P", *sys.argv], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        assert other.stdin is not None
        with other.stdin:
            pickle.dump(("open", (count, self._library.gone)), other.stdin)
            pickle.dump(("optimize", ()), other.stdin)
        walls: list[float] = []
        while other.poll() is None:
            query = queries[[len(walls) % len(queries)]]
            walls.append(_timed(partial(self._index.search, query, k))[1])
        seconds = time.perf_counter() - began
        _, wall, _ = _timed(self._index.refresh)
        return seconds, walls, wall, due and not self._index.is_due()

    def resident(self) -> tuple[float, float] | None:
        """Return own and mapped memory, in MB; None where that is unknown (not Linux)."""
        return resident()


def resident() -> tuple[float, float] | None:
    """Return own and mapped memory of this process, in MB; None where that is unknown (not Linux)."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return None
    values = {line.split(":")[0]: line.split()[1] for line in lines if line.startswith("Rss")}
    return int(values["RssAnon"]) / 1e3, int(values["RssFile"]) / 1e3


def _timed(work: Callable[[], Any]) -> tuple[Any, float, float]:
    """Return the result, and wall and CPU seconds."""
    cpu, wall = time.process_time(), time.perf_counter()
    result = work()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return result, wall, cpu
