"""Snapshot of a vector index: an immutable state, so that searches are not affected by a concurrent refresh."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from search.vectors.codes import Codes, candidate_count
from search.vectors.row_parts import STORED, Part, view_of

if TYPE_CHECKING:
    from search.vectors.gpu_rows import GpuRows

FEW_ROWS = 8192
"""Up to this many allowed rows are fetched and compared one by one: 3 ms for any size of library."""

_BLOCK_ROWS = 1024  # rows fetched at once: 1.5 MB of 768 columns, which stay in the processor's cache
_COUNT_BLOCK = 4096  # rows whose scores are all computed at once, where many pass the threshold
_COUNTED = 1024  # minimum number of best rows that a count requests
_LARGEST_SHARE = 8  # candidates may be 1/8 of the allowed rows; with more, comparing with all is as fast

Found = tuple[NDArray[np.float32], NDArray[np.int64]]  # scores and positions, best first


@dataclass(frozen=True, slots=True, eq=False)
class Allowed:
    """Allowed positions: as a list if few, as a mask if many.

    Attributes:
        count: Number of positions.
        positions: int64 (count,), ascending, or None if there are many.
        mask: bool (rows,), or None if there are few.
        bits: The mask as bits, lowest first, or None if there are few.
    """

    count: int
    positions: NDArray[np.int64] | None
    mask: NDArray[np.bool_] | None
    bits: NDArray[np.uint8] | None

    @classmethod
    def of_mask(cls, mask: NDArray[np.bool_]) -> Allowed:
        count = int(np.count_nonzero(mask))
        if count <= few_rows(len(mask)):
            return cls.of_positions(np.flatnonzero(mask))
        return cls(count, None, mask, np.packbits(mask, bitorder="little"))

    @classmethod
    def of_positions(cls, positions: NDArray[np.int64]) -> Allowed:
        return cls(len(positions), positions, None, None)


def few_rows(rows: int) -> int:
    """Return the number of rows worth fetching one by one: above a quarter, scanning all with a mask is faster."""
    return min(FEW_ROWS, rows // 4)


@dataclass(frozen=True, slots=True)
class _Piece:
    """Rows to compare exactly: their number, and a function that returns the n best of them."""

    count: int
    best: Callable[[int], Found]


class Snapshot:
    """Parts in order, with tombstones and codes. Positions are counted through all parts."""

    def __init__(
        self, parts: tuple[Part, ...], tombstones: NDArray[np.int64], codes: Codes | None, gpu: GpuRows | None = None
    ) -> None:
        """Create a snapshot.

        Args:
            parts: At least one.
            tombstones: int64, ascending: positions of deleted rows.
            codes: Codes of the first rows, or of all; None for no codes.
            gpu: The same rows on a GPU, possibly followed by more; used by searches without filters.
        """
        self.parts = parts
        self.tombstones = tombstones
        self.codes = codes
        self.gpu = gpu
        self.starts = np.concatenate([[0], np.cumsum([len(part) for part in parts])]).astype(np.int64)
        self.rows = int(self.starts[-1])  # deleted ones included
        self.dim = int(parts[0].rows.shape[1])
        self.ids = parts[0].ids if len(parts) == 1 else np.concatenate([part.ids for part in parts])
        self._live: NDArray[np.bool_] | None = None  # None: all
        if tombstones.size:
            self._live = np.ones(self.rows, dtype=np.bool_)
            self._live[tombstones] = False
        self._all = None if self._live is None else Allowed.of_mask(self._live)
        self._sorted: tuple[NDArray[np.int64], NDArray[np.int64] | None] | None = None
        self._last: tuple[NDArray[np.int64], Allowed] | None = None  # cached: filters often stay while words change

    def __len__(self) -> int:
        """Return the number of rows without tombstones."""
        return self.rows - self.tombstones.size

    # Ids and positions

    def sorted_ids(self) -> NDArray[np.int64]:
        """Return the ids of the rows without tombstones, int64 (len,), ascending."""
        return self._by_id()[0]

    def positions_of(self, ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the position of each id, int64 (n,); -1 for an id that cannot be found."""
        known, order = self._by_id()
        if known.size == 0:
            return np.full(len(ids), -1, dtype=np.int64)
        at = np.minimum(np.searchsorted(known, ids), known.size - 1)
        positions = at if order is None else order[at]
        return np.where(known[at] == ids, positions, -1)

    def _by_id(self) -> tuple[NDArray[np.int64], NDArray[np.int64] | None]:
        """Return (ids ascending, their positions or None where those are 0, 1, 2 ...)."""
        if self._sorted is None:
            live = None if self._live is None else np.flatnonzero(self._live)
            ids = self.ids if live is None else self.ids[live]
            if bool((ids[1:] > ids[:-1]).all()):
                self._sorted = ids, live
            else:
                order = np.argsort(ids, kind="stable")
                self._sorted = ids[order], order if live is None else live[order]
        return self._sorted

    def allowed(self, ids: NDArray[np.int64] | None) -> Allowed | None:
        """Return the positions of these ids; None if all rows are allowed. Unknown and repeated ids are ignored."""
        if ids is None:
            return self._all
        wanted = np.asarray(ids, dtype=np.int64)
        if wanted.size <= few_rows(self.rows):
            positions = np.unique(self.positions_of(wanted))
            return Allowed.of_positions(positions[np.searchsorted(positions, 0) :])
        last = self._last
        if last is not None and (last[0] is wanted or np.array_equal(last[0], wanted)):
            return last[1]
        mask = self._mask(wanted)
        if self._live is not None:
            mask &= self._live
        chosen = Allowed.of_mask(mask)
        self._last = wanted.copy() if wanted.flags.writeable else wanted, chosen
        return chosen

    def _mask(self, wanted: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return bool (rows,): positions with these ids, deleted ones included."""
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

    def take(self, positions: NDArray[np.int64]) -> NDArray[np.float16]:
        """Return the rows at these positions in their order, float16 (n, D). Raises DamagedRows."""
        if len(self.parts) == 1:
            return self.parts[0].take(positions)
        rows = np.empty((len(positions), self.dim), dtype=STORED)
        owners = np.searchsorted(self.starts, positions, side="right") - 1
        for owner in np.unique(owners):
            here = owners == owner
            rows[here] = self.parts[owner].take(positions[here] - self.starts[owner])
        return rows

    def rows_of(self, ids: NDArray[np.int64]) -> NDArray[np.float16]:
        """Return the rows of these ids in their order, float16 (n, D). Raises KeyError, DamagedRows."""
        positions = self.positions_of(ids)
        if positions.size and positions.min() < 0:
            raise KeyError(f"segment {int(ids[np.argmin(positions)])} has no row in the index")
        return self.take(positions)

    def batches(self, start: int, stop: int, size: int = 8192) -> Iterator[NDArray[np.float16]]:
        """Yield the rows from start to stop, float16 (n, D) each. Raises DamagedRows."""
        for at in range(start, stop, size):
            yield self.take(np.arange(at, min(stop, at + size)))

    # Searching

    def search(self, query: NDArray[np.float32], k: int, allowed: Allowed | None) -> Found:
        """Return (scores, ids) of the k best rows, or fewer if fewer are allowed.

        Scores are inner products with the rows as stored; equal scores come by ascending id.

        Args:
            query: float32 (1, D).
            k: Number of rows.
            allowed: The result of `allowed`.

        Raises:
            DamagedRows: A row is damaged.
        """
        allowed_count = self.rows if allowed is None else allowed.count
        k = min(k, allowed_count)
        if k == 0:
            return np.empty(0, np.float32), np.empty(0, np.int64)
        if allowed_count > FEW_ROWS and (self.codes is not None or self.gpu is not None):
            found = self._through_candidates(query, k, allowed, allowed_count)
            if found is not None:
                return found
        return self._best(self._pieces(query, allowed, 0), k)

    def count(self, query: NDArray[np.float32], least: np.float32, allowed: Allowed | None) -> int:
        """Return the number of rows with a score of at least `least`. Raise DamagedRows."""
        if least == -np.inf:
            return self.rows if allowed is None else allowed.count
        allowed_count = self.rows if allowed is None else allowed.count
        requested = self._estimate(query, least, allowed_count)
        if requested * _LARGEST_SHARE <= allowed_count:
            found = [
                (piece.best(min(requested, piece.count))[0], piece.count) for piece in self._pieces(query, allowed, 0)
            ]
            if all(len(scores) == count or scores[-1] < least for scores, count in found):
                return sum(int((scores >= least).sum()) for scores, _ in found)
        blocks = self._pieces(query, allowed, 0, _COUNT_BLOCK)
        return sum(int((block.best(block.count)[0] >= least).sum()) for block in blocks)

    def _estimate(self, query: NDArray[np.float32], least: np.float32, allowed_count: int) -> int:
        """Estimate from a sample how many rows pass, generously: searching for that many is faster than scoring all."""
        sample = np.linspace(0, self.rows - 1, min(self.rows, _BLOCK_ROWS)).astype(np.int64)
        scores, _ = view_of(self.take(sample)).search(query, len(sample))
        return _COUNTED + 2 * int(np.ceil(allowed_count * np.mean(scores >= least)))

    def _through_candidates(
        self, query: NDArray[np.float32], k: int, allowed: Allowed | None, allowed_count: int
    ) -> Found | None:
        """Search among the candidates of the codes or the GPU. Return None if every row must be compared.

        Equal rows have equal codes, and it is arbitrary which of them become candidates. So if a row at the very end
        of the candidates is still among the best, there may be more like it, and more candidates are used.
        """
        count = candidate_count(k, one_list=self.gpu is None and self.codes is not None and self.codes.lists == 1)
        while count * _LARGEST_SHARE <= allowed_count:
            found = self._candidates(query, count, k, allowed, allowed_count)
            if found is None:
                return None
            positions, estimates, covered = found
            order = np.argsort(positions)
            rows = view_of(self.take(positions[order]))
            scores, at = rows.search(query, len(positions))
            compared = scores[0], positions[order][at[0]]
            pieces = [_ranked(compared), *self._pieces(query, allowed, covered)]
            best = self._best(pieces, k)
            if len(best[0]) < k:
                return None
            if len(positions) < count:
                return best
            last = np.isin(compared[1], positions[estimates <= estimates[-1]])
            if compared[0][last].max() < best[0][-1]:
                return best
            count *= 8
        return None

    def _candidates(
        self, query: NDArray[np.float32], count: int, k: int, allowed: Allowed | None, allowed_count: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float32], int] | None:
        """Return (positions, estimated scores, number of positions from 0 on that were searched)."""
        if self.gpu is not None and (allowed is None or allowed is self._all):
            on_device = self.gpu.candidates(query, count, self.rows)
            if on_device is not None:
                positions, estimates = on_device
                kept = slice(None) if self._live is None else self._live[positions]
                return positions[kept], estimates[kept], self.rows
        if self.codes is None:
            return None
        share = allowed_count / self.rows
        bits = None if allowed is None else allowed.bits
        positions, estimates = self.codes.candidates(query, count, k, bits, share)
        return (positions, estimates, len(self.codes)) if len(positions) else None

    def _pieces(
        self, query: NDArray[np.float32], allowed: Allowed | None, begin: int, block: int | None = None
    ) -> list[_Piece]:
        """Return all allowed rows from position `begin` on, in pieces of `block` rows or fewer (None: a part each)."""
        if allowed is not None and allowed.positions is not None:
            positions = allowed.positions[np.searchsorted(allowed.positions, begin) :]
            return [
                self._fetched(query, positions[at : at + _BLOCK_ROWS]) for at in range(0, len(positions), _BLOCK_ROWS)
            ]
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

    def _fetched(self, query: NDArray[np.float32], positions: NDArray[np.int64]) -> _Piece:
        def best(n: int) -> Found:
            scores, at = view_of(self.take(positions)).search(query, min(n, len(positions)))
            return scores[0], positions[at[0]]

        return _Piece(len(positions), best)

    def _best(self, pieces: list[_Piece], k: int) -> Found:
        """Return (scores, ids) of the k best rows of all pieces, equal scores by ascending id.

        FAISS returns any of several equal rows, and copies of a file have equal rows. So one row more than k is
        requested of each piece, and more as long as its last score equals the last one needed.
        """
        requested = k + 1
        while True:
            found = [piece.best(min(requested, piece.count)) for piece in pieces]
            scores = np.concatenate([scores for scores, _ in found])
            ids = self.ids[np.concatenate([positions for _, positions in found])]
            order = np.lexsort((ids, -scores))[:k]
            least = scores[order[-1]]
            if not any(
                len(own) < piece.count and own[-1] >= least for (own, _), piece in zip(found, pieces, strict=True)
            ):
                return scores[order], ids[order]
            requested *= 2


def _ranked(found: Found) -> _Piece:
    """Return a piece of rows that have been compared already."""
    return _Piece(len(found[0]), lambda n: (found[0][:n], found[1][:n]))


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
        scores, positions = part.best(query, n, first, last, mask)
        return scores, positions + start

    return _Piece(count, best)
