"""Rows of a vector index: float16 vectors by ascending segment id, in a file or in memory.

FAISS compares rows in place, because its float16 scalar quantiser has the same layout; the score of a row is the same,
bit for bit, in every search. Rows of a file are verified when they are read, and opening it reads none of them. A
file of at most KEPT_BYTES is kept in memory once as much was read as it holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import faiss as _faiss
import numpy as np
from numpy.typing import NDArray

from search.vectors.row_file import STORED, DamagedRows, RowFile
from search.vectors.vector_index import Ids

faiss: Any = _faiss  # its stubs describe the C++ constructors, not those of its Python wrapper

BLOCK_ROWS = 4096  # rows read, verified or counted at once: 6 MB of 768 columns
KEPT_BYTES = 1 << 28  # 175,000 rows of 768 columns
_READ_ROWS = 1024  # rows of a file read and compared at once, or more if many of them are wanted
_FETCHED_ROWS = 1024  # rows fetched and compared at once: 1.5 MB of 768 columns, which the processor's cache holds
Mask = NDArray[np.bool_]
Scored = tuple[NDArray[np.float32], NDArray[np.int64]]  # scores, and the positions or ids of their rows
Batch = tuple[Ids, NDArray[np.floating[Any]]]  # ids (n,) and their rows (n, D), exact in float16


class Rows:
    """Rows at positions 0 to len - 1, float16 (n, D), with ascending segment ids, int64 (n,). Immutable."""

    def __init__(self, ids: Ids, matrix: NDArray[np.float16] | RowFile, sums: NDArray[np.uint64] | None = None) -> None:
        """Create rows. `sums` are their checksums (see `row_sums`); None if they need no verification."""
        self.ids, self.dim, self._sums = ids, int(matrix.shape[1]), sums
        self._matrix = matrix
        self._read = 0  # rows read from the file
        self._verified = sums is None

    @classmethod
    def of(cls, batches: Iterable[Batch], dim: int) -> Rows:
        """Collect rows in memory, in any order."""
        found = [(np.empty(0, np.int64), np.empty((0, dim), STORED)), *batches]
        ids = np.concatenate([ids for ids, _ in found])
        order = np.argsort(ids)
        return cls(ids[order], np.concatenate([matrix.astype(STORED, copy=False) for _, matrix in found])[order])

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def matrix(self) -> NDArray[np.float16]:
        """All rows, float16 (n, D), read into memory if they are in a file. Raises DamagedRows."""
        matrix = self._matrix
        if isinstance(matrix, RowFile):
            rows = np.empty(matrix.shape, STORED)
            matrix.read(0, rows)
            matrix = self._checked(rows, slice(None))
        return matrix

    def check_size(self) -> None:
        """Raise DamagedRows if the size of the file has changed: its rows are then read from the library sooner."""
        if isinstance(self._matrix, RowFile):
            self._matrix.check_size()

    def take(self, positions: NDArray[np.int64]) -> NDArray[np.float16]:
        """Return the rows at these positions, float16 (n, D). Raise DamagedRows."""
        matrix = self._in_memory(len(positions))
        if isinstance(matrix, RowFile):
            return self._checked(matrix.read_at(positions), positions)
        return np.take(matrix, positions, axis=0)

    def _in_memory(self, wanted: int) -> NDArray[np.float16] | RowFile:
        """Return the rows in memory if enough more will be read to be worth it; otherwise their file."""
        if isinstance(self._matrix, RowFile) and self._matrix.size_bytes <= KEPT_BYTES:
            self._read += wanted
            if self._read >= len(self):
                self._matrix, self._verified = self.matrix, True
        return self._matrix

    def _checked(self, rows: NDArray[np.float16], positions: NDArray[np.int64] | slice) -> NDArray[np.float16]:
        if self._sums is not None and not np.array_equal(row_sums(rows), self._sums[positions]):
            raise DamagedRows("rows in a file of vectors are damaged")
        return rows

    def blocks(self) -> Iterator[NDArray[np.float16]]:
        """Yield all rows. Raise DamagedRows."""
        for start in range(0, len(self), BLOCK_ROWS):
            yield self.take(np.arange(start, min(start + BLOCK_ROWS, len(self))))

    def best(self, query: NDArray[np.float32], k: int, allowed: Mask | None) -> Scored:
        """Return the k best allowed rows, all ties with the last, and possibly others. Raise DamagedRows."""
        best, at, least = [np.empty(0, np.float32)], [np.empty(0, np.int64)], np.float32(-np.inf)
        for start, rows in self._compared(len(self), max(_READ_ROWS, 16 * k)):
            mask = None if allowed is None else allowed[start : start + len(rows)]
            count = len(rows) if mask is None else int(np.count_nonzero(mask))
            scores, positions = _best(index_over(rows), query, k, mask, count)
            kept = scores >= least
            best.append(scores[kept])
            at.append(start + positions[kept])
            if len(best[-1]) and sum(map(len, best)) >= k:
                least = np.partition(np.concatenate(best), -k)[-k] if k else np.float32(np.inf)
        return np.concatenate(best), np.concatenate(at)

    def best_at(self, positions: NDArray[np.int64], query: NDArray[np.float32], k: int) -> Scored:
        """Return the k best of the rows at these positions, and possibly others, in any order. Raise DamagedRows."""
        found = [(np.empty(0, np.float32), positions[:0])]
        for start in range(0, len(positions), _FETCHED_ROWS):
            block = positions[start : start + _FETCHED_ROWS]
            scores, at = _best(index_over(self.take(block)), query, k, None, len(block))
            found.append((scores, block[at]))
        return np.concatenate([scores for scores, _ in found]), np.concatenate([at for _, at in found])

    def count(self, query: NDArray[np.float32], least: np.float32, allowed: Mask | None) -> int:
        """Return the number of allowed rows with a score of at least `least`. Raise DamagedRows."""
        total, wanted = 0, 64  # k, about the count in the block before: FAISS's range_search is 7 to 20 times slower
        for start, rows in self._compared(BLOCK_ROWS, _READ_ROWS):
            mask = None if allowed is None else allowed[start : start + len(rows)]
            index, count = index_over(rows), len(rows) if mask is None else int(np.count_nonzero(mask))
            for k in (min(wanted, count), count):
                passed = int(np.count_nonzero(_search(index, query, k, mask)[0] >= least))
                if passed < k or k == count:
                    break
            total, wanted = total + passed, 2 * passed + 64
        return total

    def _compared(self, block_rows: int, read_rows: int) -> Iterator[tuple[int, NDArray[np.float16]]]:
        """Yield (first position, rows), all in order. Rows of a file are verified the first time. Raise DamagedRows.

        Args:
            block_rows: At most so many rows at once, of those in memory.
            read_rows: At most so many rows at once, of those in a file.
        """
        matrix = self._in_memory(len(self))
        if not isinstance(matrix, RowFile):
            for start in range(0, len(self), block_rows):
                yield start, matrix[start : start + block_rows]
            return
        buffer = np.empty((min(read_rows, len(self)), self.dim), STORED)  # one for all, which stays in the cache
        for start in range(0, len(self), len(buffer)):
            rows = buffer[: len(self) - start]
            matrix.read(start, rows)
            yield start, rows if self._verified else self._checked(rows, slice(start, start + len(rows)))
        self._verified = True


def row_sums(rows: NDArray[np.float16]) -> NDArray[np.uint64]:
    """Return a checksum of each row, uint64 (n,), which detects a flipped bit, a hole or a page of another row."""
    words = np.ascontiguousarray(rows).view(np.uint64 if rows.shape[1] % 4 == 0 else np.uint16)
    return np.asarray(words.sum(axis=1, dtype=np.uint64))


def selector_of(allowed: Mask | None) -> Any:
    """Return FAISS's selector of the allowed positions; None for all."""
    return None if allowed is None else faiss.IDSelectorBitmap(np.packbits(allowed, bitorder="little"))


