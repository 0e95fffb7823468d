"""The two vector indexes of a library on a server, side by side: this machine's copy (FAISS), and the server's own.

    python -m benchmarks.server_vectors [--shots 100000] [--searches 100] [--folder DIR]

It starts a PostgreSQL of its own, fills it with synthetic shots, and asks it through the indexes that `search` uses:
the copy, the server without its graph (every row is compared) and the server with it. For questions like sentences and
like shots, and for filters, it prints p50 and p95 in ms, recall@10, and what each index takes. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

import search.vectors.server_index
from benchmarks._clustered_rows import unit
from benchmarks._scale_fill import ENCODER, fill, rows_for
from benchmarks._scale_server import SETTINGS, Server, running
from benchmarks._vector_truth import best_scores, recall
from benchmarks.search_latency import DIM
from benchmarks.server_scale import whole_videos
from db.library import Library
from db.server.graphs import graph_name
from search.vectors.faiss_index import FaissIndex
from search.vectors.server_index import ServerIndex
from search.vectors.vector_index import VectorIndex

K = 10
SCHEMA = "vectors"
GRAPH = graph_name(1)
FILTERS: dict[str, tuple[float, bool]] = {
    "no filter": (1.0, False),
    "half, scattered": (0.5, True),
    "5 %, a folder": (0.05, False),
    "0.5 %, a folder": (0.005, False),
}
"""Share of the rows that are allowed, and whether they are anywhere in the library."""

Masks = dict[str, NDArray[np.bool_] | None]


def measure(
    index: VectorIndex, rows: NDArray[np.float16], questions: NDArray[np.float32], masks: Masks
) -> dict[str, dict[str, float]]:
    """Return p50 and p95 in ms, and recall at K, for each filter."""
    best = best_scores(rows, questions, {name: (K, mask) for name, mask in masks.items()})
    found = {}
    for name, mask in masks.items():
        allowed = None if mask is None else np.flatnonzero(mask) + 1
        spent, right = [], []
        for at, question in enumerate(questions):
            start = perf_counter()
            ids = index.search(question[None], K, allowed)[0][0]
            spent.append(1000 * (perf_counter() - start))
            right.append(recall(rows, question, ids, best[name][at], mask))
        p50, p95 = np.quantile(spent[len(spent) // 10 :], (0.5, 0.95)).tolist()  # the first ones warm up
        found[name] = {"p50_ms": p50, "p95_ms": p95, "recall": float(np.mean(right))}
    return found


def measure_all(server: Server, library: Library, rows: NDArray[np.float16], asked: dict[str, Any]) -> dict[str, Any]:
    """Return what each index takes, and how each kind of questions is answered."""
    assert library.server_rows is not None
    chance = np.random.default_rng(3)
    masks: Masks = {}
    for name, (share, scattered) in FILTERS.items():
        count = round(share * len(rows))
        places = chance.choice(len(rows), count, replace=False) if scattered else np.arange(count) + len(rows) // 3
        mask = np.zeros(len(rows), bool)
        mask[places % len(rows)] = True
        masks[name] = None if share == 1 else mask
    found: dict[str, Any] = {"shots": len(rows), "ways": {}}

    def add(way: str, make: Callable[[], VectorIndex]) -> None:
        began = perf_counter()
        index = make()
        found["ways"][way] = {"seconds": perf_counter() - began}
        for kind, questions in asked.items():
            found["ways"][way][kind] = measure(index, rows, questions, masks)

    def without_graph() -> VectorIndex:
        server.query(f"DROP INDEX IF EXISTS {SCHEMA}.{GRAPH}")  # of an earlier run
        return ServerIndex(library, library.server_rows, ENCODER)  # type: ignore[arg-type]

    def with_graph() -> VectorIndex:
        index = ServerIndex(library, library.server_rows, ENCODER)  # type: ignore[arg-type]
        index.optimize()
        return index

    add("FAISS copy", lambda: FaissIndex.open(library, ENCODER, library.directory / "vectors"))
    add("server, every row", without_graph)
    add("server, graph", with_graph)
    ((size,),) = server.query(
        "SELECT coalesce(sum(pg_relation_size(indexrelid)), 0)::bigint FROM pg_index"
        f" WHERE indexrelid = to_regclass('{SCHEMA}.{GRAPH}')"
    )
    found["graph_bytes"] = size
    found["copy_bytes"] = sum(path.stat().st_size for path in (library.directory / "vectors").iterdir())
    return found


def show(found: dict[str, Any]) -> None:
    print(f"\n{found['shots']:,} shots, {DIM} columns; milliseconds p50 / p95, recall@{K}")
    print(f"{'':42}" + "".join(f"{name:>26}" for name in FILTERS))
    for way, parts in found["ways"].items():
        for kind, filters in parts.items():
            if kind != "seconds":
                cells = (
                    f"{each['p50_ms']:.1f} / {each['p95_ms']:.1f}  {each['recall']:.3f}" for each in filters.values()
                )
                print(f"{way + ', ' + kind:42}" + "".join(f"{cell:>26}" for cell in cells))
    copy, graph = (found["ways"][way]["seconds"] for way in ("FAISS copy", "server, graph"))
    print(f"The copy is read in {copy:.0f} s and takes {found['copy_bytes'] / 1e6:,.0f} MB of this machine's disk;")
    print(f"the graph is made in {graph:.0f} s and takes {found['graph_bytes'] / 1e6:,.0f} MB of the server's.")


def main(arguments: list[str] | None = None) -> dict[str, Any]:
    """Measure, print, and return what the last line has."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shots", type=whole_videos, default=100_000)
    parser.add_argument("--searches", type=int, default=100, help="Of each kind, index and filter.")
    parser.add_argument("--folder", type=Path, help="Keep the server's data and the copy here for the next run.")
    options = parser.parse_args(arguments)
    search.vectors.server_index.GRAPH_ROWS = 1
    with tempfile.TemporaryDirectory() as temporary:
        folder = (options.folder or Path(temporary)).absolute()
        rows, sentences = rows_for(folder, options.shots, DIM, options.searches)
        chance = np.random.default_rng(5)
        near = rows[np.sort(chance.integers(0, len(rows), options.searches))].astype(np.float32)
        like_shots = unit(near + unit(chance.standard_normal(near.shape, dtype=np.float32)))
        with running(folder / "server", SETTINGS) as server, Library.open(server.library(SCHEMA, folder)) as library:
            fill(library, rows, len(rows), folder / "footage", touch=False)
            server.query(f"VACUUM ANALYZE {SCHEMA}.embeddings")
            found = measure_all(server, library, rows, {"like sentences": sentences, "like shots": like_shots})
    show(found)
    found = {"benchmark": "server_vectors"} | found
    print(json.dumps(found))
    return found


if __name__ == "__main__":
    main()
