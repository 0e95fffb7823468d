"""The vector index over FAISS: ids = segment ids, scores = inner products of the stored rows, derived from the library.

The library's rows are the truth. An index holds what it has read of them and says so as a stamp; where the library's
stamp says more, the rows above the last id are added; where rows went, they are marked as dead; where it is not clear
what changed, all rows are read and compared, and only those that differ are taken in.

How the nearest are found depends on how many rows there are:

* fewer than CODED_ROWS (50 000: 3.5 ms): by comparing with each of them, in FAISS's float16 scan;
* more: codes of one bit a number name some hundred candidates, which are compared exactly (search.vectors.codes);
* after `optimize`, from TRAINED_ROWS on: the same, with codes in lists of near rows, of which few are looked into.
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
from search.vectors.catching_up import Contents, added, buried, compared, without_the_dead
from search.vectors.codes import Codes, wanted_lists
from search.vectors.gpu_rows import GpuRows
from search.vectors.index_files import IndexFiles
from search.vectors.row_parts import DamagedRows, Part, PartWriter
from search.vectors.snapshot import Snapshot
from search.vectors.vector_index import CODED_ROWS, check_search, least_score

if TYPE_CHECKING:
    from db.library import Library

logger = logging.getLogger(__name__)
faiss: Any = _faiss  # its stubs describe the C++ constructors, not what its Python wrapper makes of them

GPU_ROWS = 100_000
"""From here on a search without filters asks a GPU for candidates where there is one."""
_UNCODED = 16_384  # rows that may lie behind the coded ones: comparing with each of them takes 1 ms
_DEAD_SHARE = 4  # rows are written anew once 1/4 of them are dead
_TRIES = 4  # readings of a library that another process is writing, before we live with what we have
_SAVE_SHARE, _SAVE_ROWS = 16, 4096  # rows are saved once they make up 1/16 of all, or are so many

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, eq=False)
class _State:
    """What is held: rows (None while there are none) and how far the library was read."""

    snapshot: Snapshot | None
    held: Stamp
    left_out: int = 0  # rows that are not finite; the library counts them


class FaissIndex:
    """A VectorIndex of one encoder's rows. Use `FaissIndex.open`.

    Safe from several threads: a search works on the state that it found, beside other searches and beside `refresh`.
    """

    def __init__(self, library: Library, encoder_id: str, files: IndexFiles) -> None:
        self._library = library
        self._encoder_id = encoder_id
        self._files = files
        self._refreshing = threading.Lock()  # held while one thread catches up with the library
        self._state = self._nothing_held()
        self._saved: _State | None = None  # what is in files, or would be if they could be written
        self._gpu: GpuRows | None = None
        self._gpu_tried = False

    @classmethod
    def open(cls, library: Library, encoder_id: str, directory: Path) -> FaissIndex:
        """The index of this encoder's rows, as the library has them now.

        Maps the files in `directory` where their stamp fits, reads the rest from the library, and saves where enough
        is new. Files that are torn, damaged, stale or cannot be written are logged and cost time, nothing else.
        Raises LibraryError where the library cannot be read.
        """
        index = cls(library, encoder_id, IndexFiles(Path(directory), encoder_id))
        index._take_saved()
        index.refresh()
        return index

    def __len__(self) -> int:
        snapshot = self._state.snapshot
        return 0 if snapshot is None else len(snapshot)

    def search(
        self, rows: NDArray[np.float32], k: int, allowed: NDArray[np.int64] | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """See `search.vectors.vector_index.VectorIndex.search`. Beyond CODED_ROWS 1 hit in 100 may be missed."""

        def find(snapshot: Snapshot | None) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
            check_search(rows, k, None if snapshot is None else snapshot.dim)
            most = 0
            if snapshot is not None:
                chosen = snapshot.allowed(allowed)
                most = min(k, snapshot.rows if chosen is None else chosen.count)
            ids, scores = np.empty((len(rows), most), np.int64), np.empty((len(rows), most), np.float32)
            if snapshot is not None and most:
                with _one_thread():
                    for at in range(len(rows)):
                        scores[at], ids[at] = snapshot.search(np.ascontiguousarray(rows[at : at + 1]), k, chosen)
            return ids, scores

        return self._healed(find)

    def count(self, row: NDArray[np.float32], threshold: float, allowed: NDArray[np.int64] | None = None) -> int:
        """See `search.vectors.vector_index.VectorIndex.count`: exact, by comparing with every row that is allowed."""
        rows, least = row[None, :], least_score(threshold)

        def tally(snapshot: Snapshot | None) -> int:
            check_search(rows, 1, None if snapshot is None else snapshot.dim)
            if snapshot is None:
                return 0
            with _one_thread():
                return snapshot.count(np.ascontiguousarray(rows), least, snapshot.allowed(allowed))

        return self._healed(tally)

    def rows_of(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """See `search.vectors.vector_index.HoldsRows.rows_of`."""

        def fetch(snapshot: Snapshot | None) -> NDArray[np.float32]:
            if snapshot is None:
                raise KeyError("the index has no rows")
            return snapshot.rows_of(np.asarray(ids, dtype=np.int64)).astype(np.float32)

        return self._healed(fetch)

    def refresh(self) -> bool:
        """Catch up with the library. True where anything changed. Raises LibraryError where it cannot be read."""
        with self._refreshing:
            before = self._state.held
            if self._files.changed_by_others():
                self._take_saved()
            for _ in range(_TRIES):
                stamp = self._library.stamp(self._encoder_id)
                if stamp == self._state.held:
                    break
                try:
                    self._catch_up(stamp)
                except DamagedRows as error:
                    self._let_go(error)
            else:
                logger.info("the library is being written; the newest rows are found after the next refresh")
            self._settle()
            return self._state.held != before

    def optimize(self) -> bool:
        """Learn lists for the codes where there are rows enough (TRAINED_ROWS), and put them in files.

        True where that was due: never before, or the rows are four times as many since. Takes 40 s of one core for
        each million rows of 768 columns; searches go on meanwhile. Raises LibraryError where it cannot be read.
        """
        self.refresh()
        with self._refreshing:
            state = self._state
            if state.snapshot is None:
                return False
            wanted, codes = wanted_lists(state.snapshot.rows), state.snapshot.codes
            if wanted == 1 or (codes is not None and codes.lists * 2 > wanted):
                return False
            try:
                learned = _coded(state.snapshot, Codes.learned(_sampler(state.snapshot), state.snapshot.dim, wanted))
                self._state = replace(state, snapshot=self._with(state.snapshot, codes=learned))
                self._save()
            except DamagedRows as error:
                self._let_go(error)
                return False
            return True

    # What is held

    def _nothing_held(self) -> _State:
        held = Stamp(library_id=self._library.id, encoder_id=self._encoder_id, dim=0, count=0, last_id=0, generation=-1)
        return _State(None, held)

    def _healed(self, work: Callable[[Snapshot | None], Result]) -> Result:
        """The work on what is held; where that turns out to be damaged, on what the library has."""
        state = self._state
        try:
            return work(state.snapshot)
        except DamagedRows as error:
            with self._refreshing:
                if self._state is state:
                    self._let_go(error)
            self.refresh()
            return work(self._state.snapshot)

    def _let_go(self, error: DamagedRows) -> None:
        logger.warning("%s: the vectors of %s are made again from the library", error, self._encoder_id)
        self._files.forget()
        self._state, self._saved = self._nothing_held(), None
        self._gpu, self._gpu_tried = None, False

    def _take_saved(self) -> None:
        """Hold what is in files, where it is of this library."""
        saved = self._files.load()
        if saved is None or (saved.stamp.library_id, saved.stamp.encoder_id) != (self._library.id, self._encoder_id):
            return
        rows = sum(len(part) for part in saved.parts)
        dead = saved.dead
        fits = all(part.rows.shape[1] == saved.stamp.dim for part in saved.parts)
        fits = fits and rows - dead.size + saved.left_out == saved.stamp.count
        fits = fits and (dead.size == 0 or (dead[0] >= 0 and dead[-1] < rows and bool((np.diff(dead) > 0).all())))
        if not fits:
            logger.warning("the vector files of %s do not fit together and will be made again", self._encoder_id)
            return
        codes = saved.codes
        if codes is not None and (codes.dim != saved.stamp.dim or len(codes) > rows):
            codes = None
        try:
            if rows < CODED_ROWS:  # all of them are compared with every search, so look at once
                for part in saved.parts:
                    part.check()
            self._gpu, self._gpu_tried = None, False
            snapshot = self._with(None, parts=saved.parts, dead=dead, codes=codes) if rows else None
        except DamagedRows as error:
            self._let_go(error)
            return
        self._state = self._saved = _State(snapshot, saved.stamp, saved.left_out)

    def _with(self, snapshot: Snapshot | None, **changes: Any) -> Snapshot:
        """A snapshot that differs in these from the given one, with the GPU's copy where there is one to be had."""
        fields = {} if snapshot is None else {"parts": snapshot.parts, "dead": snapshot.dead, "codes": snapshot.codes}
        changed = Snapshot(**(fields | changes))
        if changed.rows >= GPU_ROWS:
            if not self._gpu_tried:
                self._gpu = GpuRows.empty(changed.dim)
            if self._gpu is not None and not self._gpu.extend(changed.batches(len(self._gpu), changed.rows, 65_536)):
                self._gpu = None
            self._gpu_tried = True
            changed.gpu = self._gpu
        return changed

    # Catching up

    def _catch_up(self, stamp: Stamp) -> None:
        held, snapshot = self._state.held, self._state.snapshot
        if snapshot is None or (held.library_id, held.dim) != (stamp.library_id, stamp.dim):
            self._hold(compared(self._library, stamp, None, self._files.new_path(".rows")))
        elif held.generation == stamp.generation and held.last_id < stamp.last_id and held.count < stamp.count:
            for ids, rows in self._library.embeddings(self._encoder_id, after=held.last_id):
                self._hold(added(self._now(), ids, rows))
        else:
            change = buried(self._library, stamp, self._now())
            self._hold(change or compared(self._library, stamp, snapshot, self._files.new_path(".rows")))

    def _now(self) -> Contents:
        """What is held."""
        state = self._state
        assert state.snapshot is not None, "rows are held"
        return Contents(
            state.held, state.snapshot.parts, state.snapshot.dead, state.snapshot.codes, state.left_out, state.snapshot
        )

    def _hold(self, contents: Contents) -> None:
        if contents.moved:
            self._gpu, self._gpu_tried = None, False
        snapshot = None
        if contents.parts:
            snapshot = self._with(None, parts=contents.parts, dead=contents.dead, codes=contents.codes)
        self._state = _State(snapshot, contents.held, contents.left_out)

    # Codes and files

    def _settle(self) -> None:
        """After catching up: code what is not coded, drop the dead where they are many, save where it is worth it."""
        try:
            snapshot = self._state.snapshot
            if snapshot is not None and snapshot.dead.size * _DEAD_SHARE > snapshot.rows:
                self._hold(without_the_dead(self._now(), self._files.new_path(".rows")))
                snapshot = self._state.snapshot
            if snapshot is not None and snapshot.rows >= CODED_ROWS:
                coded = 0 if snapshot.codes is None else len(snapshot.codes)
                if snapshot.codes is None or snapshot.rows - coded > _UNCODED:
                    codes = snapshot.codes or Codes.learned(_sampler(snapshot), snapshot.dim, 1)
                    snapshot = self._with(snapshot, codes=_coded(snapshot, codes))
                    self._state = replace(self._state, snapshot=snapshot)
            if self._worth_saving():
                self._save()
        except DamagedRows as error:
            self._let_go(error)

    def _worth_saving(self) -> bool:
        snapshot = self._state.snapshot
        if snapshot is None:
            return False
        saved = None if self._saved is None else self._saved.snapshot
        if saved is None or saved.codes is not snapshot.codes or saved.dead.size != snapshot.dead.size:
            return True
        there = {id(part) for part in saved.parts}
        fresh = sum(len(part) for part in snapshot.parts if id(part) not in there)
        return fresh >= max(1, min(snapshot.rows // _SAVE_SHARE, _SAVE_ROWS))

    def _save(self) -> None:
        """Put everything in files. Parts in memory become one, with the parts before them that are not much larger."""
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
                    places = np.arange(at, min(at + 8192, len(part)))
                    writer.add(part.ids[places], part.take(places))
            joined = writer.finish()
            assert joined is not None, "parts have rows"
            tail = [joined]
        snapshot = self._with(state.snapshot, parts=(*parts, *tail))
        self._state = state = replace(state, snapshot=snapshot)
        self._saved = state
        if all(part.record is not None for part in snapshot.parts):  # else the writer has said why
            self._files.save(state.held, snapshot.parts, snapshot.dead, snapshot.codes, state.left_out)


def _coded(snapshot: Snapshot, codes: Codes) -> Codes:
    """The codes with those of all rows that they lack."""
    return codes.added(snapshot.batches(len(codes), snapshot.rows))


def _sampler(snapshot: Snapshot) -> Callable[[int], NDArray[np.float32]]:
    def sample(count: int) -> NDArray[np.float32]:
        places = np.unique(np.linspace(0, snapshot.rows - 1, min(count, snapshot.rows)).astype(np.int64))
        return snapshot.take(places).astype(np.float32)

    return sample


@contextmanager
def _one_thread() -> Iterator[None]:
    """A query or two is memory-bound: more OpenMP threads only wait for each other, and for the encoder's.

    OpenMP keeps the number for each calling thread by itself, so that searches in several threads do not meet here.
    """
    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(threads)
