"""Snapshot of a vector index: an immutable state, so that searches are not affected by a concurrent refresh."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from db.records import Stamp
from search.vectors.base import Base
from search.vectors.rows import BLOCK_ROWS, Batch, Found, Mask, Rows, best_of

FEW_ROWS = 8192
"""Up to this many allowed rows are fetched and compared one by one: 3 ms for any size of library."""

NONE = np.empty(0, np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Allowed:
    """Allowed positions: listed, ascending, if they are few; else as a mask, None for all."""

    count: int
    positions: NDArray[np.int64] | None = None
    mask: Mask | None = None


class Part:
    """A base without its deleted rows, whose positions are int64 (n,), without repeats."""

    def __init__(self, base: Base, deleted: NDArray[np.int64] = NONE) -> None:
        self.base, self.rows, self.deleted = base, base.rows, deleted
        self.live = np.ones(len(self.rows), np.bool_)
        self.live[deleted] = False
        self._few = min(FEW_ROWS, len(self.rows) // 4)  # above a quarter, scanning all with a mask is faster
        self.all = self._of_mask(self.live)

    def positions_of(self, ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the position of each id, int64 (n,); -1 for an id without a row."""
        if not len(self.rows):
            return np.full(len(ids), -1)
        at = np.minimum(np.searchsorted(self.rows.ids, ids), len(self.rows) - 1)
        return np.where((self.rows.ids[at] == ids) & self.live[at], at, -1)

    def allowed(self, ids: NDArray[np.int64]) -> Allowed:
        """Return the positions of these ids, some of which may be unknown or repeated."""
        if not len(self.rows):
            return self.all
        if ids.size > self._few:
            return self._of_mask(self._mask(ids) & self.live)
        positions = np.unique(self.positions_of(ids))
        positions = positions[positions >= 0]
        return Allowed(len(positions), positions)

    def best(self, query: NDArray[np.float32], k: int, allowed: Allowed) -> Found:
        """Return (scores, ids) of the k best rows, and possibly more, in any order. Raise DamagedRows."""
        if allowed.positions is not None:
            scores, positions = best_of(query, k, allowed.positions, self.rows.take)
        else:
            scores, positions = self.base.best(query, k, allowed.mask)
        return scores, self.rows.ids[positions]

    def count(self, query: NDArray[np.float32], least: np.float32, allowed: Allowed) -> int:
        """Return the number of rows with a score of at least `least`. Raise DamagedRows."""
        if least == -np.inf:
            return allowed.count
        if allowed.positions is None:
            return self.rows.count(query, least, allowed.mask)
        return int(np.count_nonzero(best_of(query, FEW_ROWS, allowed.positions, self.rows.take)[0] >= least))

    def _of_mask(self, mask: Mask) -> Allowed:
        count = int(np.count_nonzero(mask))
        if count == len(mask):
            return Allowed(count)
        return Allowed(count, np.flatnonzero(mask)) if count <= self._few else Allowed(count, None, mask)

    def _mask(self, wanted: NDArray[np.int64]) -> Mask:
        """Return bool (rows,): positions with these ids, deleted or not."""
        ids, first, last = self.rows.ids, int(self.rows.ids[0]), int(self.rows.ids[-1])
        if last - first > 64 * len(ids) + (1 << 20):
            return np.isin(ids, wanted)
        if wanted.min() < first or wanted.max() > last:
            wanted = wanted[(wanted >= first) & (wanted <= last)]
        named = np.zeros(last - first + 1, np.bool_)
        named[wanted - first] = True
        return named if len(named) == len(ids) else np.asarray(named[ids - first])


class Snapshot:
    """A large base, a small tail of newer rows (no id is in both), and the library's stamp that they correspond to."""

    def __init__(self, stamp: Stamp, base: Part, tail: Rows | None = None) -> None:
        self.stamp, self.base = stamp, base
        self.dim = int(base.rows.matrix.shape[1])
        self.tail = Part(Base(tail or Rows.of([], self.dim)))
        self._last = NONE, (self.base.allowed(NONE), self.tail.allowed(NONE))

    def __len__(self) -> int:
        return len(self.base.rows) - len(self.base.deleted) + len(self.tail.rows)

    def ids(self) -> NDArray[np.int64]:
        """Return the ids of the rows, ascending."""
        return np.sort(np.concatenate([self.base.rows.ids[self.base.live], self.tail.rows.ids]), kind="stable")

    def has(self, ids: NDArray[np.int64]) -> Mask:
        """Return for each id whether it has a row."""
        return (self.base.positions_of(ids) >= 0) | (self.tail.positions_of(ids) >= 0)

    def rows_of(self, ids: NDArray[np.int64]) -> NDArray[np.float16]:
        """Return the rows of these ids in their order, float16 (n, D). Raise KeyError, DamagedRows."""
        found = np.empty((len(ids), self.dim), self.base.rows.matrix.dtype)
        if not (there := self.has(ids)).all():
            raise KeyError(f"segment {ids[np.argmin(there)]} has no row in the index")
        for part in (self.base, self.tail):
            positions = part.positions_of(ids)
            found[positions >= 0] = part.rows.take(positions[positions >= 0])
        return found

    def batches(self) -> Iterator[Batch]:
        """Yield all rows by ascending id. Raise DamagedRows."""
        ids = self.ids()
        for start in range(0, len(ids), BLOCK_ROWS):
            self.base.base.check_sizes()
            yield ids[start : start + BLOCK_ROWS], self.rows_of(ids[start : start + BLOCK_ROWS])

    def allowed(self, ids: NDArray[np.int64] | None) -> tuple[Allowed, Allowed]:
        """Return the allowed positions of base and tail. None allows all."""
        if ids is None:
            return self.base.all, self.tail.all
        last = self._last  # filters often stay while words change
        if not np.array_equal(last[0], ids):
            wanted = np.array(ids, np.int64)
            self._last = last = wanted, (self.base.allowed(wanted), self.tail.allowed(wanted))
        return last[1]

    def search(self, query: NDArray[np.float32], k: int, allowed: tuple[Allowed, Allowed]) -> Found:
        """Return (scores, ids) of the k best allowed rows, equal scores by ascending id. Raise DamagedRows.

        `query` is float32 (1, D), and k is at least 1 and at most the number of the allowed rows.
        """
        parts = zip((self.base, self.tail), allowed, strict=True)
        found = [part.best(query, k, its) for part, its in parts if its.count]
        scores, ids = np.concatenate([scores for scores, _ in found]), np.concatenate([ids for _, ids in found])
        order = np.lexsort((ids, -scores))[:k]
        return scores[order], ids[order]

    def count(self, query: NDArray[np.float32], least: np.float32, allowed: tuple[Allowed, Allowed]) -> int:
        """Return the number of allowed rows with a score of at least `least`. Raise DamagedRows."""
        return self.base.count(query, least, allowed[0]) + self.tail.count(query, least, allowed[1])
