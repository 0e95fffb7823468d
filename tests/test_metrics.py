"""Quality measures: as scikit-learn computes them where it is right, and the edge cases where libraries differ."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve

from metrics.bootstrap import bootstrap_interval
from metrics.ranges import intersection_over_union
from metrics.ranking import (
    average_precision,
    mean_average_precision,
    precision_at,
    recall_at,
    roc_auc,
    true_positive_rate,
)


def sample(seed: int, decimals: int | None = None, size: int = 300) -> tuple[np.ndarray, np.ndarray]:
    chance = np.random.default_rng(seed)
    relevant = chance.random(size) < 0.2
    scores = chance.normal(size=size) + 0.5 * relevant
    return relevant, scores if decimals is None else scores.round(decimals)


@pytest.mark.parametrize("decimals", [None, 1, 0])
@pytest.mark.parametrize("factor", [1e-3, 1.0, 800.0])
def test_as_scikit_learn_with_ties_and_at_any_scale(decimals: int | None, factor: float) -> None:
    relevant, scores = sample(3, decimals)
    scores = (scores * factor).astype(np.float32)
    assert roc_auc(relevant, scores) == pytest.approx(roc_auc_score(relevant, scores), abs=1e-12)
    assert average_precision(relevant, scores) == pytest.approx(average_precision_score(relevant, scores), abs=1e-12)
    false, true, _ = roc_curve(relevant, scores, drop_intermediate=False)
    for rate in (0.0, 0.01, 0.05, 0.5, 1.0):
        assert true_positive_rate(relevant, scores, rate) == pytest.approx(true[false <= rate + 1e-12].max())


def test_the_order_of_equal_scores_changes_nothing() -> None:
    relevant, scores = sample(4, 0)
    shuffled = np.random.default_rng(0).permutation(len(scores))
    for measure in (roc_auc, average_precision):
        assert measure(relevant[shuffled], scores[shuffled]) == pytest.approx(measure(relevant, scores))
    assert roc_auc([True, False, True, False], [1.0] * 4) == 0.5
    assert average_precision([True, False, False, False], [1.0] * 4) == 0.25
    assert true_positive_rate([True, False], [1.0, 1.0], 0.9) == 0.0
    assert true_positive_rate([True, False], [1.0, 1.0], 1.0) == 1.0


def test_a_rate_counts_whole_items() -> None:
    relevant, scores = [True, *[False] * 100], [72.5, *np.arange(101.0, 1.0, -1)]  # 29 of the false ones are above
    assert true_positive_rate(relevant, scores, 0.29) == 1.0, "0.29 * 100 is slightly less than 29"


def test_what_is_not_defined_is_none() -> None:
    assert roc_auc([], []) is roc_auc([True], [1.0]) is roc_auc([False], [1.0]) is None
    assert true_positive_rate([True], [1.0], 0.05) is true_positive_rate([False], [1.0], 0.05) is None
    assert average_precision([], []) is average_precision([False, False], [1.0, 2.0]) is None
    assert recall_at([], [], 1) is recall_at([False], [1.0], 1) is precision_at([], [], 1) is None
    assert average_precision([True], [-math.inf]) == 1.0


def test_no_rounding_error_takes_a_false_alarm_away() -> None:
    """0.05 of 60 is 3, and 0.05 * 60 as floats may be less."""
    for negatives in range(20, 400, 20):
        scores = [*range(negatives), negatives - negatives // 20 - 0.5]  # exactly one in twenty is better
        relevant = [False] * negatives + [True]
        assert true_positive_rate(relevant, scores, 0.05) == 1.0
        assert true_positive_rate(relevant, scores, 0.05 - 1 / negatives) == 0.0


def test_classes_without_an_example_are_left_out_and_named() -> None:
    chance = np.random.default_rng(0)
    relevant = chance.random((50, 4)) < 0.3
    relevant[:, 2] = False
    scores = chance.normal(size=(50, 4))
    mean, left_out = mean_average_precision(relevant, scores)
    assert left_out == [2]
    rest = [average_precision_score(relevant[:, at], scores[:, at]) for at in (0, 1, 3)]
    assert mean == pytest.approx(np.mean(rest))
    assert mean_average_precision(np.zeros((3, 2)), np.zeros((3, 2))) == (None, [0, 1])
    with pytest.raises(ValueError, match="class"):
        mean_average_precision([True], [1.0])


@pytest.mark.parametrize("k", [1, 2, 3, 5, 9])
def test_the_best_k_are_expected_over_all_orders_of_equal_scores(k: int) -> None:
    relevant, scores = [True, False, True, False, False, True], [2.0, 2.0, 1.0, 1.0, 1.0, 0.0]
    found = []
    for order in itertools.permutations(range(6)):
        ranked = sorted(order, key=lambda at: -scores[at])[
            :k
        ]  # stable: equal scores stay in the order of the permutation
        found.append(sum(relevant[at] for at in ranked))
    assert recall_at(relevant, scores, k) == pytest.approx(np.mean(found) / 3)
    assert precision_at(relevant, scores, k) == pytest.approx(np.mean(found) / min(k, 6))


def test_wrong_input_is_refused() -> None:
    for measure in (roc_auc, average_precision):
        for relevant, scores in (([True, False], [1.0, math.nan]), ([True], [1.0, 2.0]), ([[True]], [[1.0]])):
            with pytest.raises(ValueError, match="score"):
                measure(relevant, scores)
    with pytest.raises(ValueError, match="at least 1"):
        recall_at([True], [1.0], 0)


def test_overlap_of_ranges() -> None:
    overlaps = intersection_over_union([(0, 10), (5, 5)], [(0, 10), (5, 15), (10, 20), (2, 4), (5, 5)])
    np.testing.assert_allclose(overlaps[0], [1, 1 / 3, 0, 0.2, 0])
    assert not overlaps[1].any()
    assert intersection_over_union([], [(0, 1)]).shape == (0, 1)
    for wrong in ([(2, 1)], [(0, math.inf)], [(0, 1, 2)], [0, 1]):
        with pytest.raises(ValueError, match="range"):
            intersection_over_union(wrong, [(0, 1)])


def test_groups_are_drawn_together() -> None:
    """Forty copies of four answers are worth four answers, not a hundred and sixty."""
    right = np.repeat([1.0, 0.0, 1.0, 1.0], 40)

    def width(groups: list[int]) -> float:
        interval = bootstrap_interval(lambda at: float(right[at].mean()), groups, np.random.default_rng(0))
        assert interval is not None
        assert interval[0] <= 0.75 <= interval[1]
        return interval[1] - interval[0]

    alone = width(list(range(160)))
    assert alone < 0.2
    assert width([at // 40 for at in range(160)]) > 3 * alone


def test_an_interval_has_the_percentiles_of_the_draws() -> None:
    values = np.array([0.0, 1.0, 5.0, 7.0, 20.0])  # two items of group a, one of each other
    groups = ["a", "b", "a", "c", "d"]
    chance, drawn = np.random.default_rng(7), []
    members = [[0, 2], [1], [3], [4]]
    for _ in range(200):
        chosen = [at for group in chance.integers(4, size=4) for at in members[group]]
        drawn.append(values[chosen].mean())
    found = bootstrap_interval(
        lambda at: float(values[at].mean()), groups, np.random.default_rng(7), draws=200, level=0.9
    )
    assert found == pytest.approx((np.quantile(drawn, 0.05), np.quantile(drawn, 0.95)))


def test_an_interval_needs_groups_and_a_measure() -> None:
    chance = np.random.default_rng(0)
    assert bootstrap_interval(lambda at: 1.0, ["a", "a"], chance) is None
    assert bootstrap_interval(lambda at: None, ["a", "b"], chance) is None
    only_b = bootstrap_interval(lambda at: 2.0 if 1 in at else None, ["a", "b"], chance)
    assert only_b == (2.0, 2.0)
    interval = bootstrap_interval(lambda at: float(at.mean()), list(range(100)), chance, level=0.5)
    wider = bootstrap_interval(lambda at: float(at.mean()), list(range(100)), chance, level=0.99)
    assert interval is not None
    assert wider is not None
    assert wider[0] < interval[0] < 49.5 < interval[1] < wider[1]
    for wrong in ({"draws": 0}, {"level": 1.0}):
        with pytest.raises(ValueError, match="draw"):
            bootstrap_interval(lambda at: 1.0, ["a", "b"], chance, **wrong)
