"""Vector search at 10,000, 100,000 and (`--sizes`) a million rows: recall and time against the exact answer.

For each size it prints one table of indexes side by side (ours as opened, ours after `optimize`, FAISS flat, HNSW, and
usearch where it is installed): build, memory, disk, recall at 10, milliseconds per query on one thread, in alternation;
then ours under filters of 0.1 to 100 %; the cost of adding, removing and opening; and the floors: the bytes that must
be read over the memory bandwidth measured here. The last line is JSON. Rows are clustered (benchmarks._clustered_rows);
the truth is the inner product with every stored row, by matrix multiplication.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import platform
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks._clustered_rows import ArrayLibrary, clustered_rows
from db.records import Stamp
from search.vectors.faiss_index import FaissIndex

ENCODER = "benchmark"
K = 10
SHARES = (0.001, 0.01, 0.1, 0.5, 1.0)
ADDED = 1000
ROUNDS = 5  # of ADDED rows: enough for one of them to be saved

Search = Callable[[NDArray[np.float32]], NDArray[np.int64]]  # float32 (1, D) -> ids (K,)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000], metavar="ROWS")
    options.add_argument("--dim", type=int, default=768)
    options.add_argument("--queries", type=int, default=200)
    options.add_argument("--graphs-up-to", type=int, default=10_000, metavar="ROWS", help="build HNSW and usearch")
    options.add_argument("--flat-up-to", type=int, default=1_000_000, metavar="ROWS", help="build FAISS flat (float32)")
    options.add_argument("--directory", type=Path, help="for the files; a temporary one by default")
    given = options.parse_args()
    bandwidth = memory_bandwidth()
    print(f"{platform.machine()}, one thread reads memory at {bandwidth:.1f} GB/s\n")
    with tempfile.TemporaryDirectory(dir=given.directory) as folder:
        results = [measured(Path(folder), size, given, bandwidth) for size in given.sizes]
    print(json.dumps({"bandwidth_gb_s": round(bandwidth, 2), "dim": given.dim, "sizes": results}))


def measured(folder: Path, size: int, given: argparse.Namespace, bandwidth: float) -> dict[str, Any]:
    """Measure one size; print the tables and return their figures."""
    path = folder / f"{size}.npy"
    queries = clustered_rows(path, size + ROUNDS * ADDED, given.dim, given.queries)
    rows = np.load(path, mmap_mode="r")
    library = ArrayLibrary(rows, size)
    truth = all_scores(rows[:size], queries)
    places = folder / f"vectors{size}"

    searches: dict[str, Search] = {}
    built: dict[str, dict[str, float]] = {}
    seconds, index = timed(lambda: opened(library, places))
    built["as opened"] = {"build_s": seconds, **held(places)}
    searches["as opened"] = hits_of(index)
    trained = opened(library, places)
    seconds, due = timed(trained.optimize)
    if due:
        built["optimized"] = {"build_s": seconds, **held(places)}
        searches["optimized"] = hits_of(trained)
    for name, build in others(rows, size, given).items():
        seconds, search = timed(build)
        searches[name], built[name] = search, {"build_s": seconds}

    floors = {
        "flat float32": size * given.dim * 4 / bandwidth / 1e6,
        "every stored row (float16)": size * given.dim * 2 / bandwidth / 1e6,
        "every code": size * (given.dim / 8 + 16) / bandwidth / 1e6,
    }
    table = {name: {**built[name], **figures} for name, figures in asked(searches, queries, truth, None).items()}
    print(f"{size:,} rows of {given.dim} columns, recall at {K}, milliseconds a query")
    show(table)
    print("floors, ms: " + ", ".join(f"{name} {value:.2f}" for name, value in floors.items()) + "\n")

    print("under filters (ids drawn at random): the filter as before, and another one each time")
    filtered: dict[str, Any] = {}
    state = trained if due else index
    for share in SHARES:
        filtered[f"{share:.1%}"] = under_filter(state, queries, truth, share, size)
    show(filtered)
    result = {"rows": size, "indexes": table, "floors_ms": floors, "filtered": filtered}
    del truth, searches
    result["changes"] = changes(library, trained, size, places)
    print(
        "changes: " + ", ".join(f"{name} {value:.3g}" for name, value in result["changes"].items()) + "\n", flush=True
    )
    return result


def opened(library: Any, places: Path) -> FaissIndex:
    return FaissIndex.open(library, ENCODER, places)


def hits_of(index: FaissIndex) -> Search:
    return lambda query: index.search(query, K)[0][0]


def others(rows: NDArray[np.float16], size: int, given: argparse.Namespace) -> dict[str, Callable[[], Search]]:
    """Return the indexes to compare with, each as a function that builds it."""
    import faiss as _faiss

    faiss: Any = _faiss

    def on_one_thread(index: Any) -> Search:
        def search(query: NDArray[np.float32]) -> NDArray[np.int64]:
            faiss.omp_set_num_threads(1)
            return np.asarray(index.search(query, K)[1][0] + 1)

        return search

    def filled(index: Any) -> Search:
        for start in range(0, size, 20_000):
            index.add(rows[start : min(size, start + 20_000)].astype(np.float32))
        return on_one_thread(index)

    def hnsw() -> Search:
        faiss.omp_set_num_threads(2)
        index = faiss.IndexHNSWFlat(given.dim, 32, faiss.METRIC_INNER_PRODUCT)
        index.hnsw.efConstruction, index.hnsw.efSearch = 100, 128
        return filled(index)

    def usearch_graph() -> Search:
        from usearch.index import Index

        index = Index(ndim=given.dim, metric="ip", dtype="f16", expansion_search=128)
        index.add(np.arange(1, size + 1), rows[:size], threads=2)
        return lambda query: np.asarray(index.search(query[0], K, threads=1).keys, dtype=np.int64)

    found: dict[str, Callable[[], Search]] = {}
    if size <= given.flat_up_to:
        found["FAISS flat"] = lambda: filled(faiss.IndexFlatIP(given.dim))
    if size <= given.graphs_up_to:
        found["FAISS HNSW32"] = hnsw
        try:
            import usearch.index  # noqa: F401

            found["usearch f16"] = usearch_graph
        except ImportError:
            print("usearch is not installed and is left out (pip install usearch)")
    return found


def asked(
    searches: dict[str, Search],
    queries: NDArray[np.float32],
    truth: NDArray[np.float32],
    mask: NDArray[np.bool_] | None,
) -> dict[str, dict[str, float]]:
    """Measure recall and time of each search, in turns. truth: float32 (queries, rows)."""
    walls: dict[str, list[float]] = {name: [] for name in searches}
    cpus: dict[str, list[float]] = {name: [] for name in searches}
    recalls: dict[str, list[float]] = {name: [] for name in searches}
    for number in range(-3, len(queries)):
        query = queries[number : number + 1] if number >= 0 else queries[:1]
        for name, search in searches.items():
            cpu, wall = time.process_time(), time.perf_counter()
            ids = search(query)
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
            if number >= 0:
                walls[name].append(wall)
                cpus[name].append(cpu)
                recalls[name].append(recall(ids, truth[number], mask))
    return {
        name: {
            "recall": float(np.mean(recalls[name])),
            "p50_ms": 1e3 * float(np.median(walls[name])),
            "p95_ms": 1e3 * float(np.percentile(walls[name], 95)),
            "cpu_ms": 1e3 * float(np.mean(cpus[name])),
        }
        for name in searches
    }


def recall(ids: NDArray[np.int64], scores: NDArray[np.float32], mask: NDArray[np.bool_] | None) -> float:
    """Return the share of the K best that was found; rows that score the same as the last of them count as well."""
    let = scores if mask is None else scores[mask]
    most = min(K, let.size)
    if most == 0:
        return 1.0
    least = np.partition(let, let.size - most)[let.size - most]
    return float(np.mean(np.sort(scores[ids - 1])[::-1][:most] >= least - 1e-6)) * min(len(ids), most) / most


def under_filter(
    index: FaissIndex, queries: NDArray[np.float32], truth: NDArray[np.float32], share: float, size: int
) -> dict[str, float]:
    """Measure one filter for all queries, and a new filter for each (half the queries each, in turns)."""
    chance = np.random.default_rng(3)
    masks = [chance.random(size) < share for _ in range(2)]
    if share == 1.0:
        masks[1][0] = False
    allowed = [np.flatnonzero(mask) + 1 for mask in masks]
    turns = iter(range(10**9))
    same = asked({"": lambda query: index.search(query, K, allowed[0])[0][0]}, queries, truth, masks[0])[""]
    fresh = asked({"": lambda query: index.search(query, K, allowed[next(turns) % 2])[0][0]}, queries[:50], truth, None)
    return {**same, "new_p50_ms": fresh[""]["p50_ms"], "new_p95_ms": fresh[""]["p95_ms"]}


def changes(library: ArrayLibrary, index: FaissIndex, size: int, places: Path) -> dict[str, float]:
    """Measure seconds to add ADDED rows (with saving: the slowest of ROUNDS), remove as many, and open; and memory."""
    added = []
    for _ in range(ROUNDS):
        library.count += ADDED
        added.append(timed(index.refresh)[0])
    library.gone = np.sort(np.random.default_rng(5).choice(size, ADDED, replace=False) + 1)
    removed = timed(index.refresh)[0]
    seconds, again = timed(lambda: opened(library, places))
    assert len(again) == len(index) == library.stamp(ENCODER).count
    return {
        "add_1000_max_s": max(added),
        "add_1000_median_s": float(np.median(added)),
        "remove_1000_s": removed,
        "open_s": seconds,
    }


def held(places: Path) -> dict[str, float]:
    """Return disk and memory, in MB, of an index that a process of its own opens and searches fifty times."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        own, mapped = pool.apply(_opened_elsewhere, (str(places),))
    disk = sum(path.stat().st_size for path in places.iterdir())
    return {"own_mb": own, "mapped_mb": mapped, "disk_mb": disk / 1e6}


