"""Measures of a ranking by scores; equal scores never profit from the order in which they happen to be stored.

Scores are compared as float64 without any transformation, so logits and cosines of any range serve alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


def roc_auc(relevant: ArrayLike, scores: ArrayLike) -> float | None:
    """Return the probability that a relevant item scores above an irrelevant one, with ties counted as half.

    Args:
        relevant: (n,), true for relevant items.
        scores: (n,), larger is better.

    Returns:
        The area under the ROC curve; None if all items are relevant, or none.

    Raises:
        ValueError: The lengths differ, or a score is NaN. Every measure of this module raises it.
    """
    truth, values = _checked(relevant, scores)
    positives = int(truth.sum())
    negatives = truth.size - positives
    if not positives or not negatives:
        return None
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    mean_rank = np.cumsum(counts) - (counts - 1) / 2  # 1 for the lowest; equal scores share the mean of their ranks
    above = mean_rank[place][truth].sum() - positives * (positives + 1) / 2
    return float(above / (positives * negatives))


def true_positive_rate(relevant: ArrayLike, scores: ArrayLike, false_positive_rate: float) -> float | None:
    """Return the largest share of relevant items above a threshold that lets through so many irrelevant ones at most.

    Thresholds lie between distinct scores, so equal scores pass together; nothing is interpolated.

    Returns:
        A share from 0 to 1; None if all items are relevant, or none.
    """
    truth, values = _checked(relevant, scores)
    hits, passed = _at_thresholds(truth, values)
    positives = int(truth.sum())
    negatives = truth.size - positives
    if not positives or not negatives:
        return None
    allowed = passed - hits <= false_positive_rate * negatives + 1e-9  # 0.05 * 60 is slightly less than 3
    return float(hits[allowed].max(initial=0) / positives)


def average_precision(relevant: ArrayLike, scores: ArrayLike) -> float | None:
    """Return the mean precision at the thresholds that bring in relevant items, weighted by how many they bring in.

    There is one threshold for each distinct score, and no interpolation. Precision at each relevant item instead would
    depend on the order of equal scores.

    Returns:
        A value from 0 to 1; None without relevant items.
    """
    truth, values = _checked(relevant, scores)
    hits, passed = _at_thresholds(truth, values)
    if not hits.size or not hits[-1]:
        return None
    return float((np.diff(hits, prepend=0) * hits / passed).sum() / hits[-1])


def mean_average_precision(relevant: ArrayLike, scores: ArrayLike) -> tuple[float | None, list[int]]:
    """Return the mean of the average precision over the classes that have a relevant item, and the classes left out.

    Args:
        relevant: (n, classes), true where an item is of a class.
        scores: (n, classes).

    Returns:
        The mean, None if no class has a relevant item; and the positions of the classes without one.
    """
    truth, values = np.asarray(relevant, dtype=bool), np.asarray(scores, dtype=np.float64)
    if truth.ndim != 2 or truth.shape != values.shape:
        raise ValueError(
            f"a row for each item and a column for each class are needed, got {truth.shape}, {values.shape}"
        )
    each = [average_precision(truth[:, at], values[:, at]) for at in range(truth.shape[1])]
    known = [value for value in each if value is not None]
    return (float(np.mean(known)) if known else None), [at for at, value in enumerate(each) if value is None]


def recall_at(relevant: ArrayLike, scores: ArrayLike, k: int) -> float | None:
    """Return the share of relevant items among the k best, expected if equal scores were put in random order.

    With one relevant item this is the expected R@k (top-k accuracy) of a question.

    Returns:
        A value from 0 to 1; None without relevant items.
    """
    truth, values = _checked(relevant, scores)
    return float(_chance_of_rank(values, k)[truth].mean()) if truth.any() else None


def precision_at(relevant: ArrayLike, scores: ArrayLike, k: int) -> float | None:
    """Return the share of the k best that are relevant, expected if equal scores were put in random order.

    Returns:
        A value from 0 to 1, of fewer than k if there are fewer items; None without items.
    """
    truth, values = _checked(relevant, scores)
    return float(_chance_of_rank(values, k)[truth].sum() / min(k, truth.size)) if truth.size else None


def _chance_of_rank(values: NDArray[np.float64], k: int) -> NDArray[np.float64]:
    """Return for each item the probability that it is among the k best, with equal scores in random order."""
    if k < 1:
        raise ValueError(f"k is the number of best items and must be at least 1, got {k}")
    _, place, counts = np.unique(-values, return_inverse=True, return_counts=True)
    better = np.cumsum(counts) - counts
    chances: NDArray[np.float64] = np.clip((k - better) / counts, 0, 1)[place]
    return chances


def _at_thresholds(truth: NDArray[np.bool_], values: NDArray[np.float64]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the numbers of relevant items and of all items that pass each distinct score, best score first."""
    order = np.argsort(-values, kind="stable")
    last = np.flatnonzero(np.diff(values[order], append=np.nan) != 0)  # of each run of equal scores; NaN differs
    return np.cumsum(truth[order])[last], last + 1


def _checked(relevant: ArrayLike, scores: ArrayLike | Sequence[float]) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    truth, values = np.asarray(relevant, dtype=bool), np.asarray(scores, dtype=np.float64)
    if truth.ndim != 1 or truth.shape != values.shape:
        raise ValueError(f"a score for each item is needed, got {values.shape} for {truth.shape}")
    if np.isnan(values).any():
        raise ValueError("a score is not a number")
    return truth, values
