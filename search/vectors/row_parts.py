"""Parts: memory-mapped, immutable files of rows in the library's format (float16).

A part's file has its rows, then their segment ids, then a checksum of each row. Rows are checked on first use, so that
opening a part reads none of them: a million rows of 768 columns are 1.5 GB. FAISS compares rows in place, because its
float16 scalar quantiser has the same layout. It computes the score of a row independently of its position, so scores of
a row are bit-identical in every search.
"""

from __future__ import annotations

import logging
import os
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import faiss as _faiss
import numpy as np
from numpy.typing import NDArray

from files.durability import remove

logger = logging.getLogger(__name__)
faiss: Any = _faiss  # its stubs describe the C++ constructors, not what its Python wrapper makes of them

STORED = np.dtype("<f2")
_ALIGNED = 64  # bytes
_BLOCK_ROWS = 4096  # rows that are checked at once: 6 MB of 768 columns


class DamagedRows(Exception):
    """Rows are damaged. The owner of the part drops it and reads the rows from the library again."""


@dataclass(frozen=True, slots=True)
class PartRecord:
    """Entry of a part's file in the stamp."""

    file: str
    count: int
    dim: int
    crc32: int  # checksum of ids and sums

    @property
    def ids_at(self) -> int:
        """Offset of the ids in bytes."""
        return -(-self.count * self.dim * STORED.itemsize // _ALIGNED) * _ALIGNED

    @property
    def size_bytes(self) -> int:
        return self.ids_at + 16 * self.count


class Part:
    """Rows at consecutive positions. Immutable."""

    def __init__(
        self,
        ids: NDArray[np.int64],
        rows: NDArray[np.float16],
        sums: NDArray[np.uint64] | None = None,
        record: PartRecord | None = None,
    ) -> None:
        """Create a part.

        Args:
            ids: int64 (n,), segment ids.
            rows: float16 (n, D).
            sums: uint64 (n,), their checksums; None for rows just read from the library, which need no check.
            record: The entry of the mapped file; None for rows in memory.
        """
        self.ids = ids
        self.rows = rows
        self.record = record
        self._sums = sums
        self._checked = np.full(-(-len(ids) // _BLOCK_ROWS), sums is None)
        self._index = view_of(rows)

    def __len__(self) -> int:
        return len(self.ids)

    @classmethod
    def mapped(cls, directory: Path, record: PartRecord) -> Part:
        """Map a part's file.

        Raises:
            OSError: The file cannot be mapped.
            DamagedRows: Size, ids or checksums are not as written.
        """
        path = directory / record.file
        if path.stat().st_size != record.size_bytes or record.count < 1 or record.dim < 1:
            raise DamagedRows(f"{record.file} has not the size it was written with")
        whole = np.asarray(np.memmap(path, np.uint8, "r"))
        tail = whole[record.ids_at :]
        if zlib.crc32(tail.data) != record.crc32:
            raise DamagedRows(f"the segment ids in {record.file} are damaged")
        ids, sums = tail[: 8 * record.count].view(np.int64), tail[8 * record.count :].view(np.uint64)
        matrix = whole[: record.count * record.dim * STORED.itemsize].view(STORED).reshape(record.count, record.dim)
        return cls(ids, matrix, sums, record)

    def take(self, positions: NDArray[np.int64]) -> NDArray[np.float16]:
        """Return the rows at these positions, float16 (n, D). Raises DamagedRows."""
        rows = np.take(self.rows, positions, axis=0)
        if self._sums is not None and not np.array_equal(row_sums(rows), self._sums[positions]):
            raise DamagedRows("rows in the file of vectors are damaged")
        return rows

    def check(self, start: int = 0, stop: int | None = None) -> None:
        """Check the rows from start to stop, each block once for the lifetime of this part. Raises DamagedRows."""
        stop = len(self) if stop is None else stop
        for block in range(start // _BLOCK_ROWS, -(-stop // _BLOCK_ROWS)):
            if self._sums is None or self._checked[block]:
                continue
            rows = slice(block * _BLOCK_ROWS, (block + 1) * _BLOCK_ROWS)
            if not np.array_equal(row_sums(self.rows[rows]), self._sums[rows]):
                raise DamagedRows("rows in the file of vectors are damaged")
            self._checked[block] = True

    def best(
        self, query: NDArray[np.float32], k: int, start: int, stop: int, mask: NDArray[np.bool_] | None
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Return (scores, positions) of the k best rows from start to stop, or fewer: best first, compared exactly.

        Args:
            query: float32 (1, D).
            k: Number of rows.
            start: First position.
            stop: Position after the last.
            mask: bool (stop - start,), True for allowed rows. None allows all.

        Raises:
            DamagedRows: A row is damaged.
        """
        self.check(start, stop)
        index = self._index if (start, stop) == (0, len(self)) else view_of(self.rows[start:stop])
        if mask is None:
            scores, positions = index.search(query, min(k, stop - start))
        else:
            selector = faiss.IDSelectorBitmap(np.packbits(mask, bitorder="little"))
            scores, positions = index.search(query, min(k, stop - start), params=faiss.SearchParameters(sel=selector))
        there = positions[0] >= 0
        return scores[0][there], positions[0][there] + start


class PartWriter:
    """Writes a part: to a file, or to memory if no file can be written.

    While the file can be written, memory is bounded by one batch.
    """

    def __init__(self, path: Path, dim: int) -> None:
        """No file is created before the first row is added."""
        self._path = path
        self._dim = dim
        self._ids: list[NDArray[np.int64]] = []
        self._sums: list[NDArray[np.uint64]] = []
        self._in_memory: list[NDArray[np.float16]] | None = None  # rows, once the file cannot be written
        self._file: IO[bytes] | None = None
        self.count = 0

    def add(self, ids: NDArray[np.int64], rows: NDArray[np.floating]) -> None:
        """Append rows (n, D), whose values are exact in float16, with ids int64 (n,) in any order."""
        stored = np.ascontiguousarray(rows, dtype=STORED)
        if self._in_memory is None:
            try:
                if self._file is None:
                    self._path.parent.mkdir(parents=True, exist_ok=True)
                    self._file = self._path.open("wb")
                self._file.write(stored.data)
                self._file.flush()
            except OSError as error:
                self._fall_back_to_memory(error)
        if self._in_memory is not None:
            self._in_memory.append(stored)
        self._ids.append(np.array(ids, dtype=np.int64))
        self._sums.append(row_sums(stored))
        self.count += len(ids)

    def finish(self) -> Part | None:
        """Return the part with all rows, flushed to disk if in a file; None if no row was added."""
        if self.count == 0:
            return None
        ids, sums = np.concatenate(self._ids), np.concatenate(self._sums)
        if self._file is not None:
            tail = ids.tobytes() + sums.tobytes()
            record = PartRecord(self._path.name, self.count, self._dim, zlib.crc32(tail))
            try:
                self._file.write(bytes(record.ids_at - self.count * self._dim * STORED.itemsize) + tail)
                self._file.flush()
                os.fsync(self._file.fileno())
                self._file.close()
                return Part.mapped(self._path.parent, record)
            except (OSError, DamagedRows) as error:
                self._fall_back_to_memory(error)
        assert self._in_memory is not None
        return Part(ids, np.concatenate(self._in_memory))

    def discard(self) -> None:
        """Remove the written data."""
        if self._file is not None:
            self._file.close()
            self._file = None
            remove(self._path)

    def _fall_back_to_memory(self, error: Exception) -> None:
        logger.warning("the vectors are kept in memory only: no cache could be written to %s (%s)", self._path, error)
        self._in_memory = []
        if self._file is None:
            return
        try:
            self._file.close()
        except OSError as another:  # the buffered rows do not fit either
            logger.debug("closing %s: %s", self._path, another)
        if self.count:
            values = np.fromfile(self._path, dtype=STORED, count=self.count * self._dim)
            self._in_memory.append(values.reshape(self.count, self._dim))
        self._file = None
        remove(self._path)


def view_of(rows: NDArray[np.float16]) -> Any:
    """Return a FAISS index over float16 rows in place: nothing is copied, and the index keeps the rows alive."""
    index = faiss.IndexScalarQuantizer(int(rows.shape[1]), faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT)
    content = rows.reshape(-1).view(np.uint8)
    no_owner = index.codes.owner  # a null pointer in C++; the memory is kept alive below, not by FAISS
    index.codes = faiss.MaybeOwnedVectorUInt8.create_view(faiss.swig_ptr(content), content.size, no_owner)
    index.ntotal = len(rows)
    index.referenced_objects = [content]
    return index


def row_sums(rows: NDArray[np.float16]) -> NDArray[np.uint64]:
    """Return a checksum of each row, uint64 (n,): a flipped bit, a hole or a wrong page changes it."""
    width = rows.shape[1] * STORED.itemsize
    words = np.ascontiguousarray(rows).view(np.uint64 if width % 8 == 0 else np.uint16)
    return np.asarray(words.sum(axis=1, dtype=np.uint64))
