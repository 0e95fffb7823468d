"""Search in a library on a server: by a node's FAISS copy, and by the server; its time, and what it finds.

Filters are evaluated by the node, as `search` does it, and by the server for plain queries of its graph.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks._scale_fill import ENCODER, fill
from benchmarks._scale_server import Server
from benchmarks._vector_truth import best_scores, recall
from db.library import Library
from db.records import Filters
from db.server.graphs import graph_name
from search.vectors.faiss_index import FaissIndex
from search.vectors.server_index import ServerIndex

K = 10
ADDED = 2000  # shots, once the server has its index
EXPANSIONS = (40, 200, 1000)  # hnsw.ef_search
GRAPH = graph_name(1)  # of the only encoder
_SAMPLE_SECONDS = 0.5

Search = Callable[[NDArray[np.float32], str | None], NDArray[np.int64]]
"""Returns the ids of the K best segments for float32 (D,), and below a folder if one is given."""


def build_graph(server: Server, library: Library, schema: str) -> dict[str, float]:
    """Let the server make the graph of a library's vectors, unless it is there. Return seconds, bytes and memory."""
    assert library.server_rows is not None
    before = server.memory_bytes()
    peak = [before]
    with _every(_SAMPLE_SECONDS, lambda: peak.append(max(peak.pop(), server.memory_bytes()))):
        began, cpu = perf_counter(), server.cpu_seconds()
        is_new = library.server_rows.graphs.make(ENCODER, lambda share: None)
        seconds, cpu = perf_counter() - began, server.cpu_seconds() - cpu
    ((size,),) = server.query("SELECT pg_relation_size(%s::regclass)", (f"{schema}.{GRAPH}",))
    made = {"seconds": seconds, "cpu_seconds": cpu, "memory_bytes": float(peak[0] - before)} if is_new else {}
    return {"bytes": float(size), **made}


def add_with_index(library: Library, rows: NDArray[np.float16], footage: Path) -> dict[str, float]:
    """Add as many shots as there are rows for, but at most ADDED: each row finds its place in the server's index."""
    held = library.segment_count()
    return fill(library, rows, min(len(rows), held + ADDED), footage, touch=True)


@contextmanager
def _every(seconds: float, act: Callable[[], object]) -> Iterator[None]:
    """Call a function again and again meanwhile."""
    done = threading.Event()

    def go_on() -> None:
        while not done.wait(seconds):
            act()

    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def by_index(library: Library, index: FaissIndex | ServerIndex) -> Search:
    """Return the search of a node: bring the index up to date, evaluate the filter, find what is nearest."""

    def search(row: NDArray[np.float32], folder: str | None) -> NDArray[np.int64]:
        index.refresh()
        allowed = None if folder is None else library.segment_ids(Filters(folder=folder), ENCODER)
        return index.search(row[None], K, allowed)[0][0]

    return search


def by_pgvector(connection: Any, schema: str, dim: int) -> Search:
    """Return the search by the server's index, on a connection of psycopg."""
    nearest = f"ORDER BY e.row::halfvec({dim}) <#> %s::halfvec({dim}) LIMIT {K}"
    plain = f"SELECT e.segment_id FROM {schema}.embeddings AS e WHERE e.encoder = 1 {nearest}"
    below = (
        f"SELECT e.segment_id FROM {schema}.embeddings AS e JOIN {schema}.segments AS s ON s.id = e.segment_id"
        f" JOIN {schema}.videos AS v ON v.id = s.video_id"
        f" WHERE e.encoder = 1 AND v.path > %s AND v.path < %s {nearest}"
    )

    def search(row: NDArray[np.float32], folder: str | None) -> NDArray[np.int64]:
        asked = "[" + ",".join(f"{value:.6g}" for value in row) + "]"
        if folder is None:
            found = connection.execute(plain, (asked,)).fetchall()
        else:
            found = connection.execute(below, (f"{folder}/".encode(), f"{folder}0".encode(), asked)).fetchall()
        return np.array([segment for (segment,) in found], np.int64)

    return search


