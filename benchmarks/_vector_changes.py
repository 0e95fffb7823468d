"""Cost of changes to a library for two vector stores: rows added and removed, a restart, and a rebuild."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np
from numpy.typing import NDArray

from benchmarks._vector_store import StoreProcess
from benchmarks._vector_tables import OURS, Figures
from benchmarks._vector_truth import best_scores
from benchmarks._vector_turns import ask_all, in_turns

K = 10
CHANGED = 1000  # rows added, or removed, at once
_ROUNDS = 3  # of adding; from 100,000 rows on, all changes together are too few to make a rebuild due
_GROWTH = 0.06  # enough to make a rebuild due: above the store's REBUILD_SHARE


def rows_needed(size: int) -> int:
    """Return the number of rows in the file: `size` at first, and those that the functions below add."""
    return size + _ROUNDS * CHANGED + 2 * _growth(size)


def _growth(size: int) -> int:
    return int(_GROWTH * size)


def measure_changes(stores: Mapping[str, StoreProcess], size: int) -> dict[str, Figures]:
    """Add CHANGED rows to stores of `size` rows, several times, then remove as many.

    Returns:
        For each store, in seconds: refresh and search to find added rows (median and maximum); opening and search in a
        new process after the first addition, with the number of rows it read from the library; refresh and search
        after removal.
    """
    nothing, gone = np.empty(0, dtype=np.int64), _gone(size)
    added: dict[str, list[float]] = {name: [] for name in stores}
    figures: dict[str, Figures] = {name: {} for name in stores}
    for number, name, store in in_turns(stores, _ROUNDS):
        count = size + (number + 1) * CHANGED
        found, wall, _ = store.ask("change", count, nothing, count)
        assert found, f"{name}: an added row was not found"
        added[name].append(wall)
        if number == 0:
            with store.restarted() as another:
                opening, _ = another.ask("open", count, nothing)
                found, wall, _ = another.ask("change", count, nothing, count)
                assert found, f"{name}: an added row was not found after a restart"
                figures[name] |= {"restart": opening + wall, "rows read": another.ask("rows_read")}
    for name, store in stores.items():
        found, wall, _ = store.ask("change", size + _ROUNDS * CHANGED, gone, int(gone[-1]))
        assert not found, f"{name}: a removed row was found"
        figures[name]["remove"] = wall
    return {
        name: {"add": float(np.median(added[name])), "add, most": max(added[name]), **figures[name]} for name in stores
    }


def measure_rebuild(
    stores: Mapping[str, StoreProcess], rows: NDArray[np.float16], size: int, queries: NDArray[np.float32]
) -> dict[str, Figures]:
    """Add _GROWTH of the rows and optimize, then add as many while another process rebuilds.

    Args:
        stores: The stores, as `measure_changes` left them.
        rows: float16 (rows_needed(size), D).
        size: Rows before all changes.
        queries: float32 (Q, D).

    Returns:
        For each store: seconds of the refresh that makes a rebuild due, and of `optimize`; recall and milliseconds of
        searches before and after that; and, for the store of this tree, of searches while another process rebuilds.
    """
    gone = _gone(size)
    count = size + _ROUNDS * CHANGED + _growth(size)
    live = np.ones(count, dtype=np.bool_)
    live[gone - 1] = False
    best = best_scores(rows[:count], queries, {None: (K, live)})[None]
    searches = {name: partial(store.ask, "search") for name, store in stores.items()}
    figures: dict[str, Figures] = {name: {} for name in stores}

    for name, store in stores.items():
        found, wall, _ = store.ask("change", count, gone, count)
        assert found, f"{name}: an added row was not found"
        figures[name]["refresh s"] = wall
    before = ask_all(searches, rows[:count], queries, best, live)
    for name, store in stores.items():
        figures[name]["optimize s"] = store.ask("optimize")[1]
    after = ask_all(searches, rows[:count], queries, best, live)
    for name, store in stores.items():
        for when, found in (("due", before[name]), ("done", after[name])):
            figures[name] |= {f"{when}: {column}": value for column, value in found.items() if "CPU" not in column}
        if name == OURS:  # the former store may be unable to
            seconds, walls, refreshed, taken = store.ask("rebuild_beside", count + _growth(size), queries, K)
            p50, p95, most = 1e3 * np.percentile(walls, [50, 95, 100])
            figures[name] |= {
                "beside s": seconds,
                "searches": len(walls),
                "meanwhile: p50 ms": p50,
                "p95 ms": p95,
                "most ms": most,
            }
            figures[name] |= {"taken over s": refreshed, "taken over": float(taken)}
    return figures


def _gone(size: int) -> NDArray[np.int64]:
    """Return ids that are removed, ascending."""
    return np.sort(np.random.default_rng(5).choice(size, min(CHANGED, size // 2), replace=False) + 1)
