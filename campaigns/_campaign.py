"""One bounded, seeded run of a program of faults: cases of several kinds by turns, counts, a table, a line of JSON.

A case is drawn from the seed, its kind and its number alone: the same case comes again with --only KIND:NUMBER, but for
the moments that depend on the machine. A case that fails prints how to run it again and keeps its folder.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from campaigns._children import Fault, warm_up

TESTS = Path(__file__).resolve().parent.parent / "tests"
MOST_SHOWN = 20


class Skip(Exception):
    """A kind of case that this machine cannot run; the message says why."""


@dataclass
class Case:
    """One case: what it draws from, where it works, what it counts."""

    kind: str
    number: int
    random: random.Random
    folder: Path
    """The same path for every case of its kind, empty at first, and kept elsewhere when the case fails."""
    shared: Path
    """For what is made once: see `once`."""
    counts: Counter[str]
    values: dict[str, Any]
    common: dict[str, Any]
    """As `values`, of all kinds."""

    def once(self, name: str, make: Callable[[Path], Any], *, common: bool = False) -> Any:
        """Return what `make` returned the first time, in this run, for a path in the shared folder.

        common: Once for all kinds of the program, which must not change it, not once for each.
        """
        values, folder = (self.common, self.shared.with_name("common")) if common else (self.values, self.shared)
        if name not in values:
            folder.mkdir(exist_ok=True)
            values[name] = make(folder / name)
        return values[name]

    def log(self, name: str) -> Path:
        """Return where a child's output goes, as `_children.start` takes it."""
        (self.folder / "logs").mkdir(exist_ok=True)
        return self.folder / "logs" / name

    def count(self, name: str, by: int = 1) -> None:
        self.counts[name] += by


Run = Callable[[Case], None]


@dataclass
class Kind:
    """What one kind of case does, and how many of its cases come for one of the others."""

    run: Run
    weight: int = 1


@dataclass
class Outcome:
    counts: dict[str, Counter[str]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)


def main(
    name: str, kinds: Mapping[str, Kind], arguments: Sequence[str], doc: str | None, modules: Sequence[str] = ()
) -> int:
    """Parse the options of a program, run it, print a table and a line of JSON; return the exit code."""
    parser = argparse.ArgumentParser(prog=f"python -m campaigns {name}", description=doc)
    parser.add_argument("--minutes", type=float, default=3.0, metavar="N", help="When no new case begins [3].")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="What the cases are drawn from [1].")
    parser.add_argument("--only", action="append", default=[], metavar="KIND[:NUMBER]", help="Only this kind, or case.")
    parser.add_argument("--folder", type=Path, metavar="DIR", help="Where to work; by default a temporary folder.")
    options = parser.parse_args(arguments)
    chosen = _chosen(kinds, options.only, parser)
    began = time.monotonic()
    folder = options.folder or Path(tempfile.mkdtemp(prefix=f"prismsearch-{name}-"))
    folder.mkdir(parents=True, exist_ok=True)
    outcome = Outcome()
    if sys.platform != "linux":
        outcome.skipped = dict.fromkeys(chosen, "these programs need fork, /proc and SIGKILL")
    else:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that disks are unmounted
        # Before torch and FAISS are imported: many small processes, each on one thread.
        os.environ.update({"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE", "OPENBLAS_NUM_THREADS": "1"})
        sys.path.insert(0, str(TESTS))
        warm_up(*modules)
        _run(name, chosen, outcome, seed=options.seed, until=began + 60 * options.minutes, folder=folder.resolve())
    if not outcome.faults and options.folder is None:
        shutil.rmtree(folder, ignore_errors=True)
    _report(name, outcome, options.seed, time.monotonic() - began)
    return 1 if outcome.faults else 0


def _chosen(
    kinds: Mapping[str, Kind], only: Sequence[str], parser: argparse.ArgumentParser
) -> dict[str, tuple[Kind, int | None]]:
    if not only:
        return {name: (kind, None) for name, kind in kinds.items()}
    chosen: dict[str, tuple[Kind, int | None]] = {}
    for words in only:
        name, _, number = words.partition(":")
        if name not in kinds or (number and not number.isdecimal()):
            parser.error(f"there is no kind {words}; there are: {', '.join(kinds)}")
        chosen[name] = kinds[name], int(number) if number else None
    return chosen


def _run(
    name: str, chosen: Mapping[str, tuple[Kind, int | None]], outcome: Outcome, *, seed: int, until: float, folder: Path
) -> None:
    """Take turns, each kind as often as its weight says, at least one case of each, until the time is over."""
    turn = 0
    values: dict[str, dict[str, Any]] = {kind: {} for kind in chosen}
    common: dict[str, Any] = {}
    while True:
        for kind, (how, number) in chosen.items():
            for part in range(how.weight if number is None else 1):
                if kind in outcome.skipped or (time.monotonic() > until and (turn or part)):
                    continue
                at = turn * how.weight + part if number is None else number
                _run_case(name, kind, at, how.run, outcome, (values[kind], common), seed=seed, folder=folder)
        turn += 1
        if time.monotonic() > until or all(kind in outcome.skipped for kind in chosen):
            return
        if all(number is not None for _, number in chosen.values()):
            return


def _run_case(
    name: str, kind: str, number: int, run: Run, outcome: Outcome,
    values: tuple[dict[str, Any], dict[str, Any]], *, seed: int, folder: Path,
) -> None:  # fmt: skip
    counts = outcome.counts.setdefault(kind, Counter())
    case = Case(
        kind,
        number,
        random.Random(f"{seed} {kind} {number}"),
        folder / kind,
        folder / f"{kind}-shared",
        counts,
        *values,
    )
    shutil.rmtree(case.folder, ignore_errors=True)
    case.folder.mkdir(parents=True)
    try:
        run(case)
    except Skip as why:
        outcome.skipped[kind] = str(why)
        print(f"skipped: {kind}: {why}", flush=True)
        return
    except Exception as error:
        counts["faults"] += 1
        if len(outcome.faults) < MOST_SHOWN:
            kept = folder / "kept" / f"{kind}-{number}"
            shutil.rmtree(kept, ignore_errors=True)
            kept.parent.mkdir(exist_ok=True)
            if case.folder.exists():
                os.rename(case.folder, kept)
            text = str(error) if isinstance(error, Fault) else f"{type(error).__name__}: {error}"
            again = f"python -m campaigns {name} --seed {seed} --only {kind}:{number}"
            print(f"FAULT {kind}:{number} (seed {seed}): {text}\n      kept: {kept}\n      again: {again}", flush=True)
        outcome.faults.append(f"{kind}:{number}")
    counts["cases"] += 1


def _report(name: str, outcome: Outcome, seed: int, seconds: float) -> None:
    for kind, counts in outcome.counts.items():
        line = ", ".join(f"{count} {what}" for what, count in sorted(counts.items()))
        print(f"{kind:14}{line or 'skipped'}")
    total: Counter[str] = sum(outcome.counts.values(), Counter())
    record = {
        "campaign": name, "seed": seed, "seconds": round(seconds, 1), "faults": len(outcome.faults),
        "counts": dict(sorted(total.items())), "kinds": {kind: dict(counts) for kind, counts in outcome.counts.items()},
        "failed": outcome.faults[:MOST_SHOWN], "skipped": outcome.skipped,
    }  # fmt: skip
    print(json.dumps(record))
