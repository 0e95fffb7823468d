"""Vector index over FAISS: ids are segment ids, scores are inner products of the stored rows.

The index is derived from the library's rows, and has the library's stamp that it corresponds to. If the stamp shows new
rows, they are appended; if rows were deleted, they get tombstones; if it is unclear what changed, all rows are read and
compared, and only those that differ are updated.

The method of a search depends on the number of rows:

* fewer than CODED_ROWS (50 000: 3.5 ms): every row is compared, in FAISS's float16 scan;
* more: 1-bit codes select some hundred candidates, which are compared exactly (search.vectors.codes);
* after `optimize`, from TRAINED_ROWS on: the same with codes in inverted lists, of which a few are probed.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import faiss as _faiss
import numpy as np
from numpy.typing import NDArray

from db.records import Stamp
from search.vectors.codes import Codes, list_count
from search.vectors.gpu_rows import GpuRows
from search.vectors.index_files import IndexFiles
from search.vectors.row_parts import DamagedRows, Part, PartWriter
from search.vectors.snapshot import Snapshot
from search.vectors.sync import Contents, append, compact, compare_all, mark_deleted
from search.vectors.vector_index import CODED_ROWS, check_search, least_score

if TYPE_CHECKING:
    from db.library import Library

logger = logging.getLogger(__name__)
faiss: Any = _faiss  # its stubs describe the C++ constructors, not those of its Python wrapper

GPU_ROWS = 100_000
"""From here on, a GPU (if available) selects the candidates of searches without filters."""
_MAX_UNCODED = 16_384  # maximum number of rows after the coded ones; comparing with all of them takes 1 ms
_COMPACT_SHARE = 4  # rows are rewritten once 1/4 of them have tombstones
_TRIES = 4  # attempts while another process is writing, before a refresh ends without the newest rows
_SAVE_SHARE, _SAVE_ROWS = 16, 4096  # new rows are saved once they are 1/16 of all, or 4096

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, eq=False)
class _State:
    """Rows (None while there are none), and the library's stamp that they correspond to."""

    snapshot: Snapshot | None
    stamp: Stamp
    left_out: int = 0  # number of rows that are not finite; the stamp counts them


