"""Startup times: `prismsearch --help`, the help of each command, importing each room, and a cold search by part.

    python -m benchmarks.startup [--runs 5] [--library DIR]

It prints a table of medians in milliseconds, of whole processes, with `python -c pass` as the floor; then the parts of
a cold `prismsearch search` with the demo encoder, in their order; then a line of JSON.
--library: one that was indexed with the demo encoder; by default the demo library is indexed for it.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from app.cli import main as shell

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("encoder", "indexer", "search", "db", "app.cli")
PARTS = """
import json, time
began = time.perf_counter()
parts = {}
def done(name):
    global began
    now = time.perf_counter()
    parts[name], began = (now - began) * 1000, time.perf_counter()
from app import cli, compose; done("import app.cli (click)")
import numpy; done("import numpy")
import db.library; done("import db.library (SQLAlchemy)")
settings = compose.settings_from().with_options(library=LIBRARY, encoder="demo")
library = compose.open_library(settings); library.encoders(); done("open the library")
import torch; done("import torch")
encoder = compose.open_encoder(compose.with_library_encoder(settings, library)); done("load the encoder")
import search.engine, search.vectors.faiss_index; done("import search")
import faiss; done("import faiss")
engine = compose.open_engine(settings, library, encoder); done("open the index")
from search.query import Query, TextTerm
query = Query(terms=(TextTerm("a red circle"),), k=10)
encoder.encode_texts(["a red circle"]); done("encode the words")
hits = engine.search(query); done("compare, fetch the hits")
done("rest"); engine.search(query); done("(the same again, warm)")
print(json.dumps(parts))
"""


def milliseconds(code: str, runs: int) -> float:
    """Return the median over whole processes, after one that warms the file cache."""
    taken = []
    for _ in range(runs + 1):
        started = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
        taken.append((time.perf_counter() - started) * 1000)
    return statistics.median(taken[1:])


def help_of(*command: str) -> str:
    return command_line(*command, "--help")


def command_line(*words: str) -> str:
    return f"from app.cli import main; main({list(words)!r}, prog_name='prismsearch')"


def search_parts(library: str, runs: int) -> dict[str, float]:
    """Return the median of each part, over processes of their own."""
    found: dict[str, list[float]] = {}
    for run in range(runs + 1):
        command = [sys.executable, "-c", PARTS.replace("LIBRARY", repr(library), 1)]
        said = subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.PIPE, text=True).stdout
        for name, value in json.loads(said.splitlines()[-1]).items():
            if run:
                found.setdefault(name, []).append(value)
    return {name: round(statistics.median(values), 1) for name, values in found.items() if name != "rest"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--library", type=Path)
    options = parser.parse_args()
    runs = max(1, options.runs)
    programs = {"python -c pass": "pass", "prismsearch --help": help_of()}
    programs |= {f"prismsearch {name} --help": help_of(name) for name in sorted(shell.commands)}
    programs |= {f"import {room}": f"import {room}" for room in ROOMS}
    with tempfile.TemporaryDirectory() as temporary:
        library = str(options.library or Path(temporary) / "library")
        if options.library is None:
            made = command_line("--library", library, "index", str(ROOT / "app" / "demo_library"), "--encoder", "demo")
            subprocess.run([sys.executable, "-c", made], check=True, cwd=ROOT, capture_output=True)
        at = ("--library", library)
        programs["prismsearch stats"] = command_line(*at, "stats")
        programs["prismsearch list"] = command_line(*at, "list")
        programs["prismsearch search WORDS"] = command_line(*at, "search", "a red circle")
        results = {}
        for name, code in programs.items():
            results[name] = round(milliseconds(code, runs), 1)
            print(f"{name:36}{results[name]:8.1f} ms", flush=True)
        parts = search_parts(library, runs)
    print("\na cold search, by part")
    for name, value in parts.items():
        print(f"{name:36}{value:8.1f} ms")
    print(json.dumps({"benchmark": "startup", "runs": runs, "milliseconds": results, "search_parts": parts}))


if __name__ == "__main__":
    main()
