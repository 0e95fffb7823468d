"""Draws of a few examples of each class, as few-shot evaluations make them."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def draw_examples(
    targets: NDArray[np.bool_], groups: Sequence[Hashable], count: int, rng: np.random.Generator
) -> NDArray[np.intp]:
    """Draw some examples of each class, from different groups while there are any.

    An example with several labels counts for each of its classes. A class with fewer examples gives all of them.

    Args:
        targets: bool (n, classes), true where an example is of a class.
        groups: The group of each example.
        count: Examples of each class, 1 or more.
        rng: The source of all randomness.

    Returns:
        Positions, ascending, each once.

    Raises:
        ValueError: `count` is below 1.
    """
    import numpy as np

    if count < 1:
        raise ValueError(f"at least 1 example a class is needed, got {count}")
    drawn: set[int] = set()
    for column in np.argsort(targets.sum(axis=0), kind="stable"):  # the rarest class first
        has = sum(bool(targets[each, column]) for each in drawn)
        shuffled = [int(each) for each in rng.permutation(np.flatnonzero(targets[:, column])) if int(each) not in drawn]
        seen: dict[Hashable, int] = {}
        turn = {each: seen.setdefault(groups[each], 0) for each in shuffled}
        for each in shuffled:  # the first of every group, then the second of every group, and so on
            turn[each] = seen[groups[each]]
            seen[groups[each]] += 1
        drawn.update(sorted(shuffled, key=turn.__getitem__)[: max(0, count - has)])
    return np.array(sorted(drawn), np.intp)
