"""Queries that several indexes answer in turns, so that other load on the machine affects all of them alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from benchmarks._vector_rivals import Search
from benchmarks._vector_tables import Figures
from benchmarks._vector_truth import recall

_WARMING = 3  # queries before those that are measured

Index = TypeVar("Index")


def in_turns(indexes: Mapping[str, Index], times: int) -> Iterator[tuple[int, str, Index]]:
    """Yield 0 ... times - 1 with each index; each of the indexes is first equally often."""
    names = list(indexes)
    for number in range(times):
        for at in range(len(names)):
            name = names[(at + number) % len(names)]
            yield number, name, indexes[name]


def ask_all(
    searches: Mapping[str, Search],
    rows: NDArray[np.float16],
    queries: NDArray[np.float32],
    best: NDArray[np.float32],
    mask: NDArray[np.bool_] | None = None,
) -> dict[str, Figures]:
    """Ask each query of each index and compare the answers with the truth.

    Args:
        searches: The indexes by name; may be empty.
        rows: float16 (n, D), the rows of the ids 1, 2 ... n.
        queries: float32 (Q, D).
        best: float32 (Q, k), scores of the k best rows, which are asked for.
        mask: bool (n,), the rows that may be found, if there is a filter.

    Returns:
        For each index: recall; median and 95th percentile of milliseconds, wall and CPU.
    """
    costs: dict[str, list[tuple[float, float]]] = {name: [] for name in searches}
    recalls: dict[str, list[float]] = {name: [] for name in searches}
    for _, _, search in in_turns(searches, _WARMING):
        search(queries[-1:], best.shape[1])
    for number, name, search in in_turns(searches, len(queries)):
        ids, *cost = search(queries[number : number + 1], best.shape[1])
        costs[name].append((cost[0], cost[1]))
        recalls[name].append(recall(rows, queries[number], ids, best[number], mask))
    return {name: {"recall": float(np.mean(recalls[name])), **milliseconds(costs[name])} for name in searches}


def milliseconds(costs: list[tuple[float, float]]) -> Figures:
    """Return figures of costs, which are wall and CPU seconds."""
    walls, cpus = 1e3 * np.array(costs).T
    return {
        "p50 ms": float(np.median(walls)),
        "p95 ms": float(np.percentile(walls, 95)),
        "CPU ms": float(np.median(cpus)),
        "CPU p95 ms": float(np.percentile(cpus, 95)),
    }
