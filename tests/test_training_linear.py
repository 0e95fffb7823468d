"""Linear heads: they tell made classes apart, choose their regularisation over groups, and come out the same again."""

from __future__ import annotations

import numpy as np
import pytest

from training.heads.few_shot import draw_examples
from training.heads.folds import group_folds
from training.heads.linear import DEFAULT_STRENGTH, STRENGTHS, fit_linear


def made(classes: int, count: int, *, noise: float = 0.3, dim: int = 8, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Unit rows around one direction a class, and their labels, bool (n, classes)."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % classes
    rows = np.eye(dim)[labels] + rng.normal(0, noise, (count, dim))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32), np.eye(classes, dtype=bool)[labels]


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_the_classes_of_new_rows_are_told_apart(classes: int) -> None:
    rows, targets = made(classes, 60)
    new, truth = made(classes, 60, seed=1)
    fit = fit_linear(rows, targets)
    assert (fit.head.classes, fit.head.dim) == (classes, 8)
    assert ((fit.head.logits(new)).argmax(1) == truth.argmax(1)).mean() > 0.9


def test_the_probabilities_of_two_classes_are_those_of_scikit_learn() -> None:
    from sklearn.linear_model import LogisticRegression

    rows, targets = made(2, 30)
    fit = fit_linear(rows, targets, strength=10.0)
    logits = fit.head.logits(rows)
    ours = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    oracle = LogisticRegression(C=10.0, max_iter=1000).fit(rows.astype(np.float64), targets.argmax(1))
    assert np.allclose(ours, oracle.predict_proba(rows), atol=1e-5)


def test_several_labels_have_a_regression_each() -> None:
    from sklearn.linear_model import LogisticRegression

    rows, one = made(4, 80)
    targets = one | np.roll(one, 1, axis=1)
    targets[:8] = False  # a row may be of no class
    fit = fit_linear(rows, targets, multi_label=True, strength=100.0)
    for column in range(4):
        oracle = LogisticRegression(C=100.0, max_iter=1000).fit(rows.astype(np.float64), targets[:, column])
        assert np.allclose(fit.head.weights[column], oracle.coef_[0], atol=1e-5)


def test_the_same_rows_give_the_same_head_bit_for_bit() -> None:
    rows, targets = made(5, 200, dim=64)
    first, second = fit_linear(rows, targets), fit_linear(rows, targets)
    assert first.head.weights.tobytes() == second.head.weights.tobytes()
    assert first.head.bias.tobytes() == second.head.bias.tobytes()


def test_regularisation_is_chosen_over_groups_and_else_the_default_that_is_stated() -> None:
    rows, targets = made(2, 40, noise=0.6)
    chosen = fit_linear(rows, targets)
    assert chosen.strength in STRENGTHS
    assert chosen.validated is not None
    assert 0.5 < chosen.validated <= 1
    alone = fit_linear(rows, targets, groups=["one"] * 40)
    assert (alone.strength, alone.validated) == (DEFAULT_STRENGTH, None)


def test_what_is_alike_within_groups_does_not_flatter_the_cross_validation() -> None:
    """Ten copies of each row: with every copy alone, the answer would be known."""
    rng = np.random.default_rng(0)
    base = rng.normal(size=(12, 30)).astype(np.float32)
    base /= np.linalg.norm(base, axis=1, keepdims=True)
    rows, groups = base.repeat(10, axis=0), np.arange(12).repeat(10)
    targets = np.eye(2, dtype=bool)[groups % 2]
    assert fit_linear(rows, targets).validated == 1
    honest = fit_linear(rows, targets, groups=groups.tolist()).validated
    assert honest is not None
    assert honest < 0.9


@pytest.mark.parametrize(
    ("targets", "multi_label", "message"),
    [
        (np.zeros((4, 2), bool), False, "every class needs examples"),
        (np.eye(2, dtype=bool)[[0, 0, 0, 0]], False, "every class needs examples"),
        (np.ones((4, 1), bool), False, "one class, of at least two"),
        (np.ones((4, 2), bool), False, "one class, of at least two"),
        (np.ones((4, 2), bool), True, "not in"),
        (np.zeros((0, 2), bool), False, "0|4 examples"),
        (np.eye(2, dtype=bool)[[0, 1, 0]], False, "4 examples"),
    ],
)
def test_labels_that_tell_nothing_apart_are_refused(targets: np.ndarray, multi_label: bool, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fit_linear(np.ones((4, 3), np.float32), targets, multi_label=multi_label)


def test_rows_that_are_not_numbers_are_refused() -> None:
    rows, targets = made(2, 10)
    rows[3, 2] = np.nan
    with pytest.raises(ValueError, match="finite"):
        fit_linear(rows, targets)


# Folds and draws


def test_folds_keep_groups_together_and_every_class_in_training() -> None:
    rng = np.random.default_rng(0)
    groups = rng.integers(0, 17, 200).tolist()
    targets = np.eye(3, dtype=bool)[np.array(groups) % 3]
    folds = group_folds(targets, groups, 5)
    assert len(folds) == 5
    assert sorted(np.concatenate([test for _, test in folds]).tolist()) == list(range(200))
    for train, test in folds:
        assert not {groups[at] for at in train} & {groups[at] for at in test}
        assert targets[train].any(axis=0).all()


def test_without_two_groups_of_every_class_there_is_no_fold() -> None:
    targets = np.eye(2, dtype=bool)[[0, 0, 0, 1]]
    assert group_folds(targets, [1, 2, 3, 4], 5) == []
    assert group_folds(targets, [1, 2, 3, 3], 5) == []


def test_as_many_examples_of_each_class_are_drawn_and_from_different_groups_first() -> None:
    targets = np.eye(3, dtype=bool)[np.arange(60) % 3]
    groups = (np.arange(60) // 12).tolist()  # 5 groups of 4 examples a class
    drawn = draw_examples(targets, groups, 5, np.random.default_rng(0))
    assert targets[drawn].sum(axis=0).tolist() == [5, 5, 5]
    for column in range(3):
        assert len({groups[at] for at in drawn if targets[at, column]}) == 5
    assert drawn.tolist() == sorted(set(drawn.tolist()))
    assert draw_examples(targets, groups, 5, np.random.default_rng(0)).tolist() == drawn.tolist()
    assert draw_examples(targets, groups, 5, np.random.default_rng(1)).tolist() != drawn.tolist()


def test_a_class_with_fewer_gives_all_and_several_labels_count_for_each() -> None:
    targets = np.array([[1, 0], [1, 0], [1, 0], [1, 1], [0, 1]], bool)
    drawn = draw_examples(targets, range(5), 2, np.random.default_rng(0))
    assert {3, 4} <= set(drawn.tolist())
    assert targets[drawn].sum(axis=0).tolist() == [2, 2]
    assert draw_examples(targets, range(5), 9, np.random.default_rng(0)).tolist() == [0, 1, 2, 3, 4]
    with pytest.raises(ValueError, match="at least 1"):
        draw_examples(targets, range(5), 0, np.random.default_rng(0))
