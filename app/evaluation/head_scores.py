"""How good scores of classes are: accuracy, average precision, agreement, each with its interval over groups."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.evaluation.figure import Figure, figure_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_WORST = 5


@dataclass(frozen=True, slots=True)
class Confusion:
    """How many examples of one class were taken for another. Classes are positions."""

    truth: int
    predicted: int
    count: int


@dataclass(frozen=True, slots=True)
class ScoreReport:
    """What scores are worth.

    Attributes:
        examples, groups: How many there are.
        top_1, top_5, class_averaged, kappa: None where an example may have several labels. top_5 is also None with five
            classes or fewer.
        mean_average_precision: None where every example has one label.
        by_class: Accuracy of each class, or average precision if there may be several labels; None without examples.
        count_by_class: Examples of each class.
        confusions: The most frequent ones, the worst first.
    """

    examples: int
    groups: int
    top_1: Figure | None
    top_5: Figure | None
    class_averaged: Figure | None
    kappa: Figure | None
    mean_average_precision: Figure | None
    by_class: tuple[float | None, ...]
    count_by_class: tuple[int, ...]
    confusions: tuple[Confusion, ...]

    def figures(self) -> dict[str, Figure]:
        """Return what is defined, by name."""
        names = ("top_1", "top_5", "class_averaged", "kappa", "mean_average_precision")
        return {name: figure for name in names if (figure := getattr(self, name)) is not None}


def probabilities(logits: NDArray[np.float32], multi_label: bool) -> NDArray[np.float64]:
    """Return the probability of each class, float64 (n, classes): softmax, or sigmoid if there may be several."""
    import numpy as np

    values = logits.astype(np.float64)
    if multi_label:
        return np.exp(-np.logaddexp(0, -values))
    chances: NDArray[np.float64] = np.exp(values - np.logaddexp.reduce(values, axis=1, keepdims=True))
    return chances


def class_average(truth: NDArray[np.intp], hits: NDArray[np.float64], background: int | None = None) -> float | None:
    """Return the mean over classes of the mean of hits: `metrics.classification.accuracy_by_class`, for a bootstrap.

    Args:
        truth: (n,), the position of the class of each example.
        hits: (n,), the chance of each that its class is the best.
        background: The class that is left out.
    """
    import numpy as np

    counts = np.bincount(truth)
    has = counts > 0
    if background is not None and background < len(has):
        has[background] = False
    if not has.any():
        return None
    return float((np.bincount(truth, hits)[has] / counts[has]).mean())


def measure_scores(
    targets: NDArray[np.bool_],
    scores: NDArray[np.floating],
    groups: Sequence[Hashable],
    *,
    multi_label: bool,
    background: int | None = None,
    seed: int = 0,
) -> ScoreReport:
    """Measure scores against the truth.

    Args:
        targets: bool (n, classes), true where an example is of a class; exactly one of them unless `multi_label`.
        scores: (n, classes), larger is better: logits, probabilities or cosines.
        groups: What belongs together, such as the videos; intervals are over these.
        multi_label: Whether an example may have several labels, or none.
        background: The class that is left out of means over classes.
        seed: Of the bootstrap.

    Raises:
        ValueError: There is no example, shapes differ, or a score is not a number.
    """
    import numpy as np

    from metrics.classification import (
        accuracy_by_class,
        average_precision_by_class,
        cohens_kappa,
        confusion_matrix,
        hit_chances,
    )

    if not len(targets) or targets.shape != scores.shape or len(groups) != len(targets):
        raise ValueError(f"scores {targets.shape} of at least one example are needed, got {scores.shape}")

    def figure(measure: Callable[[NDArray[np.intp]], float | None]) -> Figure:
        return figure_of(measure, groups, seed=seed)

    count = tuple(int(each) for each in targets.sum(axis=0))
    many = len(set(groups))
    if multi_label:
        precision = average_precision_by_class(targets, scores, background=background)
        mean = figure(lambda at: average_precision_by_class(targets[at], scores[at], background=background).mean)
        return ScoreReport(len(targets), many, None, None, None, None, mean, precision.each, count, ())
    truth, predicted = targets.argmax(axis=1), scores.argmax(axis=1)
    first, fifth = hit_chances(truth, scores, 1), hit_chances(truth, scores, 5)
    matrix = confusion_matrix(truth, predicted, targets.shape[1])
    np.fill_diagonal(matrix, 0)
    worst = [divmod(int(at), len(matrix)) for at in np.argsort(-matrix, axis=None, kind="stable")[:_WORST]]
    return ScoreReport(
        examples=len(targets),
        groups=many,
        top_1=figure(lambda at: float(first[at].mean())),
        top_5=figure(lambda at: float(fifth[at].mean())) if targets.shape[1] > 5 else None,
        class_averaged=figure(lambda at: class_average(truth[at], first[at], background)),
        kappa=figure(lambda at: cohens_kappa(truth[at], predicted[at])),
        mean_average_precision=None,
        by_class=accuracy_by_class(truth, scores, background=background).each,
        count_by_class=count,
        confusions=tuple(Confusion(a, b, int(matrix[a, b])) for a, b in worst if matrix[a, b]),
    )
