"""Vector index over FAISS: ids are segment ids, scores are inner products of the stored rows.

The index is derived from the library's rows. It consists of a base in memory-mapped files, of which deleted rows are
left out, and a small tail of newer rows in memory. A new base is built when these exceed a share of the old one. A base
of fewer than CODED_ROWS rows is compared row by row; from there on, codes select candidates (search.vectors.base).
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

from search.vectors import vector_index
from search.vectors.index_files import IndexFiles
from search.vectors.rows import DamagedRows, faiss
from search.vectors.snapshot import Part, Snapshot
from search.vectors.sync import LONGEST_TAIL, Sync
from search.vectors.vector_index import check_search, least_score

if TYPE_CHECKING:
    from db.library import Library

logger = logging.getLogger(__name__)

REBUILD_SHARE = 0.05
"""A new base is due when the tail and the deleted rows exceed this share of the base."""

_TRIES = 3  # attempts to answer from files that are damaged again and again

Result = TypeVar("Result")


class FaissIndex:
    """A VectorIndex, Refreshable and RowStore of one encoder's rows. Use `FaissIndex.open`.

    Thread-safe: a search uses the rows at its start, concurrently with other searches, `refresh` and `optimize`.
    """

    def __init__(self, library: Library, encoder_id: str, directory: Path, rebuild_share: float) -> None:
        self._ids = library.id, encoder_id
        self._files = IndexFiles(directory, encoder_id)
        self._sync = Sync(library, encoder_id, self._files)
        self._rebuild_share = rebuild_share
        self._updating = threading.RLock()  # held while one thread changes the rows
        self._now = self._sync.empty

    @classmethod
    def open(
        cls, library: Library, encoder_id: str, directory: Path, *, rebuild_share: float = REBUILD_SHARE
    ) -> FaissIndex:
        """Open the index of an encoder's rows, up to date with the library.

        Args:
            library: The library, which the index keeps using.
            encoder_id: The encoder whose rows are searched.
            directory: The folder of the index's files, usually `<library>/vectors`. Files that are missing, damaged,
                stale or not writable cost time and, at most, a warning in the log.
            rebuild_share: A new base is due when the tail and the deleted rows exceed this share of the base.

        Raises:
            LibraryError: The library cannot be read.
        """
        index = cls(library, encoder_id, Path(directory), rebuild_share)
        index._now = index._load_saved()
        index.refresh()
        return index

    def __len__(self) -> int:
        return len(self._now)

    def search(
        self, rows: NDArray[np.float32], k: int, allowed: NDArray[np.int64] | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """See `search.vectors.vector_index.VectorIndex.search`. From CODED_ROWS on, 1 hit in 200 may be missed."""

        def find(now: Snapshot) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
            check_search(rows, k, now.dim or None)
            chosen = now.allowed(allowed)
            count = min(k, sum(part.count for part in chosen))
            ids, scores = np.empty((len(rows), count), np.int64), np.empty((len(rows), count), np.float32)
            for at in range(len(rows) if count else 0):
                scores[at], ids[at] = now.search(np.ascontiguousarray(rows[at : at + 1]), count, chosen)
            return ids, scores

        return self._on_snapshot(find)

    def count(self, row: NDArray[np.float32], threshold: float, allowed: NDArray[np.int64] | None = None) -> int:
        """See `search.vectors.vector_index.VectorIndex.count`: exact, by comparing with every row that is allowed."""
        rows, least = np.ascontiguousarray(row[None, :]), least_score(threshold)

        def count_rows(now: Snapshot) -> int:
            check_search(rows, 1, now.dim or None)
            return now.count(rows, least, now.allowed(allowed))

        return self._on_snapshot(count_rows)

    def rows_of(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """See `search.vectors.vector_index.RowStore.rows_of`."""
        return self._on_snapshot(lambda now: now.rows_of(np.asarray(ids, np.int64)).astype(np.float32))

    def refresh(self) -> bool:
        """See `search.vectors.vector_index.Refreshable.refresh`. Builds a new base if it is due and takes no second."""
        with self._updating:
            before = self._now.stamp
            now = self._load_saved() if self._files.changed_by_others() else self._now
            try:
                self._now = self._sync.synced(now)
            except DamagedRows as error:
                self._replace_damaged(self._now, error)
            if len(self) < vector_index.CODED_ROWS:
                self._build_if_due()
            return self._now.stamp != before

    def is_due(self) -> bool:
        """Return whether `optimize` would build a new base."""
        base, tail = self._now.base, len(self._now.tail.rows)
        too_long = tail > max(LONGEST_TAIL, len(base.rows) // 100)
        return too_long or tail + len(base.deleted) > self._rebuild_share * len(base.rows)

    def optimize(self) -> bool:
        """Build a new base if one is due, and return whether it was. Raise LibraryError if the library is unreadable.

        Takes 40 s of one core per million rows of 768 columns, so `refresh` leaves it to the caller from CODED_ROWS on.
        Searches may continue meanwhile. If another process does it, the next `refresh` takes the new base over.
        """
        with self._updating:
            self.refresh()
            return self._build_if_due()

    def _build_if_due(self) -> bool:
        now, due = self._now, self.is_due()
        try:
            if due:
                base = self._files.build(now.batches, lambda: now.stamp)
                self._now = self._sync.synced(Snapshot(now.stamp, Part(base)))
        except DamagedRows as error:
            self._replace_damaged(now, error)
        return due

    # Damage and files

    def _on_snapshot(self, work: Callable[[Snapshot], Result]) -> Result:
        """Do the work on the current rows; if they turn out to be damaged, on rows reread from the library."""
        for _ in range(_TRIES):
            now = self._now
            try:
                now.base.base.check_sizes()
                with _one_thread():
                    return work(now)
            except DamagedRows as error:
                self._replace_damaged(now, error)
        return work(self._now)

    def _replace_damaged(self, now: Snapshot, error: DamagedRows) -> None:
        with self._updating:
            if self._now.base.base is now.base.base:
                logger.warning("%s: the vectors of %s are made again from the library", error, self._ids[1])
                self._files.forget()
                self._now = self._sync.synced(self._sync.empty)

    def _load_saved(self) -> Snapshot:
        """Return the saved base if it is of this library and encoder, else the current rows."""
        saved = self._files.load()
        if saved is not None and (saved[0].library_id, saved[0].encoder_id) == self._ids:
            return Snapshot(saved[0], Part(saved[1]))
        return self._now


@contextmanager
def _one_thread() -> Iterator[None]:
    """Limit FAISS to one thread in this one: a query is memory-bound, and more OpenMP threads only wait for another."""
    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(threads)
