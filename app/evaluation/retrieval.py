"""Retrieval between texts and videos by the public protocol: the dot product of unit rows ranks, and nothing else.

No query expansion and no dual softmax over the questions: both use other questions of the test.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from metrics.retrieval import Ranks, RetrievalSummary

    Rows = NDArray[np.float32]
    Scores = NDArray[np.float64]

AT = (1, 5, 10)
DECIMALS = 12
"""Of scores. They are sums in an order that depends on where a row stands, and equal rows, as those of two copies of a
video, must score equally."""
_BLOCK = 1 << 23  # scores at a time: 64 MB


@dataclass(frozen=True, slots=True)
class Direction:
    """The result of asking in one direction.

    Attributes:
        ranks: Of each question.
        summary: R@k, MedR, MeanR, share of tied questions.
        intervals: Of R@k by k, from 0 to 1; None where there are too few videos.
        best_wrong: For each question the position of the best wrong item, -1 if there is none.
        true_score, wrong_score: Scores of the best true and the best wrong item, float64 (n,); NaN if there is none.
    """

    ranks: Ranks
    summary: RetrievalSummary
    intervals: dict[int, tuple[float, float] | None]
    best_wrong: NDArray[np.intp]
    true_score: Scores
    wrong_score: Scores


def evaluate(
    questions: Rows,
    score: Callable[[Rows], Scores],
    true: Sequence[Sequence[int]],
    groups: Sequence[int],
    *,
    items: int,
    seed: int,
) -> Direction:
    """Rank all items for every question.

    Args:
        questions: float32 (n, D), unit rows.
        score: Returns the scores of some questions with all items, float64 (some, m).
        true: The positions of each question's true items; the best of them counts.
        groups: The video of each question, for intervals.
        items: m, the number of items.
        seed: Of the bootstrap.

    Raises:
        ValueError: A question has no true item.
    """
    import numpy as np

    from metrics.bootstrap import bootstrap_interval
    from metrics.retrieval import Ranks, rank_queries, retrieval_summary

    parts: list[tuple[Ranks, tuple[Any, ...]]] = []
    for block in _blocks(len(questions), items):
        scores = score(questions[block])
        parts.append((rank_queries(scores, true[block]), _best(scores, true[block])))
    ranks = Ranks(*(np.concatenate([getattr(each, name) for each, _ in parts]) for name in ("above", "equal", "true")))
    best_wrong, true_score, wrong_score = (np.concatenate([best[at] for _, best in parts]) for at in range(3))
    intervals = {}
    for k in AT:
        hits = ranks.within(k)
        rng = np.random.default_rng(seed)
        intervals[k] = bootstrap_interval(lambda at, hits=hits: float(hits[at].mean()), groups, rng)  # type: ignore[misc]
    return Direction(ranks, retrieval_summary(ranks, AT), intervals, best_wrong, true_score, wrong_score)


def dot_products(questions: Rows, items: Rows) -> Scores:
    """Return the cosines of unit rows, float64 (n, m)."""
    import numpy as np

    scores: Scores = np.round(questions.astype(np.float64) @ items.astype(np.float64).T, DECIMALS)
    return scores


def _blocks(questions: int, items: int) -> Iterator[slice]:
    size = max(1, _BLOCK // max(1, items))
    yield from (slice(start, start + size) for start in range(0, max(1, questions), size))


def _best(scores: Scores, true: Sequence[Sequence[int]]) -> tuple[NDArray[np.intp], Scores, Scores]:
    """Return the best wrong item of each question (the first of equal ones), and the scores of the best true and it."""
    import numpy as np

    wrong = scores.copy()
    best_true = np.full(len(scores), np.nan)
    for question, positions in enumerate(true):
        best_true[question] = scores[question, list(positions)].max()
        wrong[question, list(positions)] = -np.inf
    if not wrong.size:
        return np.full(len(scores), -1), best_true, np.full(len(scores), np.nan)
    at = wrong.argmax(axis=1)
    value = wrong[np.arange(len(wrong)), at]
    there = value > -np.inf
    return np.where(there, at, -1), best_true, np.where(there, value, np.nan)
