"""A question as moments see it: a direction that windows are compared with, and what unrelated questions get."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from search.moments.order import has_order
from search.query import Query, SegmentTerm, Term, TextTerm

if TYPE_CHECKING:
    from search.directions import Direction
    from search.engine import SearchEngine


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """What is asked for.

    Attributes:
        direction: Scores rows.
        nulls: float32 (Q, D), rows of unrelated questions; of shots, if the question has no words. Q may be 0.
        ordered: Whether it matters which way time runs.
        key: Names the question in a cache: equal for equal terms.
    """

    direction: Direction
    nulls: NDArray[np.float32]
    ordered: bool
    key: str

    def scores(self, rows: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the scores of rows, float32 (n, D) to (n,)."""
        return self.direction.scores(rows).astype(np.float64)

    def null_scores(self, rows: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return what unrelated questions get from rows, float32 (n, D) to (n, Q)."""
        return (rows @ self.nulls.T).astype(np.float64)


def question_of(engine: SearchEngine, query: Query) -> Question:
    """Return the question of a query; its filters and limits do not matter.

    Raises:
        QueryError, EncoderError, LibraryError: See `SearchEngine.answer`.
    """
    direction = engine.direction(query.terms, plain_sum=query.plain_sum)
    judge = None if engine.calibration is None else engine.calibration.judge()
    words = [term for term in query.terms if isinstance(term, TextTerm) and term.weight > 0]
    nulls = np.zeros((0, engine.encoder.dim), np.float32)
    if judge is not None:
        nulls = judge.statistics.questions if words else judge.statistics.shot_rows
    return Question(direction, nulls, any(has_order(term.text) for term in words), _key(query.terms, query.plain_sum))


def _key(terms: Sequence[Term], plain_sum: bool) -> str:
    named = json.dumps([plain_sum, sorted(_named(term) for term in terms)])
    return hashlib.blake2b(named.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _named(term: Term) -> list[Any]:
    if isinstance(term, TextTerm):
        return ["text", term.text, float(term.weight)]
    if isinstance(term, SegmentTerm):
        return ["segment", str(term.segment_id), float(term.weight)]
    pixels = np.ascontiguousarray(term.clip)
    return ["clip", hashlib.blake2b(pixels.data, digest_size=16).hexdigest(), float(term.weight)]
