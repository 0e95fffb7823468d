"""A classification task: stretches of video, their classes, and which of them are for training and for the test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.evaluation.labelled import LabelledStretch

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class TaskError(ValueError):
    """The labels do not make a task; the message says why, in one line."""


@dataclass(frozen=True, slots=True)
class ProbeTask:
    """What is to be told apart.

    Attributes:
        stretches: All of them, of any split.
        classes: Names of the classes, in the order of scores.
        multi_label: Whether a stretch may have several labels, or none.
        background: A class that is left out of means over classes.
    """

    stretches: Sequence[LabelledStretch]
    classes: tuple[str, ...]
    multi_label: bool
    background: str | None = None

    def targets(self, stretches: Sequence[LabelledStretch]) -> NDArray[np.bool_]:
        """Return bool (n, classes), true where a stretch is of a class. Labels that are no class are left out."""
        import numpy as np

        columns = {name: at for at, name in enumerate(self.classes)}
        shown = np.zeros((len(stretches), len(self.classes)), bool)
        for at, each in enumerate(stretches):
            shown[at, [columns[label] for label in each.labels if label in columns]] = True
        return shown

    def of_split(self, split: str) -> list[LabelledStretch]:
        """Return the stretches of a split; all of them where none is named at all."""
        if not any(each.split for each in self.stretches):
            return list(self.stretches)
        return [each for each in self.stretches if each.split == split]


def task_of(stretches: Sequence[LabelledStretch], *, multi_label: bool = False) -> ProbeTask:
    """Return the task of labelled stretches; the classes are their labels, in alphabetical order.

    Args:
        stretches: Several labels of one, or none, make the task one of several labels.
        multi_label: Make it one in any case.

    Raises:
        TaskError: There are fewer than two classes (with several labels: none).
    """
    classes = tuple(sorted({label for each in stretches for label in each.labels}))
    several = multi_label or any(len(each.labels) != 1 for each in stretches)
    if len(classes) < (1 if several else 2):
        raise TaskError(f"at least two classes are needed, and the labels name {', '.join(classes) or 'none'}")
    return ProbeTask(stretches, classes, several)


def train_and_test(task: ProbeTask, seed: int) -> tuple[list[LabelledStretch], list[LabelledStretch]]:
    """Return what to train on and what to test on.

    The splits that are named; where none is, every second group in an order drawn by the seed is for the test.

    Raises:
        TaskError: One of them is empty.
    """
    import numpy as np

    if any(each.split for each in task.stretches):
        train, test = task.of_split("train"), task.of_split("test")
    else:
        groups = list(dict.fromkeys(each.group for each in task.stretches))
        drawn = {groups[at] for at in np.random.default_rng(seed).permutation(len(groups))[1::2]}
        train = [each for each in task.stretches if each.group not in drawn]
        test = [each for each in task.stretches if each.group in drawn]
    if not train or not test:
        raise TaskError(f"{len(train)} examples to train on and {len(test)} to test on are too few")
    return train, test


def shared_groups(train: Sequence[LabelledStretch], test: Sequence[LabelledStretch]) -> list[str]:
    """Return the groups that are in both: what is said of the test is then said of what was trained on, too."""
    return sorted({each.group for each in train} & {each.group for each in test})


def groups_of(stretches: Sequence[LabelledStretch]) -> int:
    """Return the number of groups."""
    return len({each.group for each in stretches})
