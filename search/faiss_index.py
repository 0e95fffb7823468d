"""The vector index over FAISS: exact inner products, ids = segment ids, derived from the library, cached in a file.

The library's rows are the truth. An index holds what it has read of them and says so as a stamp; where the library's
stamp says more, the rows above the last id are added; where it says otherwise, the index is made again (100 000 rows
of 768 columns take about 0.9 s to read and 0.8 s to build, so that is never a catastrophe).
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import faiss as _faiss
import numpy as np
from numpy.typing import NDArray

from db.records import Stamp
from search.cache_file import CacheFile
from search.vector_index import check_search, least_score

if TYPE_CHECKING:
    from db.library import Library

logger = logging.getLogger(__name__)
faiss: Any = _faiss  # its stubs describe the C++ constructors, not what its Python wrapper makes of them

GPU_ROWS = 100_000
"""From here on a search without filters runs on the GPU where there is one. Below it a CPU core answers within about
15 ms (768 columns), sooner than the rows are copied to the device."""
_GPU_K = 2048  # the most neighbours FAISS's GPU search gives
_TRIES = 4  # readings of a library that another process is writing, before we live with what we have
_SAVE_SHARE = (
    16  # rows are saved once they make up 1/16 of the file: reading fewer from the library is quicker than writing
)


class FaissIndex:
    """A VectorIndex of one encoder's rows. Use `FaissIndex.open`.

    Safe from several threads: searches take turns, and run on while `refresh` reads or rebuilds.
    """

    def __init__(self, library: Library, encoder_id: str, cache: CacheFile) -> None:
        self._library = library
        self._encoder_id = encoder_id
        self._cache = cache
        self._searching = threading.Lock()  # held while FAISS reads or changes the index
        self._refreshing = threading.Lock()  # held while one thread catches up with the library
        self._index: Any = None  # faiss.IndexIDMap2(faiss.IndexFlatIP), or None while there is no row
        self._gpu: Any = None  # its copy on the GPU, made when first wanted
        self._held = Stamp(library_id=library.id, encoder_id=encoder_id, dim=0, count=0, last_id=0, generation=-1)
        self._saved_count = 0

    @classmethod
    def open(cls, library: Library, encoder_id: str, directory: Path) -> FaissIndex:
        """The index of this encoder's rows, as the library has them now.

        Loads the cache in `directory` where its stamp fits, reads the rest from the library, and saves where enough is
        new. A cache that is torn, damaged, stale or cannot be written is logged and costs time, nothing else.
        Raises LibraryError where the library cannot be read.
        """
        index = cls(library, encoder_id, CacheFile(Path(directory), encoder_id))
        index._load()
        index.refresh()
        return index

    def __len__(self) -> int:
        return 0 if self._index is None else int(self._index.ntotal)

    def search(
        self, rows: NDArray[np.float32], k: int, allowed: NDArray[np.int64] | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """See `search.vector_index.VectorIndex.search`."""
        with self._searching:
            check_search(rows, k, None if self._index is None else int(self._index.d))
            if self._index is None:
                return _nothing(len(rows))
            if allowed is None:
                return self._search_ties(rows, min(k, len(self)), len(self), None)
            known = self._known(allowed)
            if known.size == 0:
                return _nothing(len(rows))
            return self._search_ties(rows, min(k, known.size), known.size, _selector(known))

    def count(self, row: NDArray[np.float32], threshold: float, allowed: NDArray[np.int64] | None = None) -> int:
        """See `search.vector_index.VectorIndex.count`."""
        rows, least = row[None, :], least_score(threshold)
        with self._searching:
            check_search(rows, 1, None if self._index is None else int(self._index.d))
            known = None if self._index is None or allowed is None else self._known(allowed)
            if self._index is None or (known is not None and known.size == 0):
                return 0
            # FAISS finds what is above its radius, not at it; and on the CPU it scores as `search` does there.
            with np.errstate(over="ignore"):
                radius = float(np.nextafter(least, np.float32(-np.inf)))
            chosen = None if known is None else faiss.SearchParameters(sel=_selector(known))
            with _one_thread():
                limits, _, _ = self._index.range_search(np.ascontiguousarray(rows), radius, params=chosen)
            return int(limits[-1])

    def refresh(self) -> bool:
        """Catch up with the library. True where anything changed. Raises LibraryError where it cannot be read."""
        with self._refreshing:
            before = self._held
            for _ in range(_TRIES):
                stamp = self._library.stamp(self._encoder_id)
                if stamp == self._held:
                    self._save_if_worth_it()
                    break
                if self._only_lacks_rows(stamp):
                    self._add(stamp)
                else:
                    self._rebuild(stamp)
            else:
                logger.info("the library is being written; the newest rows are found after the next refresh")
            return self._held != before

    def _only_lacks_rows(self, stamp: Stamp) -> bool:
        held = self._held
        same = (held.library_id, held.dim, held.generation) == (stamp.library_id, stamp.dim, stamp.generation)
        return same and stamp.last_id > held.last_id and stamp.count > held.count

    def _add(self, stamp: Stamp) -> None:
        """Add the rows above the last id that is held. Small batches, so that searches wait for none of it."""
        for ids, rows in self._library.embeddings(self._encoder_id, after=self._held.last_id):
            with self._searching:
                self._index, self._gpu = _with_rows(self._index, ids, rows, self._encoder_id), None
                held = self._held
                self._held = replace(held, count=held.count + len(ids), last_id=max(held.last_id, int(ids[-1])))

    def _rebuild(self, stamp: Stamp) -> None:
        """Read everything anew, beside the index in use, and put it in its place at once."""
        index, count, last_id = None, 0, 0
        for ids, rows in self._library.embeddings(self._encoder_id):
            index = _with_rows(index, ids, rows, self._encoder_id)
            count, last_id = count + len(ids), max(last_id, int(ids[-1]))
        with self._searching:
            self._index, self._gpu = index, None
            # What was read may be newer than `stamp`, so count and last_id are our own; the next look at the library
            # tells whether they agree with a generation that has not moved meanwhile.
            self._held = replace(stamp, count=count, last_id=last_id)
        self._saved_count = 0

    def _load(self) -> None:
        loaded = self._cache.load(faiss.read_index)
        if loaded is None:
            return
        stamp, index = loaded
        fits = isinstance(index, faiss.IndexIDMap2) and int(index.d) == stamp.dim and int(index.ntotal) <= stamp.count
        if fits and (stamp.library_id, stamp.encoder_id) == (self._library.id, self._encoder_id):
            self._index, self._held, self._saved_count = index, stamp, stamp.count

    def _save_if_worth_it(self) -> None:
        index = self._index  # only refresh changes it, and refresh is what we are in
        fresh = self._held.count - self._saved_count
        if (
            index is not None
            and fresh >= max(1, self._held.count // _SAVE_SHARE)
            and self._cache.save(self._held, lambda path: faiss.write_index(index, path))
        ):
            self._saved_count = self._held.count

    def _known(self, allowed: NDArray[np.int64]) -> NDArray[np.int64]:
        """Those of `allowed` that the index has, ascending, each once."""
        allowed, ids = np.unique(np.asarray(allowed, dtype=np.int64)), _ids(self._index)
        places = np.minimum(np.searchsorted(ids, allowed), ids.size - 1)  # ids ascend: the library gives them so
        known: NDArray[np.int64] = allowed[ids[places] == allowed]
        return known

    def _search_ties(
        self, rows: NDArray[np.float32], k: int, count: int, selector: Any
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """The k best of `count` rows, equal scores by ascending id.

        FAISS keeps whichever of equal rows it likes, and copies of a file have equal rows: so ask for one more than k,
        and for more still while the scores do not tell the last one wanted from the last one given.
        """
        asked = min(k + 1, count)
        while True:
            scores, ids = self._raw_search(rows, asked, selector)
            if asked >= count or not (scores[:, k - 1] == scores[:, -1]).any():
                break
            asked = min(2 * asked, count)
        order = np.lexsort((ids, -scores), axis=1)[:, :k]
        return np.take_along_axis(ids, order, axis=1), np.take_along_axis(scores, order, axis=1)

    def _raw_search(self, rows: NDArray[np.float32], k: int, selector: Any) -> Any:
        """FAISS's own (scores, ids) of the k best, k of them for sure."""
        rows = np.ascontiguousarray(rows)
        if selector is not None:
            with _one_thread():
                return self._index.search(rows, k, params=faiss.SearchParameters(sel=selector))
        on_gpu = self._on_gpu() if len(self) >= GPU_ROWS and k <= _GPU_K else None
        if on_gpu is not None:
            return on_gpu.search(rows, k)
        with _one_thread():
            return self._index.search(rows, k)

    def _on_gpu(self) -> Any:
        """The copy on the first GPU, or None where there is none or it does not fit."""
        if self._gpu is None and hasattr(faiss, "StandardGpuResources") and faiss.get_num_gpus() > 0:
            resources, copy = faiss.StandardGpuResources(), None
            try:
                copy = faiss.index_cpu_to_gpu(resources, 0, self._index)
            except RuntimeError as error:  # FAISS's only exception: out of memory, or a driver that does not fit
                logger.warning("searching on the CPU: the GPU did not take the vectors (%s)", error)
            self._gpu = (resources, copy)  # the copy uses the resources, which FAISS does not keep alive by itself
        return None if self._gpu is None else self._gpu[1]


