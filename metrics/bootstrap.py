"""Confidence intervals by the bootstrap over groups: what belongs together (a video, a topic) is drawn together.

Items of one group resemble each other, so drawing single items would make intervals too narrow.
Two systems that answered the same items are compared by the interval of their difference, drawn together, with a
measure such as `lambda at: float((hits_of_one - hits_of_other)[at].mean())`: what is hard for both cancels out.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

import numpy as np
from numpy.typing import NDArray


def bootstrap_interval(
    measure: Callable[[NDArray[np.intp]], float | None],
    groups: Sequence[Hashable],
    rng: np.random.Generator,
    *,
    draws: int = 1000,
    level: float = 0.95,
) -> tuple[float, float] | None:
    """Return the percentile interval of a measure over groups drawn with replacement.

    Args:
        measure: Takes positions of items, some of them repeatedly, and returns the measure over these; None if it is
            not defined for them, which leaves the draw out.
        groups: The group of each item.
        rng: The source of all randomness.
        draws: Number of draws, 1 or more.
        level: Probability that the interval is to have, above 0 and below 1.

    Returns:
        (low, high); None if there are fewer than two groups, or no draw is defined.

    Raises:
        ValueError: `draws` or `level` is out of range.
    """
    if draws < 1 or not 0 < level < 1:
        raise ValueError(f"at least 1 draw and a level between 0 and 1 are needed, got {draws} and {level}")
    members: dict[Hashable, list[int]] = {}
    for at, group in enumerate(groups):
        members.setdefault(group, []).append(at)
    if len(members) < 2:
        return None
    order = np.concatenate([np.array(each, dtype=np.intp) for each in members.values()])  # group after group
    sizes = np.array([len(each) for each in members.values()])
    starts = np.cumsum(sizes) - sizes

    def draw() -> NDArray[np.intp]:
        chosen = rng.integers(len(sizes), size=len(sizes))
        taken = sizes[chosen]
        before = np.cumsum(taken) - taken
        positions: NDArray[np.intp] = order[np.arange(taken.sum()) + np.repeat(starts[chosen] - before, taken)]
        return positions

    drawn = (measure(draw()) for _ in range(draws))
    values = [value for value in drawn if value is not None]
    if not values:
        return None
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