def _best(index: Any, query: NDArray[np.float32], k: int, allowed: Mask | None, count: int) -> Scored:
    """Return the k best of `count` allowed rows, and all ties with the last, of which FAISS would pick any."""
    wanted = min(k + 1, count)
    while True:
        scores, positions = _search(index, query, wanted, allowed)
        if wanted == count or scores[-1] < scores[k - 1]:
            return scores, positions
        wanted = min(2 * wanted, count)


def _search(index: Any, query: NDArray[np.float32], k: int, allowed: Mask | None) -> Scored:
    if k == 0:
        return np.empty(0, np.float32), np.empty(0, np.int64)
    scores, positions = index.search(query, k, params=faiss.SearchParameters(sel=selector_of(allowed)))
    return scores[0], positions[0]


def index_over(rows: NDArray[np.float16]) -> Any:
    """Return a FAISS index over float16 rows in place: nothing is copied, and the index keeps the rows alive."""
    index = faiss.IndexScalarQuantizer(int(rows.shape[1]), faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT)
    content = rows.reshape(-1).view(np.uint8)
    no_owner = index.codes.owner  # a null pointer in C++; the memory is kept alive below, not by FAISS
    index.codes = faiss.MaybeOwnedVectorUInt8.create_view(faiss.swig_ptr(content), content.size, no_owner)
    index.ntotal = len(rows)
    index.referenced_objects = [content]
    return index
