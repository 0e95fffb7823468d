"""Measures of classification: top-k accuracy, means over classes, confusion, agreement.

A mean over classes leaves out the background, where one is named, and classes for which the measure is not defined:
these are named in the result, as a mean over fewer classes is not to be read as one over all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from metrics.ranking import average_precision
from metrics.retrieval import rank_queries


@dataclass(frozen=True)
class ByClass:
    """A measure of each class, and its mean.

    Args:
        mean: Mean over the classes for which the measure is defined, without the background; None if there is none.
        each: The measure of each class, the background's too; None where it is not defined.
        undefined: Positions of the classes, the background aside, that the mean leaves out.
    """

    mean: float | None
    each: tuple[float | None, ...]
    undefined: tuple[int, ...]


def hit_chances(truth: ArrayLike, scores: ArrayLike, k: int = 1) -> NDArray[np.float64]:
    """Return for each item the chance that its class is among the k best, with equal scores in random order.

    Args:
        truth: (n,), the position of the class of each item.
        scores: (n, classes), larger is better.
        k: 1 or more.

    Returns:
        float64 (n,); without equal scores 0 and 1 alone.

    Raises:
        ValueError: The lengths differ, a score is NaN, a class is out of range, or `k` is below 1.
    """
    return rank_queries(scores, _labels(truth)).within(k)


def top_k_accuracy(truth: ArrayLike, scores: ArrayLike, k: int = 1) -> float | None:
    """Return the mean of `hit_chances`; None without items. Arguments and errors are the same."""
    chances = hit_chances(truth, scores, k)
    return float(chances.mean()) if chances.size else None


def accuracy_by_class(truth: ArrayLike, scores: ArrayLike, *, k: int = 1, background: int | None = None) -> ByClass:
    """Return the top-k accuracy over the items of each class; its mean is class-averaged accuracy.

    It is not defined for classes without items. scikit-learn's `balanced_accuracy_score` and torcheval average
    likewise; `recall_score` and torchmetrics count such classes as 0, once somebody predicts them.

    Args:
        truth: (n,), the position of the class of each item.
        scores: (n, classes), larger is better.
        k: 1 or more.
        background: Position of a class that is left out of the mean.

    Raises:
        ValueError: As `hit_chances` does, or the background is out of range.
    """
    labels, chances = _labels(truth), hit_chances(truth, scores, k)
    members = [labels == at for at in range(np.shape(scores)[1])]
    return _averaged([float(chances[of].mean()) if of.any() else None for of in members], background)


def average_precision_by_class(relevant: ArrayLike, scores: ArrayLike, *, background: int | None = None) -> ByClass:
    """Return the average precision of each class (`metrics.ranking.average_precision`); its mean is mAP.

    It is not defined for classes without a positive. scikit-learn, torchmetrics and torcheval count these as 0.

    Args:
        relevant: bool (n, classes), true where an item is of a class; it may be of several, or of none.
        scores: (n, classes), larger is better. Only their order within a class counts.
        background: Position of a class that is left out of the mean.

    Raises:
        ValueError: The shapes differ, a score is NaN, or the background is out of range.
    """
    truth, values = np.asarray(relevant, dtype=bool), np.asarray(scores, dtype=np.float64)
    _check_tables(truth, values)
    return _averaged([average_precision(truth[:, at], values[:, at]) for at in range(truth.shape[1])], background)


def f1_by_class(truth: ArrayLike, predicted: ArrayLike, *, background: int | None = None) -> ByClass:
    """Return the F1 of each class, frame by frame or item by item: 2 TP / (2 TP + FP + FN).

    It is not defined for classes that neither occur nor are predicted. A class that is only predicted has 0.

    Args:
        truth: bool (n, classes); `indicators` makes it of labels.
        predicted: bool (n, classes).
        background: Position of a class that is left out of the mean.

    Raises:
        ValueError: The shapes differ, or the background is out of range.
    """
    true, said = np.asarray(truth, dtype=bool), np.asarray(predicted, dtype=bool)
    _check_tables(true, said)
    both, total = (true & said).sum(axis=0), true.sum(axis=0) + said.sum(axis=0)
    return _averaged([float(2 * b / t) if t else None for b, t in zip(both, total, strict=True)], background)


def indicators(labels: ArrayLike, classes: int) -> NDArray[np.bool_]:
    """Return bool (n, classes), true where an item has the class.

    Args:
        labels: (n,), the position of the class of each item.
        classes: Number of classes.

    Raises:
        ValueError: A label is not from 0 to classes - 1.
    """
    of_class: NDArray[np.bool_] = _labels(labels, classes)[:, None] == np.arange(classes)
    return of_class


def confusion_matrix(truth: ArrayLike, predicted: ArrayLike, classes: int) -> NDArray[np.int64]:
    """Return how often items of each class (row) were taken for each class (column), int64 (classes, classes).

    Args:
        truth: (n,), the position of the class of each item.
        predicted: (n,), the class that it was taken for.
        classes: Number of classes.

    Raises:
        ValueError: The lengths differ, or a label is not from 0 to classes - 1.
    """
    true, said = _labels(truth, classes), _labels(predicted, classes)
    if true.size != said.size:
        raise ValueError(f"two labels for each item are needed, got {true.size} and {said.size}")
    counts: NDArray[np.int64] = np.bincount(true * classes + said, minlength=classes * classes)
    return counts.reshape(classes, classes)


def cohens_kappa(first: ArrayLike, second: ArrayLike) -> float | None:
    """Return the agreement of two annotators beyond chance: (observed - expected) / (1 - expected).

    Args:
        first: (n,), labels of any kind that can be sorted.
        second: (n,), labels of the same items by somebody else.

    Returns:
        1 for full agreement, 0 for that of chance, below 0 for less. None without items, or if both used one and the
        same label throughout: chance alone agrees fully then.

    Raises:
        ValueError: The lengths differ.
    """
    one, two = np.asarray(first), np.asarray(second)
    if one.ndim != 1 or one.shape != two.shape:
        raise ValueError(f"two labels for each item are needed, got {one.shape} and {two.shape}")
    names, labels = np.unique(np.concatenate([one, two]), return_inverse=True)
    return kappa_of_counts(confusion_matrix(labels[: one.size], labels[one.size :], names.size))


def kappa_of_counts(counts: ArrayLike) -> float | None:
    """Return `cohens_kappa` of labels that are counted already, so that counts of several recordings can be added.

    Args:
        counts: int (classes, classes), a `confusion_matrix` or a sum of several.
    """
    table = np.asarray(counts)
    total, agreed = int(table.sum()), int(np.trace(table))
    by_chance = int(table.sum(axis=0) @ table.sum(axis=1))  # times the total squared; whole numbers have no rounding
    if by_chance == total**2:
        return None
    return float((total * agreed - by_chance) / (total**2 - by_chance))


def _averaged(values: Sequence[float | None], background: int | None) -> ByClass:
    if background is not None and not 0 <= background < len(values):
        raise ValueError(f"the background is none of the {len(values)} classes: {background}")
    counted = {at: value for at, value in enumerate(values) if at != background}
    known = [value for value in counted.values() if value is not None]
    undefined = tuple(at for at, value in counted.items() if value is None)
    return ByClass(float(np.mean(known)) if known else None, tuple(values), undefined)


def _labels(labels: ArrayLike, classes: int | None = None) -> NDArray[np.intp]:
    given = np.asarray(labels)
    if given.ndim != 1 or (given.size and given.dtype.kind not in "iu"):
        raise ValueError(f"labels are positions of classes, got {given.dtype} of shape {given.shape}")
    if given.size and classes is not None and not 0 <= given.min() <= given.max() < classes:
        raise ValueError(f"labels are positions of {classes} classes, got {given.min()} to {given.max()}")
    return given.astype(np.intp)


def _check_tables(first: NDArray[np.generic], second: NDArray[np.generic]) -> None:
    if first.ndim != 2 or first.shape != second.shape:
        raise ValueError(
            f"a row for each item and a column for each class are needed, got {first.shape} and {second.shape}"
        )
