"""Vector index over FAISS: ids are segment ids, scores are inner products with the stored rows.

The index is derived from the library's rows: a base in files, without the rows deleted since, and a small
tail of newer rows in memory. A new base is built when tail and deleted rows are too many. Fewer than CODED_ROWS rows
are all compared; from there on, codes select candidates (search.vectors.base).
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
from search.vectors.row_file import DamagedRows
from search.vectors.rows import faiss
from search.vectors.snapshot import LiveRows, Snapshot
from search.vectors.sync import LONGEST_TAIL, Sync
from search.vectors.vector_index import Ids, check_search, least_score

if TYPE_CHECKING:
    from db.library import Library

logger = logging.getLogger(__name__)

REBUILD_SHARE = 0.05  # a new base is due when the tail and the deleted rows exceed this share of the base

Result = TypeVar("Result")


class FaissIndex:
    """A VectorIndex, Refreshable and RowStore of one encoder's rows. Use `FaissIndex.open`.

    Thread-safe: a search sees the rows as they are when it starts, while others search, refresh or optimize.
    """

    def __init__(self, library: Library, encoder_id: str, directory: Path, rebuild_share: float) -> None:
        self._owner = library.id, encoder_id
        self._files = IndexFiles(directory, encoder_id)
        self._sync = Sync(library, encoder_id, self._files)
        self._rebuild_share = rebuild_share
        self._updating = threading.RLock()  # held while a thread replaces the snapshot
        self._snapshot = self._sync.empty

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
            rebuild_share: See REBUILD_SHARE.

        Raises:
            LibraryError: The library cannot be read.
        """
        index = cls(library, encoder_id, Path(directory), rebuild_share)
        index.refresh()
        return index

    def __len__(self) -> int:
        return len(self._snapshot)

    def search(self, rows: NDArray[np.float32], k: int, allowed: Ids | None = None) -> tuple[Ids, NDArray[np.float32]]:
        """See `VectorIndex.search`. Codes miss 1 hit in 200 if the query is like a shot, 1 in 25 if a sentence."""

        def find(snapshot: Snapshot) -> tuple[Ids, NDArray[np.float32]]:
            check_search(rows, k, snapshot.dim or None)
            positions = snapshot.allowed(allowed)
            count = min(k, sum(each.count for each in positions))
            ids, scores = np.empty((len(rows), count), np.int64), np.empty((len(rows), count), np.float32)
            for at in range(len(rows) if count else 0):
                scores[at], ids[at] = snapshot.search(np.ascontiguousarray(rows[at : at + 1]), count, positions)
            return ids, scores

        return self._answer(find)

    def count(self, row: NDArray[np.float32], threshold: float, allowed: Ids | None = None) -> int:
        """See `VectorIndex.count`: every allowed row is compared."""
        rows, least = np.ascontiguousarray(row[None, :]), least_score(threshold)

        def count_rows(snapshot: Snapshot) -> int:
            check_search(rows, 1, snapshot.dim or None)
            return snapshot.count(rows, least, snapshot.allowed(allowed))

        return self._answer(count_rows)

    def rows_of(self, ids: Ids) -> NDArray[np.float32]:
        """See `RowStore.rows_of`."""
        return self._answer(lambda snapshot: snapshot.rows_of(np.asarray(ids, np.int64)).astype(np.float32))

    def refresh(self) -> bool:
        """See `Refreshable.refresh`. Below CODED_ROWS, also builds a base if one is due."""
        with self._updating:
            before = self._snapshot.stamp
            try:
                self._snapshot = self._sync.updated(self._newly_saved())
            except DamagedRows as error:
                self._replace_damaged(self._snapshot, error)
            if len(self) < vector_index.CODED_ROWS:
                self._build_if_due()
            return self._snapshot.stamp != before

    def is_due(self) -> bool:
        """Return whether `optimize` would build a new base: whether REBUILD_SHARE is exceeded, or the tail too long."""
        base, tail = self._snapshot.base, len(self._snapshot.tail)
        too_long = tail > max(LONGEST_TAIL, len(base.rows) // 100)
        return too_long or tail + len(base.rows) - len(base) > self._rebuild_share * len(base.rows)

    def optimize(self, on_progress: Callable[[float], None] | None = None) -> bool:
        """Build a new base if one is due, and return whether it was. Raise LibraryError if the library is unreadable.

        Nothing is told of its progress.

        A million rows of 768 columns take 43 s of one core, so from CODED_ROWS on, `refresh` leaves it to the caller.
        Searches may continue meanwhile. If another process builds the base, the next `refresh` starts to use it.
        """
        with self._updating:
            self.refresh()
            return self._build_if_due()

    def _build_if_due(self) -> bool:
        if not self.is_due():
            return False
        snapshot = self._snapshot
        try:
            base = self._files.build(snapshot.batches, lambda: snapshot.stamp)
            self._snapshot = self._sync.updated(Snapshot(snapshot.stamp, LiveRows(base)))
        except DamagedRows as error:
            self._replace_damaged(snapshot, error)
        return True

    def _answer(self, ask: Callable[[Snapshot], Result]) -> Result:
        """Ask the current snapshot; if its rows turn out to be damaged, ask one that is reread from the library."""
        for _ in range(3):  # files may be damaged again at once
            snapshot = self._snapshot
            try:
                with _one_thread():
                    return ask(snapshot)
            except DamagedRows as error:
                self._replace_damaged(snapshot, error)
        return ask(self._snapshot)

    def _replace_damaged(self, snapshot: Snapshot, error: DamagedRows) -> None:
        with self._updating:
            if self._snapshot.base.stored is snapshot.base.stored:  # no other thread has done it
                logger.warning("%s: the vectors of %s are rebuilt from the library", error, self._owner[1])
                self._files.forget()
                self._snapshot = self._sync.updated(self._sync.empty)

    def _newly_saved(self) -> Snapshot:
        """Return a snapshot of the base in the files if it is new to this index, else the current snapshot."""
        saved = self._files.load() if self._files.changed_by_others() else None
        if saved is None or (saved[0].library_id, saved[0].encoder_id) != self._owner:
            return self._snapshot
        return Snapshot(saved[0], LiveRows(saved[1]))


@contextmanager
def _one_thread() -> Iterator[None]:
    """Let FAISS use one OpenMP thread when called in this one: a query is memory-bound, so more would only wait."""
    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(threads)
