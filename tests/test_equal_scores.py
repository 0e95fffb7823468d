"""Equal scores come by ascending id from every VectorIndex: copies of a file have equal rows and must not trade places.

A new implementation passes these tests by an entry in STORES; see also tests/test_vector_index.py.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fakes import ExactIndex
from numpy.typing import NDArray
from postgres import needs_postgres
from server_rows import mirrored_indexes
from test_vector_codes import clustered
from test_vector_index import ENCODER, Rows, as_if_large

from search.vectors.faiss_index import FaissIndex
from search.vectors.vector_index import Refreshable, VectorIndex

Open = Callable[[Any, Path], VectorIndex]

SMALL, LARGE = 600, 6000


def open_exact(library: Any, directory: Path) -> VectorIndex:
    return ExactIndex.of(library, ENCODER)


def open_faiss(library: Any, directory: Path) -> VectorIndex:
    return FaissIndex.open(library, ENCODER, directory)


STORES: dict[str, tuple[Open, int]] = {
    "the oracle": (open_exact, SMALL),
    "small: every row compared": (open_faiss, SMALL),
    "large: candidates by codes": (open_faiss, LARGE),
}


class Copies:
    """A library in which three shots have copies: half of all rows, 40 and 2, with ids scattered over the library.

    Some of the half and three of the 40 are added after the index is opened, with ids between the others: an index
    that appends rows has them behind rows with higher ids.

    Attributes:
        by_graph: Whether a graph finds the hits, which may miss some where half of all rows are equal: most of a row's
            links then lead to its copies.
    """

    def __init__(self, open_store: Open, count: int, directory: Path, *, by_graph: bool = False) -> None:
        self.by_graph = by_graph
        rows = clustered(count, 1)
        self.rows = rows[:3].copy()  # what the groups are copies of
        order = np.random.default_rng(5).permutation(np.arange(3, count))
        groups = np.split(order[: count // 2 + 42], [count // 2, count // 2 + 40])
        late = [*groups[0][: count // 32], *groups[1][:3]]
        for row, group in zip(self.rows, groups, strict=True):
            rows[group] = row
        early = np.setdiff1d(np.arange(count), late)
        library = Rows()
        library.add(early + 10, rows[early])
        self.index = open_store(library, directory)
        for at in late:
            library.add([int(at) + 10], rows[[at]])
        if isinstance(self.index, Refreshable):
            assert self.index.refresh()
        else:
            self.index = open_store(library, directory)
        self.groups = [np.sort([*group, number]) + 10 for number, group in enumerate(groups)]
        self.ids = np.arange(10, 10 + count)

    def check(self, query: NDArray[np.float32], k: int, allowed: NDArray[np.int64] | None = None) -> list[int]:
        """Search. Assert that hits have the lowest allowed ids of each group; return the number of hits of each.

        Of what a graph has found, only the order is asserted.
        """
        ids, scores = self.index.search(query[None, :], k, allowed)
        assert (np.diff(scores[0]) <= 0).all()
        found = []
        for group in self.groups:
            may_be_found = group if allowed is None else group[np.isin(group, allowed)]
            at = np.flatnonzero(np.isin(ids[0], group))
            lowest = np.sort(ids[0][at]) if self.by_graph else may_be_found[: at.size]
            np.testing.assert_array_equal(ids[0][at], lowest)
            assert len(set(scores[0][at].tolist())) <= 1, "equal rows have equal scores, bit for bit"
            found.append(int(at.size))
        return found

    def check_found(self, found: int, wanted: int) -> None:
        """Assert that a search has found as many of a group as it can have; a graph may find fewer, never more."""
        assert found == wanted or (self.by_graph and found < wanted)


@pytest.fixture(params=[*STORES, *(pytest.param(count, marks=needs_postgres) for count in (SMALL, LARGE))])
def copies(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Copies:
    """A number: so many rows on a server, which has a graph if they are many."""
    as_if_large(monkeypatch)
    if isinstance(request.param, int):
        open_mirrored = mirrored_indexes(request.getfixturevalue("postgres"), tmp_path, ENCODER)

        def open_on_server(library: Any, directory: Path) -> VectorIndex:
            index = open_mirrored(library)
            assert index.optimize() == (request.param == LARGE)
            return index

        return Copies(open_on_server, request.param, tmp_path, by_graph=request.param == LARGE)
    open_store, count = STORES[request.param]
    return Copies(open_store, count, tmp_path / "vectors")


@pytest.mark.parametrize("k", [1, 2, 20, 41, 200])
def test_copies_that_are_the_best_come_by_ascending_id(copies: Copies, k: int) -> None:
    for row, group, number in zip(copies.rows, copies.groups, range(3), strict=True):
        copies.check_found(copies.check(row, k)[number], min(k, group.size))


@pytest.mark.parametrize("k", [1, 5, 40, 300, 599])
def test_copies_further_down_come_by_ascending_id_wherever_the_hits_end(copies: Copies, k: int) -> None:
    # (No query lies midway between two groups: rounding would decide which is nearer, and codes might miss either.)
    for query in (*clustered(4, 9), *(copies.rows + 0.1 * clustered(3, 3))):
        copies.check(query, k)


@pytest.mark.parametrize("share", [0.02, 0.3, 0.9])
def test_copies_that_a_filter_allows_come_by_ascending_id(copies: Copies, share: float) -> None:
    most = int(share * copies.ids.size)
    scattered = np.random.default_rng(2).choice(copies.ids, most, replace=False)
    for allowed in (np.sort(scattered), scattered, copies.ids[-most:]):
        for row, group, number in zip(copies.rows, copies.groups, range(3), strict=True):
            copies.check_found(copies.check(row, 20, allowed)[number], min(20, np.isin(group, allowed).sum()))


def test_more_hits_begin_with_the_hits_of_a_smaller_search(copies: Copies) -> None:
    row = copies.rows[0]
    most = copies.index.search(row[None, :], 100)[0][0]
    for k in (1, 10, 99):
        np.testing.assert_array_equal(copies.index.search(row[None, :], k)[0][0], most[:k])


def test_a_count_takes_all_copies_or_none(copies: Copies) -> None:
    for row, group in zip(copies.rows, copies.groups, strict=True):
        score = copies.index.search(row[None, :], 1)[1][0, 0]
        assert copies.index.count(row, float(score)) == group.size
        assert copies.index.count(row, float(np.nextafter(score, np.float32(2)))) == 0