class FaissIndex:
    """A VectorIndex, Refreshable and RowStore of one encoder's rows. Use `FaissIndex.open`.

    Thread-safe: a search uses the state at its start, concurrently with other searches and with `refresh`.
    """

    def __init__(self, library: Library, encoder_id: str, files: IndexFiles) -> None:
        self._library = library
        self._encoder_id = encoder_id
        self._files = files
        self._refreshing = threading.Lock()  # held while one thread brings the index up to date
        self._state = self._empty_state()
        self._saved: _State | None = None  # the content of the files, or what it would be if they could be written
        self._gpu: GpuRows | None = None
        self._gpu_tried = False

    @classmethod
    def open(cls, library: Library, encoder_id: str, directory: Path) -> FaissIndex:
        """Open the index of an encoder's rows, up to date with the library.

        Maps the files in `directory` if their stamp matches, reads the rest from the library, and saves if enough is
        new. Files that are damaged, stale or not writable are logged, and only cost time.

        Args:
            library: The library, which the index keeps using.
            encoder_id: The encoder whose rows are searched.
            directory: The folder of the index's files, usually `<library>/vectors`.

        Raises:
            LibraryError: The library cannot be read.
        """
        index = cls(library, encoder_id, IndexFiles(Path(directory), encoder_id))
        index._load_saved()
        index.refresh()
        return index

    def __len__(self) -> int:
        snapshot = self._state.snapshot
        return 0 if snapshot is None else len(snapshot)

    def search(
        self, rows: NDArray[np.float32], k: int, allowed: NDArray[np.int64] | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """See `search.vectors.vector_index.VectorIndex.search`. From CODED_ROWS on, 1 hit in 100 may be missed."""

        def find(snapshot: Snapshot | None) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
            check_search(rows, k, None if snapshot is None else snapshot.dim)
            count = 0
            if snapshot is not None:
                chosen = snapshot.allowed(allowed)
                count = min(k, snapshot.rows if chosen is None else chosen.count)
            ids, scores = np.empty((len(rows), count), np.int64), np.empty((len(rows), count), np.float32)
            if snapshot is not None and count:
                with _one_thread():
                    for at in range(len(rows)):
                        scores[at], ids[at] = snapshot.search(np.ascontiguousarray(rows[at : at + 1]), k, chosen)
            return ids, scores

        return self._retry_if_damaged(find)

    def count(self, row: NDArray[np.float32], threshold: float, allowed: NDArray[np.int64] | None = None) -> int:
        """See `search.vectors.vector_index.VectorIndex.count`: exact, by comparing with every row that is allowed."""
        rows, least = row[None, :], least_score(threshold)

        def count_rows(snapshot: Snapshot | None) -> int:
            check_search(rows, 1, None if snapshot is None else snapshot.dim)
            if snapshot is None:
                return 0
            with _one_thread():
                return snapshot.count(np.ascontiguousarray(rows), least, snapshot.allowed(allowed))

        return self._retry_if_damaged(count_rows)

    def rows_of(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """See `search.vectors.vector_index.RowStore.rows_of`."""

        def fetch(snapshot: Snapshot | None) -> NDArray[np.float32]:
            if snapshot is None:
                raise KeyError("the index has no rows")
            return snapshot.rows_of(np.asarray(ids, dtype=np.int64)).astype(np.float32)

        return self._retry_if_damaged(fetch)

    def refresh(self) -> bool:
        """See `search.vectors.vector_index.Refreshable.refresh`. Saves if enough is new."""
        with self._refreshing:
            before = self._state.stamp
            if self._files.changed_by_others():
                self._load_saved()
            for _ in range(_TRIES):
                stamp = self._library.stamp(self._encoder_id)
                if stamp == self._state.stamp:
                    break
                try:
                    self._sync(stamp)
                except DamagedRows as error:
                    self._drop_damaged(error)
            else:
                logger.info("the library is being written; the newest rows are found after the next refresh")
            self._maintain()
            return self._state.stamp != before

    def optimize(self) -> bool:
        """Train inverted lists for the codes if there are enough rows (TRAINED_ROWS), and save them.

        Takes 40 s of one core per million rows of 768 columns; searches can continue meanwhile.

        Returns:
            True if it was due: not done before, or the number of rows has quadrupled since.

        Raises:
            LibraryError: The library cannot be read.
        """
        self.refresh()
        with self._refreshing:
            state = self._state
            if state.snapshot is None:
                return False
            wanted, codes = list_count(state.snapshot.rows), state.snapshot.codes
            if wanted == 1 or (codes is not None and codes.lists * 2 > wanted):
                return False
            try:
                trained = _coded(state.snapshot, Codes.train(_sampler(state.snapshot), state.snapshot.dim, wanted))
                self._state = replace(state, snapshot=self._changed(state.snapshot, codes=trained))
                self._save()
            except DamagedRows as error:
                self._drop_damaged(error)
                return False
            return True

    # State

    def _empty_state(self) -> _State:
        held = Stamp(library_id=self._library.id, encoder_id=self._encoder_id, dim=0, count=0, last_id=0, generation=-1)
        return _State(None, held)

    def _retry_if_damaged(self, work: Callable[[Snapshot | None], Result]) -> Result:
        """Do the work on the current state; if that turns out to be damaged, on rows reread from the library."""
        state = self._state
        try:
            return work(state.snapshot)
        except DamagedRows as error:
            with self._refreshing:
                if self._state is state:
                    self._drop_damaged(error)
            self.refresh()
            return work(self._state.snapshot)

    def _drop_damaged(self, error: DamagedRows) -> None:
        logger.warning("%s: the vectors of %s are made again from the library", error, self._encoder_id)
        self._files.forget()
        self._state, self._saved = self._empty_state(), None
        self._gpu, self._gpu_tried = None, False

    def _load_saved(self) -> None:
        """Load the saved contents if they are of this library and encoder."""
        saved = self._files.load()
        if saved is None or (saved.stamp.library_id, saved.stamp.encoder_id) != (self._library.id, self._encoder_id):
            return
        rows = sum(len(part) for part in saved.parts)
        tombstones = saved.tombstones
        fits = all(part.rows.shape[1] == saved.stamp.dim for part in saved.parts)
        fits = fits and rows - tombstones.size + saved.left_out == saved.stamp.count
        fits = fits and (
            tombstones.size == 0
            or (tombstones[0] >= 0 and tombstones[-1] < rows and bool((np.diff(tombstones) > 0).all()))
        )
        if not fits:
            logger.warning("the vector files of %s do not fit together and will be made again", self._encoder_id)
            return
        codes = saved.codes
        if codes is not None and (codes.dim != saved.stamp.dim or len(codes) > rows):
            codes = None
        try:
            if rows < CODED_ROWS:  # every search reads all of them, so check them now
                for part in saved.parts:
                    part.check()
            self._gpu, self._gpu_tried = None, False
            snapshot = self._changed(None, parts=saved.parts, tombstones=tombstones, codes=codes) if rows else None
        except DamagedRows as error:
            self._drop_damaged(error)
            return
        self._state = self._saved = _State(snapshot, saved.stamp, saved.left_out)

    def _changed(self, snapshot: Snapshot | None, **changes: Any) -> Snapshot:
        """Return the snapshot with these fields changed, and with a copy on the GPU if possible."""
        fields = (
            {}
            if snapshot is None
            else {"parts": snapshot.parts, "tombstones": snapshot.tombstones, "codes": snapshot.codes}
        )
        changed = Snapshot(**(fields | changes))
        if changed.rows >= GPU_ROWS:
            if not self._gpu_tried:
                self._gpu = GpuRows.empty(changed.dim)
            if self._gpu is not None and not self._gpu.extend(changed.batches(len(self._gpu), changed.rows, 65_536)):
                self._gpu = None
            self._gpu_tried = True
            changed.gpu = self._gpu
        return changed

    # Synchronisation

    def _sync(self, stamp: Stamp) -> None:
        held, snapshot = self._state.stamp, self._state.snapshot
        if snapshot is None or (held.library_id, held.dim) != (stamp.library_id, stamp.dim):
            self._set_contents(compare_all(self._library, stamp, None, self._files.new_path(".rows")))
        elif held.generation == stamp.generation and held.last_id < stamp.last_id and held.count < stamp.count:
            for ids, rows in self._library.embeddings(self._encoder_id, after=held.last_id):
                self._set_contents(append(self._contents(), ids, rows))
        else:
            change = mark_deleted(self._library, stamp, self._contents())
            self._set_contents(change or compare_all(self._library, stamp, snapshot, self._files.new_path(".rows")))

    def _contents(self) -> Contents:
        """Return the current contents."""
        state = self._state
        assert state.snapshot is not None, "rows are held"
        return Contents(
            state.stamp,
            state.snapshot.parts,
            state.snapshot.tombstones,
            state.snapshot.codes,
            state.left_out,
            state.snapshot,
        )

    def _set_contents(self, contents: Contents) -> None:
        if contents.moved:
            self._gpu, self._gpu_tried = None, False
        snapshot = None
        if contents.parts:
            snapshot = self._changed(None, parts=contents.parts, tombstones=contents.tombstones, codes=contents.codes)
        self._state = _State(snapshot, contents.stamp, contents.left_out)

    # Codes and files

    def _maintain(self) -> None:
        """Compact if there are many tombstones, code uncoded rows, and save if worthwhile."""
        try:
            snapshot = self._state.snapshot
            if snapshot is not None and snapshot.tombstones.size * _COMPACT_SHARE > snapshot.rows:
                self._set_contents(compact(self._contents(), self._files.new_path(".rows")))
                snapshot = self._state.snapshot
            if snapshot is not None and snapshot.rows >= CODED_ROWS:
                coded = 0 if snapshot.codes is None else len(snapshot.codes)
                if snapshot.codes is None or snapshot.rows - coded > _MAX_UNCODED:
                    codes = snapshot.codes or Codes.train(_sampler(snapshot), snapshot.dim, 1)
                    snapshot = self._changed(snapshot, codes=_coded(snapshot, codes))
                    self._state = replace(self._state, snapshot=snapshot)
            if self._worth_saving():
                self._save()
        except DamagedRows as error:
            self._drop_damaged(error)

    def _worth_saving(self) -> bool:
        snapshot = self._state.snapshot
        if snapshot is None:
            return False
        saved = None if self._saved is None else self._saved.snapshot
        if saved is None or saved.codes is not snapshot.codes or saved.tombstones.size != snapshot.tombstones.size:
            return True
        there = {id(part) for part in saved.parts}
        fresh = sum(len(part) for part in snapshot.parts if id(part) not in there)
        return fresh >= max(1, min(snapshot.rows // _SAVE_SHARE, _SAVE_ROWS))

    def _save(self) -> None:
        """Save everything. Parts in memory are joined, together with preceding parts that are not much larger."""
        state = self._state
        assert state.snapshot is not None, "rows are what is saved"
        parts = list(state.snapshot.parts)
        tail: list[Part] = []
        while parts and (parts[-1].record is None or len(parts[-1]) < 2 * sum(map(len, tail))):
            tail.insert(0, parts.pop())
        if tail and (len(tail) > 1 or tail[0].record is None):
            writer = PartWriter(self._files.new_path(".rows"), state.snapshot.dim)
            for part in tail:
                for at in range(0, len(part), 8192):
                    positions = np.arange(at, min(at + 8192, len(part)))
                    writer.add(part.ids[positions], part.take(positions))
            joined = writer.finish()
            assert joined is not None, "parts have rows"
            tail = [joined]
        snapshot = self._changed(state.snapshot, parts=(*parts, *tail))
        self._state = state = replace(state, snapshot=snapshot)
        self._saved = state
        if all(part.record is not None for part in snapshot.parts):  # else the writer has logged the reason
            self._files.save(state.stamp, snapshot.parts, snapshot.tombstones, snapshot.codes, state.left_out)


def _coded(snapshot: Snapshot, codes: Codes) -> Codes:
    """Return the codes extended to all rows."""
    return codes.extended(snapshot.batches(len(codes), snapshot.rows))


def _sampler(snapshot: Snapshot) -> Callable[[int], NDArray[np.float32]]:
    def sample(count: int) -> NDArray[np.float32]:
        positions = np.unique(np.linspace(0, snapshot.rows - 1, min(count, snapshot.rows)).astype(np.int64))
        return snapshot.take(positions).astype(np.float32)

    return sample


@contextmanager
def _one_thread() -> Iterator[None]:
    """Limit FAISS to one thread: a few queries are memory-bound, and more OpenMP threads only wait for each other.

    OpenMP keeps the number separately for each calling thread, so that searches in several threads do not interfere.
    """
    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(threads)
