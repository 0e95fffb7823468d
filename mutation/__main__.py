"""Mutation testing of one room: `python3 dev.py mutants ROOM`. Draws mutants, runs each against the room's tests.

The results are kept in out/mutants. Stopped by Ctrl-C, the same command goes on where it was. After mending,
--survivors runs only the mutants that survived. The working tree is not touched: each worker breaks a copy of it.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
from pathlib import Path

from mutation import campaign
from mutation.report import report
from mutation.results import load
from mutation.rooms import ROOMS

ROOT = Path(__file__).resolve().parent.parent


def main(arguments: list[str], root: Path = ROOT) -> int:
    parser = argparse.ArgumentParser(
        prog="python3 dev.py mutants", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("room", choices=sorted(ROOMS), help="Which to break.")
    parser.add_argument("--seed", default="first", metavar="NAME", help="Names the sample [first].")
    parser.add_argument("--count", type=int, default=80, metavar="N", help="How many mutants to draw [80].")
    parser.add_argument("--survivors", action="store_true", help="Run the survivors of this seed's last run again.")
    parser.add_argument("--report", action="store_true", help="Show the results of the last run; run nothing.")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, metavar="N", help="One for each core.")
    parser.add_argument(
        "--budget", type=float, default=40.0, metavar="S", help="Seconds of tests for each mutant, as measured [40]."
    )
    options = parser.parse_args(arguments)
    out = root / "out" / "mutants"
    if options.report:
        results = load(out / f"{options.room}-{options.seed}.json")
        print("There are no results." if results is None else report(results))
        return 1 if results is None else 0
    if hasattr(os, "nice"):
        os.nice(10)
    with contextlib.suppress(ValueError):  # not in the main thread
        signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGINT))
    try:
        results = campaign.run(
            root, ROOMS[options.room], out, seed=options.seed, count=options.count, survivors=options.survivors,
            workers=options.workers, budget=options.budget, say=lambda line: print(line, flush=True),
        )  # fmt: skip
    except campaign.NothingToRunAgain as error:
        print(f"mutants: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nmutants: stopped. The results so far are kept; the same command goes on.", file=sys.stderr)
        return 130
    print(f"\n{report(results)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
