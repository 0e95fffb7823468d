"""A figure of an evaluation: a measure, and its interval over groups of what was measured."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

DRAWS = 1000
"""Of the bootstrap."""

FEW_DRAWS = 200
"""Of measures that take their time, such as average precision of very many items."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A measure, None where it is not defined, and its 95 % interval over groups, None with fewer than two."""

    value: float | None
    interval: tuple[float, float] | None

    def record(self) -> dict[str, Any]:
        """Return JSON values."""
        return {"value": self.value, "interval": None if self.interval is None else list(self.interval)}


def figure_of(
    measure: Callable[[NDArray[np.intp]], float | None],
    groups: Sequence[Hashable],
    *,
    seed: int,
    draws: int = DRAWS,
) -> Figure:
    """Return the figure of a measure over all items.

    Args:
        measure: Takes positions of items, some of them repeatedly; see `metrics.bootstrap.bootstrap_interval`.
        groups: The group of each item.
        seed: Of the bootstrap.
        draws: Number of draws.

    Raises:
        ValueError: As the measure does.
    """
    import numpy as np

    from metrics.bootstrap import bootstrap_interval

    everything = np.arange(len(groups), dtype=np.intp)
    return Figure(measure(everything), bootstrap_interval(measure, groups, np.random.default_rng(seed), draws=draws))
