"""Direction of a query: the one row that segments are compared with, and penalties for what is not wanted.

Terms are brought to one scale before they are added: each is divided by its spread over the library, so that terms of
equal weight have equal say. Beside words, an example is whitened (see `search.row_covariance`), because its cosine is
mostly about what many shots share: "this thing, but spinning" then finds the thing, spinning. Without words, one
example is itself, and several are what `search.learners` learns from them.

A term of negative weight lowers the score of what resembles it, but only up to a bound, and does not raise that of
anything: what is wanted decides among shots that have nothing of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.learners import LEARNERS, centre_of, choose_learner
from search.query import QueryError, Term, TextTerm
from search.row_covariance import RowCovariance

Rows = NDArray[np.float32]

PENALTY = 2.0
"""Penalty at weight -1, for each standard deviation of a row's resemblance above the mean, in those of the wanted.

Measured on the demo world, a thing on a background without one of eight motions, at the usual weight -0.5: the motion
is among the first three in 0.001 of all places (0.125 without the term), and 0.978 of the first seven are the other
motions. A plain sum reaches 0.936, and 0.71 at twice the weight, as it prefers what is least like the excluded.
"""

PENALTY_BOUND = 2.0
"""Standard deviations above the mean from which the penalty grows no more."""

_MIN_LENGTH = 1e-2
"""Minimum length of a sum of rows (relative to the largest weight) with a meaningful direction. Rows stored as float16
are off by up to 1e-3, so the direction of a shorter sum would be mostly rounding error."""

_CANCELLED = "the terms cancel each other out, so every shot scores the same; change a weight or a term"


@dataclass(frozen=True, slots=True, eq=False)
class Direction:
    """What segments are compared with.

    Attributes:
        row: float32 (D,), of length 1.
        unwanted: float32 (n, D): directions of the terms that lower the score.
        means: float32 (n,): mean of the library's inner products with `unwanted`.
        slopes: float32 (n,): penalty for each unit above the mean.
        bounds: float32 (n,): the largest penalties.
        combined: Whether `row` is made from the rows of several terms, so that no stored row need be near it.
    """

    row: Rows
    unwanted: Rows
    means: Rows
    slopes: Rows
    bounds: Rows
    combined: bool = False

    @classmethod
    def without_penalties(cls, row: Rows, *, combined: bool = False) -> Direction:
        """Return the direction of a row alone."""
        none = np.empty(0, dtype=np.float32)
        return cls(row, np.empty((0, len(row)), dtype=np.float32), none, none, none, combined)

    @property
    def has_penalties(self) -> bool:
        """Whether scores differ from the inner products with `row`."""
        return len(self.unwanted) > 0

    def penalties(self, rows: Rows) -> Rows:
        """Return by how much the score of each of these rows is lowered, float32 (n, D) to (n,); not negative.

        It is the largest penalty of a term: what resembles two of them is no worse than what resembles one.
        """
        above = rows @ self.unwanted.T - self.means
        return np.asarray(np.minimum(above * self.slopes, self.bounds).max(axis=1, initial=0), dtype=np.float32)

    def scores(self, rows: Rows) -> Rows:
        """Return the score of each of these rows, float32 (n, D) to (n,): the inner product, less the penalties."""
        scores = rows @ self.row
        return np.asarray(scores - self.penalties(rows) if self.has_penalties else scores, dtype=np.float32)


def is_balanced(terms: Sequence[Term]) -> bool:
    """Return whether `direction_of` needs the covariance of the library: there are two terms, and one is wanted."""
    weights = [term.weight for term in terms if term.weight != 0]
    return len(weights) > 1 and max(weights) > 0


def direction_of(terms: Sequence[Term], rows: Rows, covariance: RowCovariance | None) -> Direction:
    """Return the direction of the terms of a query.

    The row of a single term is its direction, bit for bit (negated if the weight is negative).

    Args:
        terms: At least one has a weight other than 0.
        rows: float32 (terms, D), unit rows.
        covariance: Of the library. None, or only terms of negative weight, make a plain sum.

    Raises:
        QueryError: The terms cancel each other out.
    """
    if covariance is None or not is_balanced(terms):
        weights = [term.weight for term in terms]
        combined = sum(weight != 0 for weight in weights) > 1
        return Direction.without_penalties(combine(rows, weights), combined=combined)
    combined = sum(term.weight > 0 for term in terms) > 1
    row, scale = _wanted(terms, rows, covariance)
    unwanted, means, slopes, bounds = [], [], [], []
    for term, each in zip(terms, rows, strict=True):
        if term.weight < 0:
            away = each if isinstance(term, TextTerm) else covariance.whitened(each)
            unwanted.append(away)
            means.append(away @ covariance.mean)
            slopes.append(-term.weight * PENALTY * scale / covariance.spread_along(away))
            bounds.append(-term.weight * PENALTY * scale * PENALTY_BOUND)
    if not unwanted:
        return Direction.without_penalties(row, combined=combined)
    numbers = [np.array(each, dtype=np.float32) for each in (means, slopes, bounds)]
    return Direction(row, np.stack(unwanted), numbers[0], numbers[1], numbers[2], combined)


def _wanted(terms: Sequence[Term], rows: Rows, covariance: RowCovariance) -> tuple[Rows, float]:
    """Return the direction of the terms of positive weight, float32 (D,), and one spread at weight 1 along it."""
    wanted = [at for at, term in enumerate(terms) if term.weight > 0]
    if len(wanted) == 1:
        (at,) = wanted
        return np.array(rows[at], dtype=np.float32), covariance.spread_along(rows[at]) / terms[at].weight
    words = [at for at in wanted if isinstance(terms[at], TextTerm)]
    examples = [at for at in wanted if not isinstance(terms[at], TextTerm)]
    parts = [(terms[at].weight, rows[at]) for at in words]
    if examples:
        weights = np.array([terms[at].weight for at in examples], dtype=np.float64)
        learner = "lda" if words else choose_learner(rows[examples], weights, covariance)
        parts.append((float(weights.sum()), LEARNERS[learner](centre_of(rows[examples], weights), covariance)))
    scaled = [weight * row.astype(np.float64) / covariance.spread_along(row) for weight, row in parts]
    total = np.sum(scaled, axis=0)
    length = float(np.linalg.norm(total))
    if length < _MIN_LENGTH * max(float(np.linalg.norm(each)) for each in scaled) or length == 0:
        raise QueryError(_CANCELLED)
    return (total / length).astype(np.float32), 1 / length


def combine(rows: NDArray[np.float32], weights: Sequence[float]) -> NDArray[np.float32]:
    """Combine the rows of a query's terms into their plain sum.

    The result is the weighted sum of the rows, scaled to unit length. So a hit's score is its cosine with this vector,
    between -1 and 1 for any weights; only the proportions of weights matter. The vector is not an embedding and is
    never stored. The row of a single term is returned unchanged, bit for bit (negated if the weight is negative).

    Args:
        rows: float32 (terms, D), unit rows.
        weights: One per term, finite; at least one is not 0.

    Returns:
        float32 (D,), of length 1.

    Raises:
        QueryError: The terms cancel each other out.
    """
    used = [(row, weight) for row, weight in zip(rows, weights, strict=True) if weight != 0]
    if len(used) == 1:
        row, weight = used[0]
        return np.array(row if weight > 0 else -row, dtype=np.float32)
    largest = max(abs(weight) for _, weight in used)
    combined = np.zeros(rows.shape[1], dtype=np.float64)
    for row, weight in used:
        combined += np.float64(weight / largest) * row
    length = float(np.linalg.norm(combined))
    if length < _MIN_LENGTH:
        raise QueryError(_CANCELLED)
    return (combined / length).astype(np.float32)
