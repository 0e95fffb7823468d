"""One state of the vectors, which never changes: whoever searches it is not disturbed by what comes after it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from search.vectors.codes import Codes, candidates_for
from search.vectors.row_parts import STORED, Part, view_of

if TYPE_CHECKING:
    from search.vectors.gpu_rows import GpuRows

FEW_ROWS = 8192
"""So many allowed rows are fetched and compared one by one: 3 ms, whatever the size of the library."""

_BLOCK_ROWS = 1024  # rows fetched at once: 1.5 MB of 768 columns, which stay in the cache
_COUNT_BLOCK = 4096  # rows whose scores are all looked at, where many pass
_COUNTED = 1024  # so many may always pass
_LARGEST_SHARE = 8  # candidates may be 1/8 of what is allowed; beyond, comparing with all is as quick

Found = tuple[NDArray[np.float32], NDArray[np.int64]]  # scores and positions, best first


@dataclass(frozen=True, slots=True, eq=False)
class Allowed:
    """Positions that may be found and how many they are: few as a list, many as a mask."""

    count: int
    places: NDArray[np.int64] | None  # ascending, where they are few
    mask: NDArray[np.bool_] | None  # (rows,), where they are many
    bits: NDArray[np.uint8] | None  # the mask, lowest bit first

    @classmethod
    def of_mask(cls, mask: NDArray[np.bool_]) -> Allowed:
        count = int(np.count_nonzero(mask))
        if count <= few_of(len(mask)):
            return cls.of_places(np.flatnonzero(mask))
        return cls(count, None, mask, np.packbits(mask, bitorder="little"))

    @classmethod
    def of_places(cls, places: NDArray[np.int64]) -> Allowed:
        return cls(len(places), places, None, None)


def few_of(rows: int) -> int:
    """So many of so many rows are fetched one by one: beyond a quarter, passing over the others is quicker."""
    return min(FEW_ROWS, rows // 4)


@dataclass(frozen=True, slots=True)
class _Piece:
    """Rows that are compared exactly: how many, and a function that gives the best so many of them."""

    count: int
    best: Callable[[int], Found]


class Snapshot:
    """Parts in order, positions counted through all of them; which positions are dead; codes of the first of them.

    gpu: the same rows on a device, or more of them at the end; searched where all may be found.
    """

    def __init__(
        self, parts: tuple[Part, ...], dead: NDArray[np.int64], codes: Codes | None, gpu: GpuRows | None = None
    ) -> None:
        """parts: at least one. dead: int64, ascending. codes: of at most as many rows as there are."""
        self.parts = parts
        self.dead = dead
        self.codes = codes
        self.gpu = gpu
        self.starts = np.concatenate([[0], np.cumsum([len(part) for part in parts])]).astype(np.int64)
        self.rows = int(self.starts[-1])  # dead ones included
        self.dim = int(parts[0].rows.shape[1])
        self.ids = parts[0].ids if len(parts) == 1 else np.concatenate([part.ids for part in parts])
        self._alive: NDArray[np.bool_] | None = None  # None: all
        if dead.size:
            self._alive = np.ones(self.rows, dtype=np.bool_)
            self._alive[dead] = False
        self._all = None if self._alive is None else Allowed.of_mask(self._alive)
        self._sorted: tuple[NDArray[np.int64], NDArray[np.int64] | None] | None = None
        self._last: tuple[NDArray[np.int64], Allowed] | None = None  # filters stay while words change

    def __len__(self) -> int:
        """Rows that may be found."""
        return self.rows - self.dead.size

    # Ids and positions

    def sorted_ids(self) -> NDArray[np.int64]:
        """int64 (len,), ascending: the ids of the rows that may be found."""
        return self._by_id()[0]

    def places_of(self, ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """int64 (n,): the position of each id, -1 where it may not be found."""
        known, order = self._by_id()
        if known.size == 0:
            return np.full(len(ids), -1, dtype=np.int64)
        at = np.minimum(np.searchsorted(known, ids), known.size - 1)
        places = at if order is None else order[at]
        return np.where(known[at] == ids, places, -1)

    def _by_id(self) -> tuple[NDArray[np.int64], NDArray[np.int64] | None]:
        """(ids ascending, their positions or None where those are 0, 1, 2 ...)."""
        if self._sorted is None:
            alive = None if self._alive is None else np.flatnonzero(self._alive)
            ids = self.ids if alive is None else self.ids[alive]
            if bool((ids[1:] > ids[:-1]).all()):
                self._sorted = ids, alive
            else:
                order = np.argsort(ids, kind="stable")
                self._sorted = ids[order], order if alive is None else alive[order]
        return self._sorted

    def allowed(self, ids: NDArray[np.int64] | None) -> Allowed | None:
        """The positions of these ids; None where all may be found. Unknown ids and repeats do no harm."""
        if ids is None:
            return self._all
        wanted = np.asarray(ids, dtype=np.int64)
        if wanted.size <= few_of(self.rows):
            places = np.unique(self.places_of(wanted))
            return Allowed.of_places(places[np.searchsorted(places, 0) :])
        last = self._last
        if last is not None and (last[0] is wanted or np.array_equal(last[0], wanted)):
            return last[1]
        mask = self._mask(wanted)
        if self._alive is not None:
            mask &= self._alive
        chosen = Allowed.of_mask(mask)
        self._last = wanted.copy() if wanted.flags.writeable else wanted, chosen
        return chosen

    def _mask(self, wanted: NDArray[np.int64]) -> NDArray[np.bool_]:
        """bool (rows,): positions with these ids, dead ones included."""
        known, order = self._by_id()
        first, last = int(self.ids.min()), int(self.ids.max())
        if int(wanted.min()) < first or int(wanted.max()) > last:
            wanted = wanted[(wanted >= first) & (wanted <= last)]
        span = last - first + 1
        if span > 64 * self.rows + (1 << 20):
            return np.isin(self.ids, wanted)
        named = np.zeros(span, dtype=np.bool_)
        named[wanted - first] = True
        without_gaps = order is None and known.size == span
        return named if without_gaps else np.asarray(named[self.ids - first])

    def take(self, places: NDArray[np.int64]) -> NDArray[np.float16]:
        """float16 (n, D): the rows at these positions, in their order. Raises DamagedRows."""
        if len(self.parts) == 1:
            return self.parts[0].take(places)
        rows = np.empty((len(places), self.dim), dtype=STORED)
        owners = np.searchsorted(self.starts, places, side="right") - 1
        for owner in np.unique(owners):
            here = owners == owner
            rows[here] = self.parts[owner].take(places[here] - self.starts[owner])
        return rows

    def rows_of(self, ids: NDArray[np.int64]) -> NDArray[np.float16]:
        """float16 (n, D): the rows of these ids, in their order. Raises KeyError for one without, and DamagedRows."""
        places = self.places_of(ids)
        if places.size and places.min() < 0:
            raise KeyError(f"segment {int(ids[np.argmin(places)])} has no row in the index")
        return self.take(places)

    def batches(self, start: int, stop: int, size: int = 8192) -> Iterator[NDArray[np.float16]]:
        """float16 (n, D): the rows from start to stop. Raises DamagedRows."""
        for at in range(start, stop, size):
            yield self.take(np.arange(at, min(stop, at + size)))

    # Searching

    def search(self, query: NDArray[np.float32], k: int, allowed: Allowed | None) -> Found:
        """(scores, ids) of the k best rows, fewer where fewer are allowed. query: float32 (1, D).

        Scores are those of the rows as stored; equal ones come by ascending id. Raises DamagedRows.
        """
        most = self.rows if allowed is None else allowed.count
        k = min(k, most)
        if k == 0:
            return np.empty(0, np.float32), np.empty(0, np.int64)
        if most > FEW_ROWS and (self.codes is not None or self.gpu is not None):
            found = self._through_candidates(query, k, allowed, most)
            if found is not None:
                return found
        return self._best(self._pieces(query, allowed, 0), k)

    def count(self, query: NDArray[np.float32], least: np.float32, allowed: Allowed | None) -> int:
        """How many rows score `least` or more, by the scores of `search`. Raises DamagedRows."""
        if least == -np.inf:
            return self.rows if allowed is None else allowed.count
        most = self.rows if allowed is None else allowed.count
        asked = self._guess(query, least, most)
        if asked * _LARGEST_SHARE <= most:
            found = [(piece.best(min(asked, piece.count))[0], piece.count) for piece in self._pieces(query, allowed, 0)]
            if all(len(scores) == count or scores[-1] < least for scores, count in found):
                return sum(int((scores >= least).sum()) for scores, _ in found)
        blocks = self._pieces(query, allowed, 0, _COUNT_BLOCK)
        return sum(int((block.best(block.count)[0] >= least).sum()) for block in blocks)

    def _guess(self, query: NDArray[np.float32], least: np.float32, most: int) -> int:
        """More than are likely to pass, by a sample: asking for the best so many is quicker than for all scores."""
        sample = np.linspace(0, self.rows - 1, min(self.rows, _BLOCK_ROWS)).astype(np.int64)
        scores, _ = view_of(self.take(sample)).search(query, len(sample))
        return _COUNTED + 2 * int(np.ceil(most * np.mean(scores >= least)))

    def _through_candidates(
        self, query: NDArray[np.float32], k: int, allowed: Allowed | None, most: int
    ) -> Found | None:
        """The same by way of what the codes or the device take for the best; None where that is not worth it.

        Rows that are equal have equal codes, and which of them became candidates is chance. So if a row at the very end
        of the candidates still belongs to the best, there may be more like it, and more are asked for.
        """
        count = candidates_for(k, one_list=self.gpu is None and self.codes is not None and self.codes.lists == 1)
        while count * _LARGEST_SHARE <= most:
            found = self._candidates(query, count, k, allowed, most)
            if found is None:
                return None
            places, estimates, covered = found
            order = np.argsort(places)
            rows = view_of(self.take(places[order]))
            scores, at = rows.search(query, len(places))
            compared = scores[0], places[order][at[0]]
            pieces = [_ranked(compared), *self._pieces(query, allowed, covered)]
            best = self._best(pieces, k)
            if len(best[0]) < k:
                return None
            if len(places) < count:
                return best
            last = np.isin(compared[1], places[estimates <= estimates[-1]])
            if compared[0][last].max() < best[0][-1]:
                return best
            count *= 8
        return None

    def _candidates(
        self, query: NDArray[np.float32], count: int, k: int, allowed: Allowed | None, most: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float32], int] | None:
        """(positions, estimated scores, how many positions from 0 on were looked at)."""
        if self.gpu is not None and (allowed is None or allowed is self._all):
            on_device = self.gpu.candidates(query, count, self.rows)
            if on_device is not None:
                places, estimates = on_device
                kept = slice(None) if self._alive is None else self._alive[places]
                return places[kept], estimates[kept], self.rows
        if self.codes is None:
            return None
        share = most / self.rows
        bits = None if allowed is None else allowed.bits
        places, estimates = self.codes.candidates(query, count, k, bits, share)
        return (places, estimates, len(self.codes)) if len(places) else None

    def _pieces(
        self, query: NDArray[np.float32], allowed: Allowed | None, begin: int, block: int | None = None
    ) -> list[_Piece]:
        """All allowed rows from position `begin` on. block: at most so many rows a piece."""
        if allowed is not None and allowed.places is not None:
            places = allowed.places[np.searchsorted(allowed.places, begin) :]
            return [self._fetched(query, places[at : at + _BLOCK_ROWS]) for at in range(0, len(places), _BLOCK_ROWS)]
        pieces = []
        for part, start in zip(self.parts, self.starts[:-1].tolist(), strict=True):
            step = len(part) if block is None else block
            for first in range(max(0, begin - start), len(part), step):
                last = min(first + step, len(part))
                mask = None if allowed is None or allowed.mask is None else allowed.mask[start + first : start + last]
                count = last - first if mask is None else int(np.count_nonzero(mask))
                if count:
                    pieces.append(_scanned(part, start, first, last, mask, count, query))
        return pieces

    def _fetched(self, query: NDArray[np.float32], places: NDArray[np.int64]) -> _Piece:
        def best(n: int) -> Found:
            scores, at = view_of(self.take(places)).search(query, min(n, len(places)))
            return scores[0], places[at[0]]

        return _Piece(len(places), best)

    def _best(self, pieces: list[_Piece], k: int) -> Found:
        """(scores, ids) of the k best in all pieces, equal scores by ascending id.

        FAISS keeps whichever of equal rows it likes, and copies of a file have equal rows: so ask for one more than k,
        and for more still while the scores do not tell the last one wanted from the last one given.
        """
        asked = k + 1
        while True:
            found = [piece.best(min(asked, piece.count)) for piece in pieces]
            scores = np.concatenate([scores for scores, _ in found])
            ids = self.ids[np.concatenate([places for _, places in found])]
            order = np.lexsort((ids, -scores))[:k]
            least = scores[order[-1]]
            if not any(
                len(own) < piece.count and own[-1] >= least for (own, _), piece in zip(found, pieces, strict=True)
            ):
                return scores[order], ids[order]
            asked *= 2


def _ranked(found: Found) -> _Piece:
    """Rows that were compared already."""
    return _Piece(len(found[0]), lambda most: (found[0][:most], found[1][:most]))


def _scanned(
    part: Part,
    start: int,
    first: int,
    last: int,
    mask: NDArray[np.bool_] | None,
    count: int,
    query: NDArray[np.float32],
) -> _Piece:
    def best(n: int) -> Found:
        scores, places = part.best(query, n, first, last, mask)
        return scores, places + start

    return _Piece(count, best)
