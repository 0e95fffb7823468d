"""Rows of a vector index at one moment, and exact checks of its answers: every score is computed anew from the rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int64]
Found = tuple[NDArray[np.int64], NDArray[np.float32]]

ROUNDING = 2e-6
"""Two float32 inner products of the same unit rows, added up in another order, differ by less."""


@dataclass(frozen=True, eq=False, repr=False)
class State:
    """Rows by ascending id. Immutable: changes return another state, so any number of them can be kept.

    Attributes:
        ids: int64 (n,), ascending.
        rows: float32 (n, D), float16 values.
        kinds: uint64 (n,), the same number for rows that are equal bit for bit.
    """

    ids: Ids
    rows: NDArray[np.float32]
    kinds: NDArray[np.uint64]

    @classmethod
    def of(cls, ids: Any, rows: NDArray[np.float32]) -> State:
        """Rows in any order, each id once."""
        ids = np.asarray(ids, dtype=np.int64)
        order = np.argsort(ids)
        words = np.ascontiguousarray(rows, dtype=np.float16).view(np.uint16).astype(np.uint64)
        factors = np.random.default_rng(1).integers(0, 2**64, words.shape[1], dtype=np.uint64)
        return cls(ids[order], np.asarray(rows[order], dtype=np.float32), (words @ factors)[order])

    @classmethod
    def empty(cls) -> State:
        return cls(np.empty(0, np.int64), np.empty((0, 0), np.float32), np.empty(0, np.uint64))

    def __len__(self) -> int:
        return len(self.ids)

    def where(self, kept: NDArray[np.bool_]) -> State:
        return State(self.ids[kept], self.rows[kept], self.kinds[kept])

    def without(self, ids: Ids) -> State:
        return self.where(~np.isin(self.ids, ids))

    def with_rows(self, more: State) -> State:
        """These rows and more, which replace those with the same ids."""
        kept = self.without(more.ids)
        if not len(kept):
            return more
        at = np.searchsorted(kept.ids, more.ids)
        return State(
            np.insert(kept.ids, at, more.ids),
            np.insert(kept.rows, at, more.rows, axis=0),
            np.insert(kept.kinds, at, more.kinds),
        )

    def finite(self) -> State:
        """The rows that can be found."""
        good = np.isfinite(self.rows).all(axis=1)
        return self if good.all() else self.where(good)

    def allowed(self, ids: Ids | None) -> NDArray[np.int64]:
        """Positions of these ids, ascending; of all rows for None."""
        return np.arange(len(self)) if ids is None else np.flatnonzero(np.isin(self.ids, ids))


@dataclass
class Nearest:
    """What searches found that need not compare every row.

    Attributes:
        queries: Their number.
        found: The rows found of those wanted.
        wanted: The ten nearest rows of every query that asked for ten or more.
        passed_over: Queries that found a row, but not its copy with a lower id.
    """

    queries: int = 0
    found: int = 0
    wanted: int = 0
    passed_over: int = 0

    @property
    def recall(self) -> float:
        return self.found / self.wanted if self.wanted else 1.0

    def add(self, more: Nearest) -> None:
        self.queries += more.queries
        self.found += more.found
        self.wanted += more.wanted
        self.passed_over += more.passed_over


def check_found(
    state: State, found: Found, queries: NDArray[np.float32], k: int, allowed: Ids | None, *, exact: bool
) -> Nearest:
    """Check the answer to a search.

    Args:
        state: The rows that were searched.
        found: The answer: ids and scores.
        queries: The query rows, float32 (Q, D).
        k: The number of hits asked for.
        allowed: The ids allowed.
        exact: Whether every allowed row was compared, so that no hit may be missed.

    Returns:
        What the queries found, where not every row was compared.
    """
    ids, scores = found
    at = state.allowed(allowed)
    count = min(k, at.size)
    assert ids.dtype == np.int64, f"ids are {ids.dtype}"
    assert scores.dtype == np.float32, f"scores are {scores.dtype}"
    assert ids.shape == scores.shape == (len(queries), count), f"hits: {ids.shape}, wanted: {(len(queries), count)}"
    nearest = Nearest(queries=0 if exact else len(queries))
    if not count:
        return nearest
    ids_there, kinds = state.ids[at], state.kinds[at]
    true = queries @ state.rows[at].T
    for query, hits, given, every in zip(queries, ids, scores, true, strict=True):
        place = np.minimum(np.searchsorted(ids_there, hits), at.size - 1)
        strangers = hits[ids_there[place] != hits]
        assert not strangers.size, f"hits that are gone or not allowed: {strangers[:5].tolist()}"
        assert np.unique(hits).size == count, f"repeated hits: {hits.tolist()}"
        wrong = np.abs(given - every[place])
        assert wrong.max() <= ROUNDING, (
            f"segment {hits[wrong.argmax()]}: score {given[wrong.argmax()]}, off by {wrong.max()}"
        )
        assert (given[1:] <= given[:-1]).all(), f"not best first: {given.tolist()}"
        assert (hits[1:] > hits[:-1])[given[1:] == given[:-1]].all(), (
            f"equal scores not by ascending id: {hits.tolist()}"
        )
        passed = _copies_passed_over(ids_there, kinds, place, given)
        assert not exact or not passed, f"{passed[0]} is no hit, but its copy {passed[1]} is"
        nearest.passed_over += bool(passed) and not exact
        if exact:
            best = -np.sort(-every)[:count]
            lost = np.flatnonzero(np.abs(best - every[place]) > 2 * ROUNDING)
            wanted = ids_there[np.argsort(-every, kind="stable")[:count]]
            assert not lost.size, (
                f"hit {lost[0]} is {hits[lost[0]]}, not {wanted[lost[0]]}: {len(lost)} of {count} differ"
            )
            assert query.any() or (place == np.arange(count)).all(), (
                "all scores are 0, but others than the lowest ids came"
            )
        if not exact and count >= 10:
            least = -np.partition(-every, 9)[9]
            nearest.found += int((every[place[:10]] >= least - 2 * ROUNDING).sum())
            nearest.wanted += 10
    return nearest


def _copies_passed_over(
    ids: Ids, kinds: NDArray[np.uint64], place: NDArray[np.int64], scores: NDArray[np.float32]
) -> list[int]:
    """Return [a segment that is no hit, its copy with a higher id that is one], or nothing. place: of the hits.

    Equal rows must have equal scores, bit for bit.
    """
    order = np.argsort(kinds[place], kind="stable")
    own, bits = kinds[place][order], scores[order].view(np.uint32)
    unlike = np.flatnonzero((own[1:] == own[:-1]) & (bits[1:] != bits[:-1]))
    assert not unlike.size, f"equal rows with unequal scores: segments {ids[place[order[unlike[:1]]]].tolist()} ..."
    group = np.flatnonzero(np.isin(kinds, own))  # the hits and all their copies, by ascending id
    if group.size == place.size:
        return []
    group = group[np.argsort(kinds[group], kind="stable")]
    hit, same = np.isin(group, place), kinds[group][1:] == kinds[group][:-1]
    passed = np.flatnonzero(same & hit[1:] & ~hit[:-1])
    return ids[group[passed[0] : passed[0] + 2]].tolist() if passed.size else []


def check_rows(state: State, rows: NDArray[np.float32] | None, ids: Ids) -> None:
    """Check what `rows_of` returned, bit for bit; None: it raised KeyError."""
    at = np.minimum(np.searchsorted(state.ids, ids), max(0, len(state) - 1))
    there = bool((state.ids[at] == ids).all()) if len(state) else False
    if rows is None:
        assert not there, f"KeyError, but all of {ids[:5].tolist()} ... have rows"
        return
    assert there, f"rows of segments that are gone: {ids[:5].tolist()} ..."
    assert rows.dtype == np.float32, f"rows are {rows.dtype}"
    assert np.array_equal(rows.view(np.uint32), state.rows[at].view(np.uint32)), "rows are not as they were stored"
