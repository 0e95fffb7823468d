"""Snapshot of a vector index: an immutable state, so that searches are not affected by a concurrent refresh."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from db.records import Stamp
from search.vectors.base import Base
from search.vectors.row_file import STORED
from search.vectors.rows import BLOCK_ROWS, Batch, Mask, Rows, Scored
from search.vectors.vector_index import Ids

FEW_ROWS = 16_384  # up to this many allowed rows are fetched and compared: 6 ms in a library of any size
NO_IDS = np.empty(0, np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Allowed:
    """Allowed positions: listed, ascending, if they are few; otherwise as a mask, or None if all are allowed."""

    count: int
    positions: NDArray[np.int64] | None = None
    mask: Mask | None = None


class LiveRows:
    """Stored rows without those deleted since: `live`, bool (n,), is False for these."""

    def __init__(self, stored: Base, live: Mask | None = None) -> None:
        self.stored, self.rows = stored, stored.rows
        self.live = np.ones(len(self.rows), np.bool_) if live is None else live
        self._few = min(FEW_ROWS, len(self.rows) // 4)  # above a quarter, scanning all with a mask is faster
        self.all = self._of_mask(self.live)

    def __len__(self) -> int:
        return self.all.count

    def positions_of(self, ids: Ids) -> NDArray[np.int64]:
        """Return the position of each id, int64 (n,); -1 for an id that has no row here."""
        if not len(self.rows):
            return np.full(len(ids), -1)
        at = np.minimum(np.searchsorted(self.rows.ids, ids), len(self.rows) - 1)
        return np.where((self.rows.ids[at] == ids) & self.live[at], at, -1)

    def allowed(self, ids: Ids) -> Allowed:
        """Return the allowed positions. `ids` may be unknown or repeated."""
        if not len(self.rows):
            return self.all
        if ids.size > self._few:
            return self._of_mask(self._mask(ids) & self.live)
        positions = np.unique(self.positions_of(ids))
        positions = positions[positions >= 0]
        return Allowed(len(positions), positions)

    def best(self, query: NDArray[np.float32], k: int, allowed: Allowed) -> Scored:
        """Return (scores, ids) of the k best allowed rows, and possibly others, in any order. Raise DamagedRows."""
        if allowed.positions is not None:
            scores, positions = self.rows.best_at(allowed.positions, query, k)
        else:
            scores, positions = self.stored.best(query, k, allowed.mask)
        return scores, self.rows.ids[positions]

    def count(self, query: NDArray[np.float32], least: np.float32, allowed: Allowed) -> int:
        """Return the number of allowed rows with a score of at least `least`. Raise DamagedRows."""
        if least == -np.inf:
            return allowed.count
        if allowed.positions is None:
            return self.rows.count(query, least, allowed.mask)
        return int(np.count_nonzero(self.rows.best_at(allowed.positions, query, FEW_ROWS)[0] >= least))

    def without(self, ids: Ids) -> LiveRows:
        """Return the rows without these ids, some of which may be unknown."""
        live, positions = self.live.copy(), self.positions_of(ids)
        live[positions[positions >= 0]] = False
        return LiveRows(self.stored, live)

    def _of_mask(self, mask: Mask) -> Allowed:
        count = int(np.count_nonzero(mask))
        if count == len(mask):
            return Allowed(count)
        return Allowed(count, np.flatnonzero(mask)) if count <= self._few else Allowed(count, mask=mask)

    def _mask(self, wanted: Ids) -> Mask:
        """Return bool (rows,), the positions of these ids, deleted or not. A table is four times as fast as np.isin."""
        ids, first, last = self.rows.ids, int(self.rows.ids[0]), int(self.rows.ids[-1])
        if last - first > 64 * len(ids) + (1 << 20):
            return np.isin(ids, wanted)
        if wanted.min() < first or wanted.max() > last:
            wanted = wanted[(wanted >= first) & (wanted <= last)]
        named = np.zeros(last - first + 1, np.bool_)
        named[wanted - first] = True
        return named if len(named) == len(ids) else np.asarray(named[ids - first])


class Snapshot:
    """A large base, a small tail of newer rows (no id is in both), and the library's stamp they correspond to."""

    def __init__(self, stamp: Stamp, base: LiveRows, tail: Rows | None = None) -> None:
        self.stamp, self.base = stamp, base
        self.dim = base.rows.dim
        self.tail = LiveRows(Base(tail or Rows.of([], self.dim)))
        self._last_allowed = NO_IDS, (self.base.allowed(NO_IDS), self.tail.allowed(NO_IDS))

    def __len__(self) -> int:
        return len(self.base) + len(self.tail)

    def ids(self) -> Ids:
        """Return the ids of the rows, ascending."""
        return np.sort(np.concatenate([self.base.rows.ids[self.base.live], self.tail.rows.ids]), kind="stable")

    def has(self, ids: Ids) -> Mask:
        """Return for each id whether it has a row."""
        return (self.base.positions_of(ids) >= 0) | (self.tail.positions_of(ids) >= 0)

    def rows_of(self, ids: Ids) -> NDArray[np.float16]:
        """Return the rows of these ids in their order, float16 (n, D). Raise KeyError, DamagedRows."""
        self.base.rows.check_size()
        found = np.empty((len(ids), self.dim), STORED)
        if not (there := self.has(ids)).all():
            raise KeyError(f"segment {ids[np.argmin(there)]} has no row in the index")
        for live in (self.base, self.tail):
            positions = live.positions_of(ids)
            found[positions >= 0] = live.rows.take(positions[positions >= 0])
        return found

    def batches(self) -> Iterator[Batch]:
        """Yield all rows by ascending id. Raise DamagedRows."""
        ids = self.ids()
        for start in range(0, len(ids), BLOCK_ROWS):
            yield ids[start : start + BLOCK_ROWS], self.rows_of(ids[start : start + BLOCK_ROWS])

    def with_changes(self, stamp: Stamp, gone: Ids, added: Iterable[Batch]) -> Snapshot:
        """Return the snapshot without the rows of the ids `gone`, and with those `added` in its tail."""
        tail, kept = self.tail.rows, np.isin(self.tail.rows.ids, gone, invert=True)
        rows = Rows.of([(tail.ids[kept], tail.matrix[kept]), *added], self.dim)
        return Snapshot(stamp, self.base.without(gone), rows)

    def allowed(self, ids: Ids | None) -> tuple[Allowed, Allowed]:
        """Return the allowed positions of base and tail. None allows all."""
        if ids is None:
            return self.base.all, self.tail.all
        last = self._last_allowed  # a filter often stays the same while the words of a query change
        if not np.array_equal(last[0], ids):
            wanted = np.array(ids, np.int64)
            self._last_allowed = last = wanted, (self.base.allowed(wanted), self.tail.allowed(wanted))
        return last[1]

    def search(self, query: NDArray[np.float32], k: int, allowed: tuple[Allowed, Allowed]) -> Scored:
        """Return (scores, ids) of the k best rows, 1 to the number allowed, equal scores by ascending id.

        `query` is float32 (1, D). Raises DamagedRows.
        """
        self.base.rows.check_size()
        parts = zip((self.base, self.tail), allowed, strict=True)
        found = [live.best(query, k, positions) for live, positions in parts if positions.count]
        scores, ids = np.concatenate([scores for scores, _ in found]), np.concatenate([ids for _, ids in found])
        order = np.lexsort((ids, -scores))[:k]
        return scores[order], ids[order]

    def count(self, query: NDArray[np.float32], least: np.float32, allowed: tuple[Allowed, Allowed]) -> int:
        """Return the number of allowed rows with a score of at least `least`. Raise DamagedRows."""
        self.base.rows.check_size()
        return self.base.count(query, least, allowed[0]) + self.tail.count(query, least, allowed[1])
