"""A node of a library on a server: catching up with what others have indexed, and the bytes of searches and posters."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter, process_time
from typing import cast

import numpy as np
from numpy.typing import NDArray

from app.web.services.segment_cache import SegmentCache
from benchmarks._scale_fill import ENCODER, fill
from benchmarks._scale_proxy import Counted, counting
from benchmarks._scale_server import PORT, Server
from benchmarks.search_latency import QUESTIONS, RowsOfWords
from db.library import Library
from encoder import Encoder
from search.engine import SearchEngine
from search.query import Query, TextTerm
from search.vectors.faiss_index import FaissIndex

PAGE = 30  # hits and their posters
_SEARCHES = 20


@contextmanager
def through_proxy(server: Server, address: str, work: Path) -> Iterator[tuple[Library, Counted]]:
    """Yield a library opened by way of a proxy that counts, with a folder of its own for work."""
    with counting(server.folder / f".s.PGSQL.{PORT}") as counted:
        place, _, folders = counted.address(address, server.folder).partition("&work=")
        with Library.open(f"{place}&work={work}{folders.partition('&')[1]}") as library:
            yield library, counted


def catch_up(
    server: Server, address: str, rows: NDArray[np.float16], behind: int, footage: Path, folder: Path
) -> dict[str, float]:
    """Let a node have a copy of all rows, add as many as it is to be behind, and catch up.

    It catches up twice, from copies of the same files: for the seconds, and through the proxy for the bytes.
    """
    with Library.open(address) as library:
        FaissIndex.open(library, ENCODER, library.directory / "vectors").optimize()
        other = folder / "other node"
        shutil.copytree(library.directory / "vectors", other / "vectors", dirs_exist_ok=True)
        nearly = FaissIndex.open(library, ENCODER, library.directory / "vectors")
        before = len(nearly)
        fill(library, rows, before + behind, footage, touch=True)
        began, cpu = perf_counter(), process_time()
        nearly.refresh()
        seconds, cpu_seconds = perf_counter() - began, process_time() - cpu
        nearly.optimize()
        built, built_cpu = perf_counter() - began - seconds, process_time() - cpu - cpu_seconds
    with through_proxy(server, address, other) as (library, counted):
        index = FaissIndex.open(library, ENCODER, other / "vectors")
        received = counted.received
    shutil.rmtree(other)
    if len(index) != before + behind:
        raise SystemExit(f"the node has {len(index)} rows of {before + behind} after catching up")
    return {
        "had": before,
        "behind": behind,
        "seconds": seconds,
        "cpu_seconds": cpu_seconds,
        "received_bytes": received,
        "build_seconds": built,
        "build_cpu_seconds": built_cpu,
    }


def traffic(
    server: Server, address: str, questions: NDArray[np.float32], folder: Path, media: dict[str, float]
) -> dict[str, float]:
    """Return the bytes between a node that has its copy and the server: of opening, of a search, of a page of posters.

    Args:
        server, address: The server, and the library.
        questions: float32 (2 * QUESTIONS, D).
        folder: For the node's files.
        media: The sizes of a poster and a preview, which come from the shared folder.
    """
    node = folder / "traffic node"
    encoder = cast(Encoder, RowsOfWords(questions))
    with Library.open(address) as library:
        shutil.copytree(library.directory / "vectors", node / "vectors", dirs_exist_ok=True)
    with through_proxy(server, address, node) as (library, counted):
        engine = SearchEngine(library, encoder, FaissIndex.open(library, ENCODER, node / "vectors"))
        opened = counted.both
        engine.answer(Query([TextTerm("0")], k=PAGE))
        first = counted.both - opened
        asked = [Query([TextTerm(str(number % QUESTIONS))], k=PAGE) for number in range(1, 1 + _SEARCHES)]
        began = counted.both
        answers = [engine.answer(query) for query in asked]
        searched = (counted.both - began) / _SEARCHES
        began = counted.both
        segments = SegmentCache(library)
        for answer in answers:
            for hit in answer.hits:
                segments.get(hit.segment.id or 0)
        looked_up = (counted.both - began) / _SEARCHES
    shutil.rmtree(node)
    return {
        "open_bytes": opened,
        "first_search_bytes": first,
        "search_bytes": searched,
        "page_rows_bytes": looked_up,
        "page_poster_bytes": PAGE * media["poster_bytes"],
        **media,
    }


def media_sizes(library: Library, videos: Path) -> dict[str, float]:
    """Return the mean bytes of a shot's poster and preview: of videos that are indexed with the demo encoder."""
    from encoder import load_encoder
    from indexer.pipeline import index_folders
    from indexer.settings import IndexSettings

    if not library.stats().segments:
        index_folders(library, load_encoder("demo", "cpu"), [videos], IndexSettings())
    stored = [(video, segment) for video in library.videos() for segment in library.segments_of(video.id or 0)]
    if not stored:
        raise SystemExit(f"no video of {videos} could be indexed")
    posters = [library.poster_path(video, segment.number).stat().st_size for video, segment in stored]
    both = library.stats().media_bytes
    return {"poster_bytes": float(np.mean(posters)), "preview_bytes": (both - sum(posters)) / len(stored)}


def show_catch_up(found: dict[str, float]) -> None:
    seconds, cpu = found["seconds"], found["cpu_seconds"]
    print(f"\nA node with {found['had']:,.0f} rows, {found['behind']:,.0f} behind: {seconds:.1f} s ({cpu:.1f} of CPU)")
    print(f"and {found['received_bytes'] / 1e6:,.0f} MB until all are found;", end=" ")
    print(f"{found['build_seconds']:.1f} s ({found['build_cpu_seconds']:.1f} of CPU) more for its index")


def show_traffic(found: dict[str, float]) -> None:
    print(f"\n{'between node and server':40}{'kB':>10}")
    for name, value in found.items():
        print(f"{name.removesuffix('_bytes').replace('_', ' '):40}{value / 1e3:>10.1f}")
