"""Classification: what is averaged over which classes, and what equal scores, absent classes and chance do to it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from metrics.classification import (
    ByClass,
    accuracy_by_class,
    average_precision_by_class,
    cohens_kappa,
    confusion_matrix,
    f1_by_class,
    hit_chances,
    indicators,
    top_k_accuracy,
)
from metrics.ranking import average_precision, mean_average_precision


def test_the_chance_of_a_hit_is_shared_by_equal_scores() -> None:
    scores = [[3.0, 1.0, 2.0], [1.0, 1.0, 0.0], [0.0, 0.0, 0.0]]
    assert hit_chances([0, 1, 2], scores).tolist() == pytest.approx([1, 1 / 2, 1 / 3])
    assert hit_chances([1, 2, 2], scores, k=2).tolist() == pytest.approx([0, 0, 2 / 3])
    assert top_k_accuracy([0, 1, 2], scores) == pytest.approx((1 + 1 / 2 + 1 / 3) / 3)
    assert top_k_accuracy([0, 1, 2], scores, k=3) == 1
    assert top_k_accuracy([], np.zeros((0, 3))) is None


def test_accuracy_is_averaged_over_the_classes_that_occur() -> None:
    truth = [0, 0, 0, 2]
    scores = np.eye(4)[[0, 0, 1, 3]]  # class 3 is only predicted, class 1 only by mistake
    assert accuracy_by_class(truth, scores) == ByClass(1 / 3, (2 / 3, None, 0.0, None), (1, 3))
    assert accuracy_by_class(truth, scores, background=0) == ByClass(0.0, (2 / 3, None, 0.0, None), (1, 3))
    assert accuracy_by_class(truth, scores, background=3).undefined == (1,), "the background is not missed"
    assert accuracy_by_class(truth, scores, k=4).mean == 1
    assert accuracy_by_class([], np.zeros((0, 2))) == ByClass(None, (None, None), (0, 1))


def test_mean_average_precision_leaves_out_the_background_and_names_what_has_no_example() -> None:
    chance = np.random.default_rng(0)
    relevant = chance.random((80, 4)) < 0.3
    relevant[:, 2] = False
    scores = chance.normal(size=(80, 4)).round(1)
    each = [average_precision(relevant[:, at], scores[:, at]) for at in range(4)]
    found = average_precision_by_class(relevant, scores)
    assert found.each == tuple(each)
    assert found.undefined == (2,)
    assert found.mean == pytest.approx(np.mean([each[at] for at in (0, 1, 3)]))
    assert (found.mean, list(found.undefined)) == mean_average_precision(relevant, scores)
    without = average_precision_by_class(relevant, scores, background=0)
    assert without.each == tuple(each), "the background has a value, too"
    assert without.mean == pytest.approx(np.mean([each[at] for at in (1, 3)]))
    assert average_precision_by_class(relevant, scores, background=2).undefined == ()
    assert average_precision_by_class(np.zeros((3, 2)), np.zeros((3, 2))) == ByClass(None, (None, None), (0, 1))


def test_f1_counts_frames_and_knows_classes_that_nobody_names() -> None:
    truth = indicators([0, 0, 1, 1, 1, 4], 5)
    predicted = indicators([0, 1, 1, 1, 2, 1], 5)
    assert f1_by_class(truth, predicted) == ByClass(
        pytest.approx((2 / 3 + 4 / 7) / 4), (2 / 3, pytest.approx(4 / 7), 0.0, None, 0.0), (3,)
    )
    assert f1_by_class(truth, predicted, background=1).mean == pytest.approx(2 / 3 / 3)
    several = np.array([[True, True], [False, True]])
    assert f1_by_class(several, [[True, False], [False, True]]).each == (1.0, pytest.approx(2 / 3))
    assert f1_by_class(np.zeros((0, 2)), np.zeros((0, 2))) == ByClass(None, (None, None), (0, 1))


def test_confusion_has_the_truth_in_rows() -> None:
    found = confusion_matrix([0, 0, 2, 2, 2], [0, 1, 2, 2, 0], 4)
    assert found.tolist() == [[1, 1, 0, 0], [0, 0, 0, 0], [1, 0, 2, 0], [0, 0, 0, 0]]
    assert confusion_matrix([], [], 2).tolist() == [[0, 0], [0, 0]]


def test_kappa_of_known_tables() -> None:
    """Of 50 items both say yes to 20 and no to 15: they agree on 0.7, and would on 0.5 by chance."""
    first = [1] * 20 + [1] * 5 + [0] * 10 + [0] * 15
    second = [1] * 20 + [0] * 5 + [1] * 10 + [0] * 15
    assert cohens_kappa(first, second) == pytest.approx(0.4)
    assert cohens_kappa(["a", "b", "a"], ["a", "b", "a"]) == 1
    assert cohens_kappa([0, 0, 1, 1], [0, 1, 0, 1]) == 0
    assert cohens_kappa([0, 1], [1, 0]) == -1
    assert cohens_kappa([0, 0, 0], [0, 0, 1]) == 0, "one label of one annotator is chance, not undefined"
    assert cohens_kappa([0, 0], [1, 1]) == 0
    assert cohens_kappa([3, 3, 3], [3, 3, 3]) is None
    assert cohens_kappa([], []) is None


def test_wrong_input_is_refused() -> None:
    table = np.zeros((2, 3))
    for call, words in (
        (lambda: hit_chances([0, 3], table), "not among the 3"),
        (lambda: hit_chances([-1, 0], table), "not among the 3"),
        (lambda: hit_chances([0.0, 1.0], table), "labels are positions"),
        (lambda: hit_chances([[0, 1]], table), "labels are positions"),
        (lambda: hit_chances([0], table), "row for each"),
        (lambda: hit_chances([0, 0], [[0.0, math.nan], [0.0, 0.0]]), "not a number"),
        (lambda: top_k_accuracy([0, 0], table, 0), "at least 1"),
        (lambda: accuracy_by_class([0, 0], table, background=3), "background is none of the 3"),
        (lambda: accuracy_by_class([0, 0], table, background=-1), "background is none of the 3"),
        (lambda: average_precision_by_class(table, [[0.0]]), "row for each item"),
        (lambda: average_precision_by_class([1.0], [1.0]), "row for each item"),
        (lambda: average_precision_by_class([[1.0]], [[math.nan]]), "not a number"),
        (lambda: f1_by_class(table, [[True]]), "row for each item"),
        (lambda: indicators([0, 2], 2), "positions of 2 classes, got 0 to 2"),
        (lambda: indicators([-1], 2), "positions of 2 classes, got -1 to -1"),
        (lambda: confusion_matrix([0, 1], [0], 2), "two labels for each item"),
        (lambda: confusion_matrix([0, 1], [0, 2], 2), "positions of 2 classes"),
        (lambda: cohens_kappa([0, 1], [0]), "two labels for each item"),
        (lambda: cohens_kappa([[0]], [[0]]), "two labels for each item"),
    ):
        with pytest.raises(ValueError, match=words):
            call()
