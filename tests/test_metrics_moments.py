"""Moments: against the public evaluations' rules written out, by scikit-learn, and where windows share a score."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from metrics.moments import Moments, moment_summary


def drawn(seed: int, decimals: int | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    chance = np.random.default_rng(seed)

    def windows(count: int) -> np.ndarray:
        starts = chance.integers(0, 15, count)
        return np.stack([starts, starts + chance.integers(1, 9, count)], axis=1).astype(float)

    scores = chance.random(10)
    return windows(int(chance.integers(1, 5))), windows(10), scores if decimals is None else scores.round(decimals)


def overlap(one: np.ndarray, two: np.ndarray) -> float:
    shared = max(0.0, min(one[1], two[1]) - max(one[0], two[0]))
    return float(shared / (one[1] - one[0] + two[1] - two[0] - shared))


def rights(truth: np.ndarray, windows: np.ndarray, scores: np.ndarray, threshold: float) -> list[bool]:
    """Whether each window is right, best first: the free moment that it overlaps most is taken."""
    free, found = set(range(len(truth))), []
    for at in np.argsort(-scores, kind="stable"):
        best = max(free, key=lambda moment: overlap(windows[at], truth[moment]), default=None)
        right = best is not None and overlap(windows[at], truth[best]) >= threshold
        if right:
            free.remove(best)
        found.append(right)
    return found


@pytest.mark.parametrize("threshold", [0.1, 0.3, 0.5, 0.75])
def test_average_precision_follows_the_rules_of_matching(threshold: float) -> None:
    for seed in range(40):
        truth, windows, scores = drawn(seed)
        right = rights(truth, windows, scores, threshold)
        found = Moments(truth, windows, scores)
        precision = np.cumsum(right) / np.arange(1, 11)
        assert found.average_precision(threshold) == pytest.approx(sum(precision[right]) / len(truth))
        if any(right):  # scikit-learn does not know of moments that no window found
            known = average_precision_score(right, -np.arange(10)) * sum(right) / len(truth)
            assert found.average_precision(threshold) == pytest.approx(known)
        envelope = [max(precision[at:]) for at in range(10) if right[at]]
        assert found.average_precision(threshold, interpolated=True) == pytest.approx(sum(envelope) / len(truth))


def test_the_best_window_counts_with_the_moment_that_it_overlaps_most() -> None:
    found = Moments([(0, 4), (10, 20)], [(12, 20), (0, 4)], [0.9, 0.8])
    assert found.overlap == 0.8
    assert [found.hit(level) for level in (0.3, 0.8, 0.81, 1)] == [1, 1, 0, 0]
    assert Moments([(0, 4)], [(10, 12)], [1.0]).overlap == 0, "the gap between ranges is no part of their union"
    assert Moments([(0, 4)], [(4, 8)], [1.0]).hit(0.01) == 0, "times are half-open"


def test_windows_of_one_score_share_what_they_find() -> None:
    truth, windows = [(0, 10)], [(0, 10), (0, 5), (20, 30), (40, 50)]
    found = Moments(truth, windows, [1.0, 1.0, 1.0, 0.5])
    assert found.overlap == pytest.approx(0.5)
    assert found.hit(0.5) == pytest.approx(2 / 3)
    assert found.hit(0.7) == pytest.approx(1 / 3)
    assert found.average_precision(0.5) == pytest.approx(1 / 3)
    for seed in range(20):
        truth, windows, scores = drawn(seed, 0)
        orders = [np.random.default_rng(n).permutation(10) for n in range(5)]
        each = [Moments(truth, windows[order], scores[order]) for order in orders]
        assert len({round(one.average_precision(0.3), 12) for one in each}) == 1
        assert len({round(one.hit(0.5), 12) for one in each}) == 1


def test_among_equal_scores_the_largest_overlap_is_served_first() -> None:
    truth = [(0, 10), (12, 20)]
    for windows in itertools.permutations([(0, 10), (1, 17)]):  # 10 of 10; 9 of 17, and 5 of 19 with the other moment
        assert Moments(truth, windows, [1.0, 1.0]).average_precision(0.25) == 1
        assert Moments(truth, windows, [1.0, 1.0]).average_precision(0.3) == 0.25


def test_a_second_window_of_one_moment_is_wrong() -> None:
    found = Moments([(0, 10), (20, 30)], [(0, 10), (0, 9), (20, 30)], [0.9, 0.8, 0.7])
    assert found.average_precision(0.5) == pytest.approx((1 + 2 / 3) / 2)
    later = Moments([(0, 10)], [(30, 40), (0, 9)], [0.9, 0.8])
    assert later.average_precision(0.5) == later.average_precision(0.5, interpolated=True) == 0.5
    mixed = Moments([(0, 10), (20, 30), (40, 50)], [(60, 70), (0, 10), (20, 30)], [0.9, 0.8, 0.7])
    assert mixed.average_precision(0.5) == pytest.approx((1 / 2 + 2 / 3) / 3)
    assert mixed.average_precision(0.5, interpolated=True) == pytest.approx((2 / 3 + 2 / 3) / 3)


def test_thresholds_are_rounded_and_floats_forgiven() -> None:
    three_of_ten = Moments([(0, 10)], [(0, 3)], [1.0])
    for level in (0.3, 0.1 + 0.2, 0.304):
        assert three_of_ten.hit(level) == three_of_ten.average_precision(level) == 1
        assert moment_summary([three_of_ten], [level]).recall == {0.3: 1}
    assert three_of_ten.hit(0.31) == three_of_ten.average_precision(0.31) == 0
    seconds = Moments([(0.1, 0.4)], [(0.1, 0.25)], [1.0])
    assert seconds.overlap < 0.5, "0.15 of 0.3 seconds, as floats slightly less"
    assert seconds.hit(0.5) == seconds.average_precision(0.5) == 1


def test_a_question_without_windows_is_a_miss() -> None:
    nothing = Moments([(0, 1)], [], [])
    assert nothing.overlap == nothing.hit(0.3) == nothing.average_precision(0.3) == 0
    assert nothing.average_precision(0.3, interpolated=True) == 0
    summary = moment_summary([nothing, Moments([(0, 4)], [(0, 2), (0, 4)], [2.0, 1.0])])
    assert summary.queries == 2
    assert summary.recall == {0.3: 0.5, 0.5: 0.5, 0.7: 0}
    assert summary.mean_overlap == 0.25
    assert summary.average_precision == {0.3: 0.5, 0.5: 0.5, 0.7: 0.25}
    late = moment_summary(
        [Moments([(0, 4), (6, 9)], [(0, 1), (0, 4), (6, 9)], [3.0, 2.0, 1.0])], [1], interpolated=True
    )
    assert late.average_precision == {1: pytest.approx(2 / 3)}
    empty = moment_summary([], np.linspace(0.5, 0.95, 10))
    assert list(empty.recall) == [0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95]
    assert (empty.queries, empty.mean_overlap, {*empty.recall.values()}) == (0, None, {None})
    assert {*empty.average_precision.values()} == {None}


def test_wrong_input_is_refused() -> None:
    for truth, windows, scores, words in (
        ([], [(0, 1)], [1.0], "true moment"),
        ([(1, 1)], [(0, 1)], [1.0], "length"),
        ([(0, 1)], [(3, 3)], [1.0], "length"),
        ([(2, 1)], [(0, 1)], [1.0], "range"),
        ([(0, math.inf)], [(0, 1)], [1.0], "range"),
        ([(0, 1)], [(0, 1)], [], "a score for each of 1"),
        ([(0, 1)], [(0, 1)], [math.nan], "not a number"),
    ):
        with pytest.raises(ValueError, match=words):
            Moments(truth, windows, scores)
    found = Moments([(0, 1)], [], [])
    for threshold in (0, 0.004, 1.01, math.nan):
        for call in (found.hit, found.average_precision, lambda level: moment_summary([], [level])):
            with pytest.raises(ValueError, match="threshold"):
                call(threshold)
