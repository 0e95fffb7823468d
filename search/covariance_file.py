"""Covariance of a library's rows, estimated when it is first needed and kept in a file of the library."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from db.records import Filters, Stamp
from search.cache_file import CacheFile
from search.calibration.folder import calibration_folder
from search.even import evenly
from search.row_covariance import SAMPLED_ROWS, RowCovariance

if TYPE_CHECKING:
    from db.library import Library

GROWTH = 0.05
"""It is estimated again when the library has this share of rows more than it was estimated from."""


class CovarianceFile:
    """The covariance of one encoder's rows in one library. Thread-safe; two threads may estimate it at once."""

    def __init__(self, library: Library, encoder_id: str, dim: int) -> None:
        """Create the file's reader; nothing is read yet.

        Args:
            library: The library; the file is in its folder `calibration`.
            encoder_id: The encoder of the rows.
            dim: Their number of columns.
        """
        self._library, self._encoder_id, self._dim = library, encoder_id, dim
        self._file = CacheFile(calibration_folder(library.directory), spread_name(encoder_id), ".npz")
        self._lock = threading.Lock()
        self._current: tuple[Stamp, RowCovariance | None] | None = None

    def covariance(self, rows_of: Callable[[list[int]], NDArray[np.float32]]) -> RowCovariance | None:
        """Return the covariance of the library's rows now, or None if there are too few or they are all equal.

        Args:
            rows_of: Returns the rows of ids, float32 (n, D), without those that no longer exist.

        Raises:
            LibraryError: The library cannot be read.
        """
        stamp = self._library.stamp(self._encoder_id)
        with self._lock:
            current = self._current
        if current is None:
            current = self._file.load(lambda path: RowCovariance.read(path, self._dim))
        if current is None or not _still_good(current[0], stamp):
            ids = self._library.segment_ids(Filters(), self._encoder_id)
            covariance = RowCovariance.of(rows_of(evenly(ids, SAMPLED_ROWS).tolist())) if len(ids) else None
            current = stamp, covariance
            if covariance is not None and not self._library.read_only:
                self._file.save(stamp, covariance.write)
        with self._lock:
            self._current = current
        return current[1]


def spread_name(encoder_id: str) -> str:
    """Return what the file of an encoder's covariance is named by: no other cache of the folder has the name."""
    return f"{encoder_id} spread"


def _still_good(old: Stamp, new: Stamp) -> bool:
    """Return whether the estimate made at `old` still holds: no row has changed, and few have been added."""
    return old.holds_at(new) and old.count <= new.count <= old.count * (1 + GROWTH)
