"""Table of quality figures: before, after, the 95 % interval of the latter over groups, the goal, and how many."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from metrics.bootstrap import bootstrap_interval

Measure = Callable[[NDArray[Any], NDArray[np.intp]], float | None]


def share(values: NDArray[Any], at: NDArray[np.intp]) -> float | None:
    return float(np.mean(values[at])) if len(at) else None


class Table:
    """Rows of figures; each is printed when it is known, so that a stopped run has shown what it found."""

    def __init__(self, draws: int) -> None:
        self._draws = draws
        self.rows: list[dict[str, Any]] = []
        self.second: str | None = None  # the id of a second encoder, if one was asked

    def heading(self, text: str) -> None:
        print(f"\n{text}\n{'':64}{'before':>8}{'after':>8}   {'95 % interval':16}{'goal':>9}{'n':>8}", flush=True)

    def compare(
        self,
        name: str,
        measure: Measure,
        before: NDArray[Any] | None,
        after: NDArray[Any] | None,
        groups: Sequence[Hashable],
        goal: str = "",
    ) -> None:
        """Add a measure of two sets of values about the same items; the interval is of the second."""
        everything = np.arange(len(groups))
        first = None if before is None else measure(before, everything)
        second = interval = None
        if after is not None:
            second = measure(after, everything)
            chance = np.random.default_rng(0)
            interval = bootstrap_interval(lambda at: measure(after, at), groups, chance, draws=self._draws)
        self._add(name, first, second, interval, goal, len(groups))

    def share(
        self, name: str, after: ArrayLike, groups: Sequence[Hashable], goal: str = "", before: float | None = None
    ) -> None:
        """Add the mean of values from 0 to 1."""
        values = np.asarray(after, dtype=float)
        chance = np.random.default_rng(0)
        interval = bootstrap_interval(lambda at: share(values, at), groups, chance, draws=self._draws)
        self._add(name, before, share(values, np.arange(len(values))), interval, goal, len(values))

    def plain(self, name: str, before: float | None, after: float | None, count: int, goal: str = "") -> None:
        """Add figures without an interval."""
        self._add(name, before, after, None, goal, count)

    def _add(
        self,
        name: str,
        before: float | None,
        after: float | None,
        interval: tuple[float, float] | None,
        goal: str,
        count: int,
    ) -> None:
        self.rows.append(
            {"name": name, "before": _round(before), "after": _round(after), "goal": goal, "n": count}
            | ({"low": _round(interval[0]), "high": _round(interval[1])} if interval else {})
        )
        between = f"{interval[0]:.3f} .. {interval[1]:.3f}" if interval else ""
        print(f"{name:64}{_shown(before):>8}{_shown(after):>8}   {between:16}{goal:>9}{count:>8,}", flush=True)


def _round(value: float | None) -> float | None:
    return None if value is None else round(float(value), 4)


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}" if abs(value) < 100 else f"{value:.0f}"
