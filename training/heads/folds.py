"""Parts of a training set that are left out in turn: what belongs together is left out together."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def group_folds(
    targets: NDArray[np.bool_], groups: Sequence[Hashable], folds: int
) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Return positions to train on and to validate on, for each fold. There is no chance in it.

    Groups are dealt out to folds class by class, so that every class is spread over as many folds as it has groups. A
    fold without which some class would have no example left, or no example that it is not in, is left out.

    Args:
        targets: bool (n, classes), true where an example is of a class.
        groups: The group of each example.
        folds: The most folds.

    Returns:
        Pairs of ascending int (n,); empty if some class has examples from fewer than two groups.
    """
    import numpy as np

    names = list(dict.fromkeys(groups))
    number = {name: at for at, name in enumerate(names)}
    group = np.array([number[each] for each in groups], np.intp)
    members = [set(group[column].tolist()) for column in targets.T]
    if not members or min(map(len, members)) < 2:
        return []
    fold_of: dict[int, int] = {}
    for groups_of_class in sorted(members, key=len):  # the rarest classes first, they have the least choice
        for each in sorted(groups_of_class - fold_of.keys()):
            fold_of[each] = len(fold_of) % folds
    place = np.array([fold_of.get(at, at % folds) for at in range(len(names))], np.intp)[group]
    pairs = [(np.flatnonzero(place != fold), np.flatnonzero(place == fold)) for fold in range(folds)]
    return [pair for pair in pairs if len(pair[1]) and _tells_apart(targets[pair[0]])]


def _tells_apart(targets: NDArray[np.bool_]) -> bool:
    """Return whether every class has an example, and one that it is not in."""
    return bool(targets.any(axis=0).all() and (targets.shape[1] == 1 or not targets.all(axis=0).any()))
