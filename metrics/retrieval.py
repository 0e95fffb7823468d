"""Measures of retrieval: where the best true item of each question stands among all items.

Equal scores count as put in random order. R@k is then an expectation, the mean of each question's chance that a true
item is among the k best: of two equal best items, one of them true, R@1 has a half. A rank cannot be shared out like
this, so the median and the mean of ranks are those of expected ranks. What code that sorts by index makes of equal
scores lies somewhere between; the share of tied questions says how much of a result could have come from there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

_BLOCK = 1 << 20  # scores that are compared at a time, so that a large table needs no second one


@dataclass(frozen=True, eq=False)
class Ranks:
    """What stands before the best true item of each question; arrays of int64 (n,).

    Args:
        above: Number of wrong items that score above it.
        equal: Number of wrong items that score the same.
        true: Number of true items that score the same, itself among them: 1 or more.
    """

    above: NDArray[np.int64]
    equal: NDArray[np.int64]
    true: NDArray[np.int64]

    @property
    def expected(self) -> NDArray[np.float64]:
        """Expected rank from 1, float64 (n,), with equal scores in random order.

        With one true item among the equal ones it is the mean of the pessimistic and the optimistic rank.
        """
        ranks: NDArray[np.float64] = 1 + self.above + self.equal / (self.true + 1)
        return ranks

    @property
    def tied(self) -> NDArray[np.bool_]:
        """Whether a wrong item scores the same as the best true one, bool (n,)."""
        return self.equal > 0

    def within(self, k: int) -> NDArray[np.float64]:
        """Return the chance that a true item is among the k best, float64 (n,): the mean over questions is R@k.

        Raises:
            ValueError: `k` is below 1.
        """
        if k < 1:
            raise ValueError(f"k is the number of best items and must be at least 1, got {k}")
        places = k - self.above  # for the equal items, true and wrong
        missed = np.ones(len(self.above))  # the chance that wrong items take all of them
        for taken in range(min(k, int(self.equal.max(initial=0)) + 1)):
            left = np.clip(self.equal - taken, 0, None) / (self.equal + self.true - taken).clip(1)
            missed = np.where(taken < places, missed * left, missed)
        return np.where(places > 0, 1 - missed, 0.0)


@dataclass(frozen=True)
class RetrievalSummary:
    """Retrieval over all questions. Without questions everything but their number is None.

    Args:
        queries: Number of questions.
        recall: R@k of each k, from 0 to 1.
        median_rank: Median of the expected ranks (MedR), from 1.
        mean_rank: Mean of the expected ranks (MeanR), from 1.
        tied: Share of questions whose best true item scores the same as a wrong one.
    """

    queries: int
    recall: dict[int, float | None]
    median_rank: float | None
    mean_rank: float | None
    tied: float | None


def rank_queries(scores: ArrayLike, relevant: Sequence[int] | Sequence[Sequence[int]] | NDArray[np.intp]) -> Ranks:
    """Find what stands before the best true item of each question.

    Args:
        scores: (n, m), a row for each question and a column for each item; larger is better. Compared as float64.
        relevant: For each question the position of its true item, or the positions of several, in any order. The best
            of them counts: a video that asks for its sentences has found one if it has found any.

    Raises:
        ValueError: The lengths differ, a score is NaN, a position is out of range, or a question has no true item.
    """
    table = np.asarray(scores)
    if table.ndim != 2 or len(table) != len(relevant):
        raise ValueError(f"a row for each question is needed, got {table.shape} for {len(relevant)} questions")
    true = [_positions(query, each, table.shape[1]) for query, each in enumerate(relevant)]
    found = np.zeros((3, len(table)), dtype=np.int64)
    rows = max(1, _BLOCK // max(1, table.shape[1]))
    for start in range(0, len(table), rows):
        part = slice(start, start + rows)
        found[:, part] = _before_the_best(table[part].astype(np.float64), true[part])
    return Ranks(*found)


def _positions(query: int, given: ArrayLike, items: int) -> NDArray[np.intp]:
    positions = np.unique(np.asarray(given))
    if not positions.size:
        raise ValueError(f"question {query} has no true item")
    if positions.dtype.kind not in "iu":  # a row of true and false would pass for the positions 0 and 1
        raise ValueError(f"true items are given by their positions, got {positions.dtype} for question {query}")
    if positions[0] < 0 or positions[-1] >= items:
        raise ValueError(f"question {query} has a true item that is not among the {items}")
    return positions.astype(np.intp)


def _before_the_best(scores: NDArray[np.float64], true: list[NDArray[np.intp]]) -> tuple[NDArray[np.int64], ...]:
    if np.isnan(scores).any():
        raise ValueError("a score is not a number")
    sizes = np.array([positions.size for positions in true])
    starts = np.cumsum(sizes) - sizes
    of_true = scores[np.repeat(np.arange(len(true)), sizes), np.concatenate(true)]
    best = np.maximum.reduceat(of_true, starts)
    equal_true = np.add.reduceat(of_true == np.repeat(best, sizes), starts, dtype=np.int64)
    above = np.count_nonzero(scores > best[:, None], axis=1)
    equal = np.count_nonzero(scores == best[:, None], axis=1)
    return above, equal - equal_true, equal_true


def retrieval_summary(ranks: Ranks, at: Sequence[int] = (1, 5, 10)) -> RetrievalSummary:
    """Return R@k for each k in `at`, the median and the mean of expected ranks, and the share of tied questions."""
    expected = ranks.expected
    if not expected.size:
        return RetrievalSummary(0, dict.fromkeys(at), None, None, None)
    return RetrievalSummary(
        queries=expected.size,
        recall={k: float(ranks.within(k).mean()) for k in at},
        median_rank=float(np.median(expected)),
        mean_rank=float(expected.mean()),
        tied=float(ranks.tied.mean()),
    )
