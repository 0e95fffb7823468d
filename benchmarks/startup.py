"""What it costs to start: `prismsearch --help`, the help of each command, and importing each room.

    python -m benchmarks.startup [--runs 5]

Prints a table of medians in milliseconds, of whole processes, and a last line of JSON. `python -c pass` is the floor.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time

from app.cli import main as shell

ROOMS = ("encoder", "indexer", "search", "db", "app.cli")


def milliseconds(code: str, runs: int) -> float:
    """Median over whole processes, after one that warms the file cache."""
    taken = []
    for _ in range(runs + 1):
        started = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)
        taken.append((time.perf_counter() - started) * 1000)
    return statistics.median(taken[1:])


def help_of(*command: str) -> str:
    return f"from app.cli import main; main({[*command, '--help']!r}, prog_name='prismsearch')"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    runs = max(1, parser.parse_args().runs)
    programs = {"python -c pass": "pass", "prismsearch --help": help_of()}
    programs |= {f"prismsearch {name} --help": help_of(name) for name in sorted(shell.commands)}
    programs |= {f"import {room}": f"import {room}" for room in ROOMS}
    results = {}
    for name, code in programs.items():
        results[name] = round(milliseconds(code, runs), 1)
        print(f"{name:36}{results[name]:8.1f} ms", flush=True)
    print(json.dumps({"benchmark": "startup", "runs": runs, "milliseconds": results}))


if __name__ == "__main__":
    main()
