"""A node of a library on a server: catching up with what others have indexed, and the bytes of searches and posters."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
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
        began = perf_counter()
        nearly.refresh()
        seconds = perf_counter() - began
        nearly.optimize()
        built = perf_counter() - began - seconds
    with through_proxy(server, address, other) as (library, counted):
        index = FaissIndex.open(library, ENCODER, other / "vectors")
        received = counted.received
    shutil.rmtree(other)
    if len(index) != before + behind:
        raise SystemExit(f"the node has {len(index)} rows of {before + behind} after catching up")
    return {"had": before, "behind": behind, "seconds": seconds, "build_seconds": built, "received_bytes": received}


def traffic(
    server: Server, address: str, questions: NDArray[np.float32], folder: Path, poster_bytes: float
) -> dict[str, float]:
    """Return the bytes between a node that has its copy and the server: of opening, of a search, of a page of posters.

    Args:
        server, address: The server, and the library.
        questions: float32 (2 * QUESTIONS, D).
        folder: For the node's files.
        poster_bytes: The size of a poster, which comes from the shared folder.
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
        "page_poster_bytes": PAGE * poster_bytes,
    }


def poster_size(library: Library, videos: Path) -> float:
    """Return the mean size of a poster in bytes: of videos that are indexed for that with the demo encoder."""
    from encoder import load_encoder
    from indexer.pipeline import index_folders
    from indexer.settings import IndexSettings

    if not library.stats().segments:
        index_folders(library, load_encoder("demo", "cpu"), [videos], IndexSettings())
    found = [
        library.poster_path(video, segment.number).stat().st_size
        for video in library.videos()
        for segment in library.segments_of(video.id or 0)
    ]
    if not found:
        raise SystemExit(f"no video of {videos} could be indexed")
    return float(np.mean(found))


def show_catch_up(found: dict[str, float]) -> None:
    megabytes = found["received_bytes"] / 1e6
    print(f"\nA node with {found['had']:,.0f} rows, {found['behind']:,.0f} behind: {found['seconds']:.1f} s", end="")
    print(f" and {megabytes:,.0f} MB until all are found, {found['build_seconds']:.1f} s more for its index")


def show_traffic(found: dict[str, float]) -> None:
    print(f"\n{'between node and server':40}{'kB':>10}")
    for name, value in found.items():
        print(f"{name.removesuffix('_bytes').replace('_', ' '):40}{value / 1e3:>10.1f}")
