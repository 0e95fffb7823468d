"""Costs of libraries side by side, in turns of one run: a folder and a server; a folder before and after a change."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path

from benchmarks import _scale_probe
from benchmarks._tree_process import TreeProcess

TIMES = {"add": 10, "open": 5, "search": 20, "filter": 50, "list": 3}
"""Of each kind, how often a turn does it; of `add`, videos."""

Ask = Callable[[str, int], tuple[float, float]]
"""Returns wall and CPU milliseconds of one kind, for how often."""

PROBE = Path(_scale_probe.__file__)


def of_places(folder: Path, address: str, rounds: int) -> dict[str, dict[str, float]]:
    """Compare a library in a folder with one on a server, both empty."""
    with ExitStack() as stack:
        workers = {}
        for name, place in (("folder", str(folder / "library")), ("server", address)):
            workers[name] = _scale_probe.Worker(place, str(folder / f"footage of {name}"))
            stack.callback(workers[name].close)
        return in_turns({name: _asking(worker) for name, worker in workers.items()}, rounds)


def of_trees(folder: Path, trees: Mapping[str, Path], rounds: int) -> dict[str, dict[str, float]]:
    """Compare libraries in folders, each used by the modules of another tree, in a process of its own."""
    with ExitStack() as stack:
        asks: dict[str, Ask] = {}
        for name, tree in trees.items():
            process = TreeProcess(tree, PROBE, folder / f"library {name}", folder / f"footage {name}")
            asks[name] = stack.enter_context(process).ask
        return in_turns(asks, rounds)


def _asking(worker: _scale_probe.Worker) -> Ask:
    def ask(kind: str, times: int) -> tuple[float, float]:
        cost: tuple[float, float] = getattr(worker, kind)(times)
        return cost

    return ask


def in_turns(asks: Mapping[str, Ask], rounds: int) -> dict[str, dict[str, float]]:
    """Return, for each kind, medians of wall and CPU milliseconds of both sides, and medians of their ratios.

    Args:
        asks: Two sides; the second is compared with the first.
        rounds: Turns of each. The sides begin in turn, too, and the first turn warms up.
    """
    first, second = asks
    spent: dict[str, dict[str, list[tuple[float, float]]]] = {kind: {side: [] for side in asks} for kind in TIMES}
    for turn in range(rounds + 1):
        for kind, times in TIMES.items():
            for side in (first, second) if turn % 2 else (second, first):
                cost = asks[side](kind, times)
                if turn:
                    spent[kind][side].append(cost)
    found: dict[str, dict[str, float]] = {}
    for kind, sides in spent.items():
        each = found[kind] = {}
        for at, clock in enumerate(("wall", "cpu")):
            for side in asks:
                each[f"{side} {clock}_ms"] = statistics.median(cost[at] for cost in sides[side])
            pairs = zip(sides[first], sides[second], strict=True)
            each[f"{clock}_ratio"] = statistics.median(after[at] / max(before[at], 1e-6) for before, after in pairs)
    return found


def show(title: str, found: Mapping[str, Mapping[str, float]]) -> None:
    columns = list(next(iter(found.values())))
    print(f"\n{title}")
    print(f"{'ms, of this process':24}" + "".join(f"{name.removesuffix('_ms'):>16}" for name in columns))
    for kind, each in found.items():
        print(f"{kind:24}" + "".join(f"{each[name]:>16.2f}" for name in columns))