def _with_rows(index: Any, ids: NDArray[np.int64], rows: NDArray[np.float32], encoder_id: str) -> Any:
    """The index with these rows in it; made where it is None. Rows that are not finite are left out and logged."""
    if index is None:
        index = faiss.IndexIDMap2(faiss.IndexFlatIP(int(rows.shape[1])))
    good = np.isfinite(rows).all(axis=1)
    if not good.all():
        logger.warning(
            "%d embeddings of %s are not finite and cannot be found (segments %s ...); index those videos again",
            int((~good).sum()),
            encoder_id,
            ids[~good][:3].tolist(),
        )
        ids, rows = ids[good], rows[good]
    index.add_with_ids(np.ascontiguousarray(rows, dtype=np.float32), np.ascontiguousarray(ids, dtype=np.int64))
    return index


def _ids(index: Any) -> NDArray[np.int64]:
    """The ids in the index, ascending as they were added. A view of FAISS's own memory: not to be kept."""
    ids: NDArray[np.int64] = faiss.rev_swig_ptr(index.id_map.data(), index.id_map.size())
    return ids


def _selector(ids: NDArray[np.int64]) -> Any:
    """The quickest FAISS filter for these ids (ascending, unique, at least one)."""
    first, last = int(ids[0]), int(ids[-1])
    if last - first + 1 == ids.size:
        return faiss.IDSelectorRange(first, last + 1)
    if last < 64 * ids.size + (1 << 20):
        bits = np.zeros(last + 1, dtype=np.bool_)
        bits[ids] = True
        return faiss.IDSelectorBitmap(np.packbits(bits, bitorder="little"))
    return faiss.IDSelectorBatch(ids)


def _nothing(queries: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    return np.empty((queries, 0), dtype=np.int64), np.empty((queries, 0), dtype=np.float32)


@contextmanager
def _one_thread() -> Iterator[None]:
    """A query or two is memory-bound: more OpenMP threads only wait for each other, and for the encoder's."""
    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(threads)
