"""Linear heads: logistic regression of scikit-learn on unit rows, its regularisation chosen by cross-validation."""

from __future__ import annotations

import warnings
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from training.heads.folds import group_folds

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from encoder.heads import LinearHead

STRENGTHS = (1.0, 10.0, 100.0, 1000.0)
"""Values of scikit-learn's C that cross-validation chooses from: large ones, for the columns of unit rows are small."""

DEFAULT_STRENGTH = 100.0
"""C where there are too few examples to choose one."""

FOLDS = 5
_MOST_STEPS = 1000


@dataclass(frozen=True, slots=True)
class LinearFit:
    """A fitted linear head, and how it came about.

    Attributes:
        head: The head.
        strength: scikit-learn's C, the inverse of the regularisation.
        validated: The share of right answers in cross-validation (several labels: of right yes-or-no answers) with this
            C; None if it was not chosen so.
    """

    head: LinearHead
    strength: float
    validated: float | None


def fit_linear(
    rows: NDArray[np.float32],
    targets: NDArray[np.bool_],
    *,
    multi_label: bool = False,
    groups: Sequence[Hashable] | None = None,
    strength: float | None = None,
) -> LinearFit:
    """Fit logistic regression: one for all classes, or one for each, if a row may be of several.

    There is no chance in it: the same rows give the same head, bit for bit on one machine.

    Args:
        rows: float32 (n, D), of unit length.
        targets: bool (n, classes), true where a row is of a class.
        multi_label: Whether a row may be of several classes, or of none.
        groups: What belongs together, for cross-validation; None if each row stands alone.
        strength: C, above 0; None to choose it from STRENGTHS by cross-validation over groups, or DEFAULT_STRENGTH if
            some class has examples from fewer than two groups.

    Raises:
        ValueError: Shapes differ, a number is not finite, a class has no example or (with several labels) every row, or
            a row has not exactly one class and `multi_label` is False.
    """
    import numpy as np

    from encoder.heads import LinearHead

    check_targets(targets, len(rows), multi_label=multi_label)
    if rows.ndim != 2 or not np.isfinite(rows).all():
        raise ValueError(f"rows (n, D) of finite numbers are needed, got {rows.shape}")
    features, validated = rows.astype(np.float64), None
    if strength is None:
        folds = group_folds(targets, groups if groups is not None else range(len(rows)), FOLDS)
        strength, validated = _chosen(features, targets, folds, multi_label) if folds else (DEFAULT_STRENGTH, None)
    weight, bias = _fit(features, targets, strength, multi_label)
    return LinearFit(LinearHead(weight.astype(np.float32), bias.astype(np.float32)), strength, validated)


def check_targets(targets: NDArray[np.bool_], count: int, *, multi_label: bool) -> None:
    """Raise ValueError unless `count` examples are labelled so that every class can be told from the others."""
    if targets.ndim != 2 or len(targets) != count or not count or not targets.shape[1]:
        raise ValueError(f"labels (n, classes) of {count} examples are needed, got {targets.shape}")
    examples = targets.sum(axis=0)
    if not examples.all() or (multi_label and (examples == count).any()):
        raise ValueError("every class needs examples, and examples that it is not in")
    if not multi_label and ((targets.sum(axis=1) != 1).any() or targets.shape[1] < 2):
        raise ValueError("every example needs one class, of at least two")


def _chosen(
    rows: NDArray[np.float64],
    targets: NDArray[np.bool_],
    folds: Sequence[tuple[NDArray[np.intp], NDArray[np.intp]]],
    multi_label: bool,
) -> tuple[float, float]:
    """Return the C with the smallest loss on the rows left out, and its share of right answers there."""
    import numpy as np

    best = (np.inf, DEFAULT_STRENGTH, 0.0)
    for strength in STRENGTHS:
        losses, right = [], []
        for train, test in folds:
            weight, bias = _fit(rows[train], targets[train], strength, multi_label)
            loss, correct = _loss(rows[test] @ weight.T + bias, targets[test], multi_label)
            losses.append(loss)
            right.append(correct)
        best = min(best, (float(np.concatenate(losses).mean()), strength, float(np.concatenate(right).mean())))
    return best[1:]


def _loss(
    logits: NDArray[np.float64], targets: NDArray[np.bool_], multi_label: bool
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the cross-entropy of each row (of several labels: of each row and class), and whether it is right."""
    import numpy as np

    if multi_label:
        return np.logaddexp(0, np.where(targets, -logits, logits)).ravel(), ((logits > 0) == targets).ravel()
    loss = np.logaddexp.reduce(logits, axis=1) - logits[targets]
    return loss, targets[np.arange(len(targets)), logits.argmax(axis=1)]


def _fit(
    rows: NDArray[np.float64], targets: NDArray[np.bool_], strength: float, multi_label: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    import numpy as np

    if multi_label:
        each = [_regression(rows, column, strength) for column in targets.T]
        return np.concatenate([fit.coef_ for fit in each]), np.concatenate([fit.intercept_ for fit in each])
    fit = _regression(rows, targets.argmax(axis=1), strength)
    if targets.shape[1] == 2:  # scikit-learn has one logit of two classes: half of it for one, half against the other
        return np.concatenate([-fit.coef_, fit.coef_]) / 2, np.concatenate([-fit.intercept_, fit.intercept_]) / 2
    return fit.coef_, fit.intercept_


def _regression(rows: NDArray[np.float64], labels: NDArray[Any], strength: float) -> Any:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, "blas"), warnings.catch_warnings():  # sums of several threads may differ in the last bit
        warnings.simplefilter("ignore", ConvergenceWarning)  # the last steps change no decision
        return LogisticRegression(C=strength, max_iter=_MOST_STEPS).fit(rows, labels)