def measure(
    server: Server,
    library: Library,
    schema: str,
    rows: NDArray[np.float16],
    questions: NDArray[np.float32],
    footage: Path,
) -> dict[str, Any]:
    """Return p50 and p95 in ms, CPU of client and server, and recall at K, of each way to search.

    Questions like sentences, and examples (rows of shots) are asked; of all, and below a folder.
    """
    began = perf_counter()
    index = FaissIndex.open(library, ENCODER, library.directory / "vectors")
    index.optimize()
    made, count = perf_counter() - began, len(index)
    picked = np.random.default_rng(5).integers(0, count, len(questions))
    asked = {"sentence": questions, "example": rows[np.sort(picked)].astype(np.float32)}
    folder = str(footage / "reel 00000")
    mask = _mask(library, folder, count)
    places = {"all": (None, None), f"folder of {mask.mean():.1%}": (folder, mask)}
    wanted = {name: (K, each) for name, (_, each) in places.items()}
    best = {kind: best_scores(rows[:count], each, wanted) for kind, each in asked.items()}
    found: dict[str, Any] = {}
    with server.connection() as connection:
        for way, search in _ways(server, library, connection, schema, index, rows.shape[1]).items():
            for kind, name in product(asked, places):
                place, allowed = places[name]
                spent, right = [], []
                cpu = process_time() + server.cpu_seconds()
                for at, question in enumerate(asked[kind]):
                    start = perf_counter()
                    ids = search(question, place)
                    spent.append(1000 * (perf_counter() - start))
                    right.append(recall(rows, question, ids, best[kind][name][at], allowed))
                cpu = (process_time() + server.cpu_seconds() - cpu) / len(spent)
                p50, p95 = np.quantile(spent[len(spent) // 10 :], (0.5, 0.95)).tolist()  # the first ones warm up
                each = {"p50_ms": p50, "p95_ms": p95, "cpu_ms": 1000 * cpu, "recall": float(np.mean(right))}
                found[f"{way}, {kind}, {name}"] = each
    return {"shots": count, "copy_seconds": made, "questions": len(questions), "ways": found}


def _ways(
    server: Server, library: Library, connection: Any, schema: str, index: FaissIndex, dim: int
) -> dict[str, Search]:
    """Return the ways to search: by the node, as prismsearch asks the server, and by plain queries of its graph."""
    assert library.server_rows is not None
    ways = {"FAISS copy": by_index(library, index)}
    ways["the server's own"] = by_index(library, ServerIndex(library, library.server_rows, ENCODER))
    connection.execute("SET hnsw.iterative_scan = strict_order")
    asking = by_pgvector(connection, schema, dim)
    return ways | {f"plain query, ef_search {each}": _with(connection, each, asking) for each in EXPANSIONS}


def _with(connection: Any, expansion: int, search: Search) -> Search:
    def asking(row: NDArray[np.float32], folder: str | None) -> NDArray[np.int64]:
        connection.execute(f"SET hnsw.ef_search = {expansion}")
        return search(row, folder)

    return asking


def _mask(library: Library, folder: str, count: int) -> NDArray[np.bool_]:
    mask = np.zeros(count, bool)
    mask[library.segment_ids(Filters(folder=folder), ENCODER) - 1] = True
    return mask


def show(found: dict[str, Any]) -> None:
    print(f"\n{found['shots']:,} shots; a node's first copy, with its index: {found['copy_seconds']:.1f} s")
    print(f"{'':60}{'p50 ms':>10}{'p95 ms':>10}{'CPU ms':>10}{'recall@10':>12}")
    for way, each in found["ways"].items():
        times = "".join(f"{each[name]:>10.1f}" for name in ("p50_ms", "p95_ms", "cpu_ms"))
        print(f"{way:60}{times}{each['recall']:>12.3f}")


def show_graph(found: dict[str, float], added: dict[str, float]) -> None:
    print(f"\nthe graph: {found['bytes'] / 1e6:,.0f} MB", end="")
    if "seconds" in found:
        print(f", built in {found['seconds']:,.0f} s ({found['cpu_seconds']:,.0f} of CPU)", end="")
        print(f" with {found['memory_bytes'] / 1e6:,.0f} MB of memory", end="")
    print()
    if added["shots"]:
        print(f"{added['shots']:,} shots added with it in place: {added['shots'] / added['seconds']:,.0f} a second")
