"""Vector search at 10,000, 100,000 and (`--sizes`) a million rows: this tree's store, a former one, FAISS and usearch.

    python -m benchmarks.vectors --former CHECKOUT --sizes 10000 100000 1000000 --graphs-up-to 1000000

For each size it prints tables: the indexes side by side (build, memory, disk, recall, milliseconds per query), the
floors (bytes that must be read over the memory bandwidth measured here), then both stores by kind of query and number
of hits, under filters, counting above a threshold, and through additions, removals, restarts and a rebuild, each with
the ratio of ours to the former. The last line is JSON.

Each store runs in a process of its own, on one thread, and measures its own wall and CPU time; all indexes answer each
query in turns. Rows are clustered (benchmarks._clustered_rows), and the truth is exact (benchmarks._vector_truth).
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import platform
import subprocess
import tempfile
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks._clustered_rows import clustered_rows, like_sentences
from benchmarks._vector_changes import measure_changes, measure_rebuild, rows_needed
from benchmarks._vector_rivals import Search, rivals
from benchmarks._vector_store import StoreProcess
from benchmarks._vector_tables import FORMER, OURS, Figures, show
from benchmarks._vector_truth import Counting, best_scores, countings
from benchmarks._vector_turns import ask_all, in_turns, milliseconds
from benchmarks._vector_worker import allowed_mask, resident

ROOT = Path(__file__).resolve().parent.parent
K = 10
HITS = (10, 100, 300, 1000)
SHARES = (0.001, 0.01, 0.1, 0.5, 1.0)  # of the rows, allowed by a filter
COUNTED = (0.0001, 0.01, 0.2, 0.6)  # of the rows, above a threshold
FEW = 50  # queries where all of them would take long
COUNT_QUERIES = 20


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000], metavar="ROWS")
    options.add_argument("--former", type=Path, metavar="CHECKOUT", help="a tree of another commit, to compare with")
    options.add_argument("--dim", type=int, default=768)
    options.add_argument("--queries", type=int, default=200)
    options.add_argument("--graphs-up-to", type=int, default=100_000, metavar="ROWS", help="build HNSW and usearch")
    options.add_argument("--flat-up-to", type=int, default=1_000_000, metavar="ROWS", help="build FAISS flat (float32)")
    options.add_argument("--directory", type=Path, help="for the files; a temporary one by default")
    given = options.parse_args()
    trees = {OURS: ROOT} | ({FORMER: given.former} if given.former else {})
    commits = {name: commit_of(tree) for name, tree in trees.items()}
    bandwidth = memory_bandwidth()
    print(", ".join(f"{name}: {commit}" for name, commit in commits.items()))
    print(f"{platform.machine()}, one thread reads memory at {bandwidth:.1f} GB/s\n", flush=True)
    results = []
    for size in given.sizes:
        began = time.perf_counter()
        with tempfile.TemporaryDirectory(dir=given.directory) as folder:
            result = measured(Path(folder), size, trees, given, bandwidth)
        results.append({"rows": size, "seconds": time.perf_counter() - began, **result})
        print(f"{size:,} rows took {time.perf_counter() - began:.0f} s\n", flush=True)
    print(json.dumps({"bandwidth_gb_s": bandwidth, "dim": given.dim, "commits": commits, "sizes": results}))


def measured(
    folder: Path, size: int, trees: Mapping[str, Path], given: argparse.Namespace, bandwidth: float
) -> dict[str, Any]:
    """Measure one size; print its tables and return their figures."""
    path = folder / "rows.npy"
    queries = clustered_rows(path, rows_needed(size), given.dim, given.queries)
    every_row: NDArray[np.float16] = np.load(path, mmap_mode="r")
    rows = every_row[:size]
    masks = {share: allowed_mask(size, share, 0) for share in SHARES}
    best = best_scores(rows, queries, {share: (K, mask) for share, mask in masks.items()})
    best_of_all = best_scores(rows, queries, {None: (min(size, max(HITS)), None)})[None]
    sentences = like_sentences(queries)
    best_of_sentences = best_scores(rows, sentences, {None: (K, None)})[None]
    thresholds = countings(rows, queries[:COUNT_QUERIES], COUNTED)

    stores = {name: StoreProcess(tree, path, folder / name.replace(" ", "-")) for name, tree in trees.items()}
    built = {name: build(store, size, queries[:1]) for name, store in stores.items()}
    for name, store in stores.items():
        built[name] |= opened_again(store, size, queries[:FEW])
    searches: dict[str, Search] = {name: partial(store.ask, "search") for name, store in stores.items()}
    table = side_by_side(searches, rows, queries, best_of_all[:, :K], given)
    for name, figures in built.items():
        table[name] |= figures
    show(f"{size:,} rows of {given.dim} columns: recall at {K}, milliseconds a query, MB, seconds", {"": table})
    floors = {
        "flat float32": size * given.dim * 4 / bandwidth / 1e6,
        "every stored row (float16)": size * given.dim * 2 / bandwidth / 1e6,
    }
    print("floors, ms: " + ", ".join(f"{name} {value:.2f}" for name, value in floors.items()) + "\n", flush=True)

    kinds = {"shots": ask_all(searches, rows, queries, best_of_all[:, :K])}
    kinds["sentences"] = ask_all(searches, rows, sentences, best_of_sentences)
    near, far = np.median(best_of_all[:, 0]), np.median(best_of_sentences[:, 0])
    show(f"queries like shots (best score {near:.2f}), and like sentences ({far:.2f})", kinds)
    hits = {f"{k:,} hits": ask_all(searches, rows, queries[:FEW], best_of_all[:FEW, :k]) for k in HITS if k <= size}
    show("by number of hits", hits)
    filtered = {
        f"{share:.1%}": under_filter(stores, rows, queries, best[share], masks[share], share) for share in SHARES
    }
    show("under random filters: the same one each time, and a new one each time", filtered)
    counted = {f"{share:.2%}": counts(stores, thresholds[share]) for share in COUNTED}
    show("counting the rows above a threshold; the share of counts that are right", counted)
    changes = measure_changes(stores, size)
    show("seconds to add and to remove 1,000 rows, each up to a search; after a restart", {"": changes})
    rebuilds = measure_rebuild(stores, every_row, size, queries)
    show("a rebuild, after 6 % were added", {"": rebuilds})
    for store in stores.values():
        store.close()
    return {
        "indexes": table, "floors_ms": floors, "kinds": kinds, "hits": hits, "filtered": filtered, "counted": counted,
        "changes": changes, "rebuild": rebuilds,
    }  # fmt: skip


def build(store: StoreProcess, size: int, query: NDArray[np.float32]) -> Figures:
    """Make an index and optimize it, up to the first search. query: float32 (1, D)."""
    os.sync()  # what the store before this one wrote must not slow it down
    opening = store.ask("open", size, np.empty(0, dtype=np.int64))
    _, *optimizing = store.ask("optimize")
    _, *searching = store.ask("search", query, K)
    wall, cpu = np.sum([opening, optimizing, searching], axis=0)
    disk = sum(path.stat().st_size for path in store.directory.iterdir()) / 1e6
    return {"build s": wall, "CPU s": cpu, "disk MB": disk}


def opened_again(store: StoreProcess, size: int, queries: NDArray[np.float32]) -> Figures:
    """Open the index in a process of its own and search: the time and memory it takes. queries: float32 (Q, D)."""
    with store.restarted() as another:
        before = another.ask("resident")
        opening, _ = another.ask("open", size, np.empty(0, dtype=np.int64))
        walls = [another.ask("search", query[None], K)[1] for query in queries]
        after = another.ask("resident")
    figures = {"open s": opening, "first search ms": 1e3 * walls[0]}
    if before is None:
        return figures
    return figures | {"own MB": after[0] - before[0], "mapped MB": after[1] - before[1]}


def side_by_side(
    searches: Mapping[str, Search],
    rows: NDArray[np.float16],
    queries: NDArray[np.float32],
    best: NDArray[np.float32],
    given: argparse.Namespace,
) -> dict[str, Figures]:
    """Build the other indexes and search in all of them; the memory of the others is released at the end."""
    graphs: dict[str, Search] = {}
    flat: dict[str, Search] = {}
    built: dict[str, Figures] = {}
    for name, make in rivals(graphs=len(rows) <= given.graphs_up_to, flat=len(rows) <= given.flat_up_to).items():
        before, began = resident(), time.perf_counter()
        search = make(rows)
        built[name] = {"build s": time.perf_counter() - began}
        after = resident()
        if before and after:
            built[name]["own MB"] = after[0] - before[0]
        (flat if name == "FAISS flat" else graphs)[name] = search
    # flat on its own: it reads so much that the next index would always begin with empty caches
    found = ask_all({**searches, **graphs}, rows, queries, best) | ask_all(flat, rows, queries, best)
    return {name: figures | built.get(name, {}) for name, figures in found.items()}


def under_filter(
    stores: Mapping[str, StoreProcess],
    rows: NDArray[np.float16],
    queries: NDArray[np.float32],
    best: NDArray[np.float32],
    mask: NDArray[np.bool_],
    share: float,
) -> dict[str, Figures]:
    """Search under one filter with all queries, and under a new filter with each of a few.

    Args:
        stores: Stores that hold `rows`.
        rows: float16 (n, D).
        queries: float32 (Q, D).
        best: float32 (Q, K), best scores under the first filter.
        mask: bool (n,), the first filter.
        share: Of the rows that each filter allows.
    """

    def search(store: StoreProcess, seeds: Any, query: NDArray[np.float32], k: int) -> Any:
        return store.ask("search", query, k, (len(rows), share, next(seeds)))

    same = {name: partial(search, store, itertools.repeat(0)) for name, store in stores.items()}
    figures = ask_all(same, rows, queries, best, mask)
    costs: dict[str, list[tuple[float, float]]] = {name: [] for name in stores}
    for number, name, store in in_turns(stores, min(FEW, len(queries))):
        costs[name].append(search(store, iter([number + 1]), queries[number : number + 1], K)[1:])
    for name in stores:
        figures[name] |= {f"new: {column}": value for column, value in milliseconds(costs[name]).items()}
    return figures


def counts(stores: Mapping[str, StoreProcess], countings: list[Counting]) -> dict[str, Figures]:
    """Count the rows above the threshold of each query."""
    costs: dict[str, list[tuple[float, float]]] = {name: [] for name in stores}
    right: dict[str, list[bool]] = {name: [] for name in stores}
    for number, name, store in in_turns(stores, len(countings)):
        each = countings[number]
        counted, *cost = store.ask("count", each.query, each.threshold)
        costs[name].append((cost[0], cost[1]))
        right[name].append(each.least <= counted <= each.most)
    return {name: {"right": float(np.mean(right[name])), **milliseconds(costs[name])} for name in stores}


def memory_bandwidth() -> float:
    """Return the GB/s at which one thread sums a block far larger than the caches; the best of five."""
    block = np.ones(1 << 26, dtype=np.uint64)
    seconds = []
    for _ in range(5):
        began = time.perf_counter()
        block.sum()
        seconds.append(time.perf_counter() - began)
    return block.nbytes / min(seconds) / 1e9


def commit_of(tree: Path) -> str:
    """Return the tree's commit, with a plus if files differ from it; "unknown" if it is no clone."""
    asked = subprocess.run(
        ["git", "describe", "--always", "--dirty=+", "--exclude=*"], cwd=tree, capture_output=True, text=True
    )
    return asked.stdout.strip() or "unknown"


if __name__ == "__main__":
    main()
