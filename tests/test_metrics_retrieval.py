"""Retrieval: expected ranks and R@k against every order of equal scores, and against code that counts one by one."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from metrics.bootstrap import bootstrap_interval
from metrics.ranking import recall_at
from metrics.retrieval import rank_queries, retrieval_summary


def counted(scores: np.ndarray, true: list[int], k: int) -> tuple[float, float]:
    """The mean rank of the best true item over all orders of the items, and how often it is among the k best."""
    ranks = []
    for order in itertools.permutations(range(len(scores))):
        ranked = sorted(order, key=lambda at: -scores[at])  # stable: equal scores stay as permuted
        ranks.append(1 + min(ranked.index(at) for at in true))
    return float(np.mean(ranks)), float(np.mean([rank <= k for rank in ranks]))


@pytest.mark.parametrize("true", [[0], [2], [5], [0, 1], [2, 3, 4], [1, 3, 5], [0, 1, 2, 3, 4, 5]])
def test_ranks_are_expected_over_all_orders_of_equal_scores(true: list[int]) -> None:
    scores = np.array([2.0, 2.0, 1.0, 1.0, 1.0, 0.0])
    ranks = rank_queries([scores], [true])
    for k in range(1, 8):
        rank, hit = counted(scores, true, k)
        assert ranks.expected == pytest.approx([rank])
        assert ranks.within(k) == pytest.approx([hit])


def test_one_true_item_stands_between_the_optimistic_and_the_pessimistic_rank() -> None:
    chance = np.random.default_rng(1)
    scores = chance.normal(size=(200, 50)).round(1)
    true = chance.integers(50, size=200)
    ranks = rank_queries(scores, true)
    own = scores[np.arange(200), true][:, None]
    optimistic, pessimistic = 1 + (scores > own).sum(axis=1), (scores >= own).sum(axis=1)
    np.testing.assert_allclose(ranks.expected, (optimistic + pessimistic) / 2)
    np.testing.assert_array_equal(ranks.tied, optimistic != pessimistic)
    for k in (1, 5, 10, 50):
        alone = [recall_at(np.arange(50) == at, row, k) for row, at in zip(scores, true, strict=True)]
        np.testing.assert_allclose(ranks.within(k), alone)


def test_without_equal_scores_it_is_the_position_in_the_sorted_list() -> None:
    chance = np.random.default_rng(2)
    scores = chance.permuted(np.tile(np.arange(40.0), (60, 1)), axis=1)
    true = [chance.choice(40, size=chance.integers(1, 6), replace=False).tolist() for _ in range(60)]
    ranks = rank_queries(scores, true)
    orders = [row.argsort()[::-1].tolist() for row in scores]
    places = [1 + min(order.index(at) for at in each) for order, each in zip(orders, true, strict=True)]
    np.testing.assert_array_equal(ranks.expected, places)
    assert not ranks.tied.any()
    summary = retrieval_summary(ranks, at=(1, 3, 40))
    assert summary.recall == {k: np.mean(np.array(places) <= k) for k in (1, 3, 40)}
    assert (summary.queries, summary.tied) == (60, 0)
    assert summary.median_rank == np.median(places)
    assert summary.mean_rank == pytest.approx(np.mean(places))


def test_both_directions_of_a_table_with_several_sentences_of_a_video() -> None:
    """Sentences ask for their video; a video asks for its sentences, and any of them will do."""
    scores = np.array([[0.9, 0.1], [0.2, 0.3], [0.8, 0.7]])  # sentences 0 and 1 are of video 0, sentence 2 of video 1
    assert rank_queries(scores, [0, 0, 1]).expected.tolist() == [1, 2, 2]
    assert rank_queries(scores.T, [[0, 1], [2]]).expected.tolist() == [1, 1]
    assert rank_queries(scores.T, [[1, 1, 0], [2]]).expected.tolist() == [1, 1], "named twice, it counts once"


def test_equal_scores_are_shared_and_told() -> None:
    ranks = rank_queries(np.zeros((2, 4)), [[0], [0, 1]])
    assert ranks.expected == pytest.approx([2.5, 1 + 2 / 3])
    assert ranks.within(1) == pytest.approx([0.25, 0.5])
    assert ranks.within(2) == pytest.approx([0.5, 5 / 6])
    summary = retrieval_summary(rank_queries([[1.0, 1.0], [2.0, 1.0], [1.0, 2.0]], [0, 0, 0]))
    assert summary.recall == {1: 0.5, 5: 1.0, 10: 1.0}
    assert summary.tied == pytest.approx(1 / 3)
    assert summary.median_rank == summary.mean_rank == 1.5
    only_true = rank_queries([[1.0, 1.0, 0.0]], [[0, 1]])
    assert not only_true.tied.any(), "two true items of one score are no tie"
    assert only_true.expected.tolist() == [1]


def test_large_tables_are_read_in_blocks_and_float32_is_compared_exactly(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = np.random.default_rng(3)
    scores = chance.normal(size=(37, 20)).astype(np.float32)
    scores[:, 1] = np.nextafter(scores[:, 0], np.float32(9))
    true = [[0, 5]] * 37
    whole = rank_queries(scores, true)
    transposed = rank_queries(np.asfortranarray(scores), true)
    monkeypatch.setattr("metrics.retrieval._BLOCK", 100)  # 5 rows at a time, and 2 in the last
    parts = rank_queries(scores, true)
    monkeypatch.setattr("metrics.retrieval._BLOCK", 7)  # less than a row
    rows = rank_queries(scores, true)
    for other in (transposed, parts, rows):
        np.testing.assert_array_equal(whole.above, other.above)
        np.testing.assert_array_equal(whole.equal, other.equal)
        np.testing.assert_array_equal(whole.true, other.true)
    assert not whole.tied.any()
    assert (rank_queries(scores, [0] * 37).above >= 1).all()


def test_infinite_scores_are_scores() -> None:
    assert rank_queries([[-math.inf, -math.inf, 0.0, math.inf]], [0]).expected.tolist() == [3.5]
    assert rank_queries([[-math.inf, -math.inf, 0.0, math.inf]], [3]).expected.tolist() == [1]


def test_without_questions_nothing_is_defined() -> None:
    summary = retrieval_summary(rank_queries(np.zeros((0, 3)), []), at=(1, 5))
    assert (summary.queries, summary.recall) == (0, {1: None, 5: None})
    assert summary.median_rank is summary.mean_rank is summary.tied is None
    assert rank_queries(np.zeros((0, 0)), []).expected.shape == (0,)


def test_wrong_input_is_refused() -> None:
    table = np.zeros((2, 3))
    for relevant, words in (
        ([0], "row for each question"),
        ([0, []], "question 1 has no true item"),
        ([0, 3], "question 1 .* not among the 3"),
        ([[-1], 0], "question 0 .* not among the 3"),
        ([[0, 3], 0], "question 0 .* not among the 3"),
        ([[True, False, False], [False, True, False]], "positions"),
        ([0.0, 1.0], "positions"),
    ):
        with pytest.raises(ValueError, match=words):
            rank_queries(table, relevant)
    with pytest.raises(ValueError, match="row for each question"):
        rank_queries([1.0], [0])
    with pytest.raises(ValueError, match="not a number"):
        rank_queries([[0.0, math.nan]], [0])
    with pytest.raises(ValueError, match="at least 1"):
        rank_queries(table, [0, 0]).within(0)


def test_two_systems_are_compared_on_the_same_drawn_videos() -> None:
    """Better by a tenth on each video: the difference is certain, though each system alone is not."""
    chance = np.random.default_rng(4)
    videos = np.repeat(np.arange(40), 10)
    before = (chance.random(40) < 0.5)[videos].astype(float)
    after = np.where(np.arange(400) % 10 == 0, 1 - before, before)
    after[before == 1] = 1  # only gains
    measured = bootstrap_interval(lambda at: float((after - before)[at].mean()), videos, np.random.default_rng(0))
    alone = bootstrap_interval(lambda at: float(before[at].mean()), videos, np.random.default_rng(0))
    assert measured is not None
    assert alone is not None
    assert 0 < measured[0] < (after - before).mean() < measured[1]
    assert measured[1] - measured[0] < (alone[1] - alone[0]) / 3
