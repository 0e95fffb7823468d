"""A file of float16 rows, read by position.

It is read, not mapped: if another program shortens a mapped file, reading past its new end kills the process, and no
check can prevent that, because the file may become shorter right after it.
"""

from __future__ import annotations

import os
import threading
from typing import IO

import numpy as np
from numpy.typing import NDArray

STORED = np.dtype("<f2")


class DamagedRows(Exception):
    """A file of vectors is damaged. FaissIndex then rebuilds it from the library."""


class RowFile:
    """Rows in an open file, float16 (n, D). Thread-safe."""

    def __init__(self, file: IO[bytes], rows: int, dim: int) -> None:
        self.shape, self.size_bytes = (rows, dim), rows * dim * STORED.itemsize
        self._file = file
        self._lock = threading.Lock()
        self.check_size()

    def __len__(self) -> int:
        return self.shape[0]

    def check_size(self) -> None:
        """Raise DamagedRows if the file does not have the size of its rows."""
        if os.fstat(self._file.fileno()).st_size != self.size_bytes:
            raise DamagedRows("the size of a file of vectors has changed")

    def read(self, start: int, rows: NDArray[np.float16]) -> None:
        """Fill `rows`, contiguous, with those from position `start` on. Raise DamagedRows."""
        self._fill(start * self.shape[1] * STORED.itemsize, rows.reshape(-1).view(np.uint8).data)

    def read_at(self, positions: NDArray[np.int64]) -> NDArray[np.float16]:
        """Return the rows at these positions, float16 (n, D). Neighbours are read at once. Raise DamagedRows."""
        rows = np.empty((len(positions), self.shape[1]), STORED)
        row_bytes = self.shape[1] * STORED.itemsize
        content = rows.reshape(-1).view(np.uint8).data
        breaks = np.flatnonzero(np.diff(positions) != 1) + 1
        ends = [*breaks.tolist(), len(positions)] if len(positions) else []
        begin = 0
        for end, first in zip(ends, positions[[0, *breaks]].tolist() if ends else (), strict=True):
            self._fill(first * row_bytes, content[begin * row_bytes : end * row_bytes])
            begin = end
        return rows

    def _fill(self, offset: int, content: memoryview) -> None:
        try:
            filled = 0
            while filled < len(content):
                got = self._read_into(offset + filled, content[filled:] if filled else content)
                if not got:
                    raise DamagedRows("a file of vectors has become shorter")
                filled += got
        except (OSError, OverflowError) as error:
            raise DamagedRows(f"a file of vectors cannot be read ({error})") from error

    def _read_into(self, offset: int, content: memoryview) -> int:
        if hasattr(os, "preadv"):
            return os.preadv(self._file.fileno(), [content], offset)
        with self._lock:  # Windows
            self._file.seek(offset)
            return self._file.readinto(content)  # type: ignore[attr-defined,no-any-return]
