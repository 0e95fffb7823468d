"""Campaigns, faults made on purpose: `python -m campaigns [NAME...] [--minutes N] [--seed S]`.

Without names all run, one after the other, and share the minutes. Each prints what went wrong with the words that bring
the case again, a table, and a last line of JSON with counts. Exit code 1 when a case failed.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
SHARES: Mapping[str, int] = {"kills": 6, "servers": 2, "damage": 4, "hostile": 3, "full": 3, "media": 2, "writers": 2}
"""The programs, in this order, and how the time is shared out."""


def main(arguments: list[str], shares: Mapping[str, int] = SHARES) -> int:
    """Run the chosen programs; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m campaigns", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"Which to run: {', '.join(shares)}.")
    parser.add_argument("--minutes", type=float, default=20.0, metavar="N", help="For all of them together [20].")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="What the cases are drawn from [1].")
    parser.add_argument("--only", action="append", default=[], metavar="KIND[:NUMBER]", help="Of one program.")
    options = parser.parse_args(arguments)
    if unknown := [name for name in options.names if name not in shares]:
        parser.error(f"there is no campaign {', '.join(unknown)}; there are: {', '.join(shares)}")
    chosen = options.names or list(shares)
    if options.only and len(chosen) != 1:
        parser.error("--only belongs to one campaign: name exactly one")
    began = time.monotonic()
    left, weight = 60 * options.minutes, sum(shares[name] for name in chosen)
    results: dict[str, Any] = {}
    worst = 0
    for name in chosen:
        minutes = max(0.0, left - (time.monotonic() - began)) / 60 * shares[name] / weight
        left, weight, began = left - (time.monotonic() - began), weight - shares[name], time.monotonic()
        print(f"\n== {name}: {minutes:.1f} minutes", flush=True)
        words = ["--minutes", f"{minutes:.3f}", "--seed", str(options.seed)]
        for only in options.only:
            words += ["--only", only]
        code, results[name] = follow(name, words)
        worst = max(worst, code)
    faults = sum(result.get("faults", 1) for result in results.values())
    print(f"\n{json.dumps({'seed': options.seed, 'faults': faults, 'campaigns': results})}")
    return 1 if worst else 0


def follow(name: str, words: list[str]) -> tuple[int, dict[str, Any]]:
    """Run one program and pass its lines on; return its exit code and its last line, which is JSON."""
    last = ""
    command = [sys.executable, "-m", f"campaigns.{name}", *words]
    with subprocess.Popen(command, cwd=HERE.parent, stdout=subprocess.PIPE, text=True, errors="replace") as process:
        assert process.stdout is not None
        for line in process.stdout:
            last = line.strip() or last
            if not line.startswith('{"campaign"'):
                print(line, end="", flush=True)
    try:
        return process.returncode, json.loads(last)
    except ValueError:
        return process.returncode or 1, {"faults": 1, "last": last[:300]}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