def _opened_elsewhere(places: str) -> tuple[float, float]:
    """Return own and mapped memory, in MB, that opening and searching took. Linux; elsewhere NaN."""
    (text,) = [path.read_text() for path in Path(places).glob("*.json")]
    stamp, chance = Stamp(**json.loads(text)["stamp"]), np.random.default_rng(0)

    before = _resident()
    index = FaissIndex.open(_Still(stamp), ENCODER, Path(places))  # type: ignore[arg-type]
    for _ in range(50):
        index.search(chance.normal(size=(1, stamp.dim)).astype(np.float32), K)
    after = _resident()
    return after[0] - before[0], after[1] - before[1]


class _Still:
    """A stand-in for a library that does not change and yields no rows."""

    def __init__(self, stamp: Stamp) -> None:
        self.id = stamp.library_id
        self._stamp = stamp

    def stamp(self, encoder_id: str) -> Stamp:
        return self._stamp


def _resident() -> tuple[float, float]:
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return float("nan"), float("nan")
    values = {line.split(":")[0]: line.split()[1] for line in lines if line.startswith("Rss")}
    return int(values["RssAnon"]) / 1e3, int(values["RssFile"]) / 1e3


def all_scores(rows: NDArray[np.float16], queries: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return every inner product, float32 (queries, rows)."""
    scores = np.empty((len(queries), len(rows)), dtype=np.float32)
    for start in range(0, len(rows), 20_000):
        scores[:, start : start + 20_000] = queries @ rows[start : start + 20_000].astype(np.float32).T
    return scores


def memory_bandwidth() -> float:
    """Return the GB/s at which one thread sums a block far larger than the caches; the best of five."""
    block = np.ones(1 << 26, dtype=np.uint64)
    return max(block.nbytes / timed(block.sum)[0] for _ in range(5)) / 1e9


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    started = time.perf_counter()
    result = work()
    return time.perf_counter() - started, result


def show(table: dict[str, dict[str, float]]) -> None:
    columns = list(dict.fromkeys(name for row in table.values() for name in row))
    print(f"| {'':14} | " + " | ".join(f"{name:>10}" for name in columns) + " |")
    print("|---" * (len(columns) + 1) + "|")
    for name, row in table.items():
        cells = [f"{row[column]:10.4g}" if column in row else " " * 10 for column in columns]
        print(f"| {name:14} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
