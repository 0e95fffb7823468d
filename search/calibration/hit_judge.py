"""Judge of hits: how strong the hits of a query are, from its terms and their cosines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.calibration.null_statistics import NullStatistics
from search.calibration.questions import forms
from search.calibration.shot_null import ShotNull
from search.calibration.shot_scores import ShotScores
from search.calibration.word_null import WordNull
from search.query import Term, TextTerm
from search.strength import Strength

LEAST_SHARE = 0.5
"""Terms with less than this share of the largest weight do not decide how strong a hit is."""


@dataclass(frozen=True, slots=True, eq=False)
class HitJudge:
    """Judges how strong hits are.

    Attributes:
        statistics: What the rows of the library get from null questions and null shots.
        word_scores, shot_scores: Those of its segments, then those of an average one, for segments that it lacks.
        word_null: Null of words.
        shot_null: Null of examples; None if the library has too few shots for one.
    """

    statistics: NullStatistics
    word_scores: ShotScores
    shot_scores: ShotScores
    word_null: WordNull
    shot_null: ShotNull | None

    @classmethod
    def of(cls, statistics: NullStatistics, shares: NDArray[np.float64]) -> HitJudge:
        """Return the judge by these statistics; `shares` are the forms of their null questions."""
        return cls(
            statistics,
            _with_average(statistics.words),
            _with_average(statistics.shots),
            statistics.word_null(shares),
            statistics.shot_null(),
        )

    def strengths(
        self,
        terms: Sequence[Term],
        ids: Sequence[int],
        cosines: NDArray[np.float32],
    ) -> list[Strength | None]:
        """Return the strength of each hit.

        A hit is as strong as it is for the weakest of the terms that ask for something and have at least LEAST_SHARE of
        the largest weight. Examples count as one term, for which a hit is as strong as for the best of them.

        Args:
            terms: Those of the query.
            ids: Segment ids of the hits.
            cosines: float32 (hits, terms), of the hits with each term.

        Returns:
            One for each hit, or None without a term that can be judged.
        """
        words = [at for at, term in enumerate(terms) if isinstance(term, TextTerm) and term.weight > 0]
        shots = [at for at, term in enumerate(terms) if not isinstance(term, TextTerm) and term.weight > 0]
        parts = [(terms[at].weight, [at]) for at in words]
        if shots:
            parts.append((sum(terms[at].weight for at in shots), shots))
        largest = max((weight for weight, _ in parts), default=0.0)
        at_least = [members for weight, members in parts if weight >= LEAST_SHARE * largest]
        judged = [found for members in at_least if (found := self._of_part(terms, ids, cosines, members))]
        return [min(each, key=_certainty) for each in zip(*judged, strict=True)] if judged else [None] * len(ids)

    def _of_part(
        self,
        terms: Sequence[Term],
        ids: Sequence[int],
        cosines: NDArray[np.float32],
        members: list[int],
    ) -> list[Strength]:
        """Return the strength of each hit for one text, or for the best of several examples; empty if not known."""
        positions = self.positions(ids)
        first = terms[members[0]]
        if isinstance(first, TextTerm):
            standing = self.word_scores.corrected(cosines[:, members[0]], positions).astype(np.float64)
            values, tail = self.word_null.strengths(forms([first.text])[0], standing), self.word_null.tail
        elif self.shot_null is not None:
            corrected = self.shot_scores.corrected(cosines[:, members].max(axis=1), positions)
            values, tail = self.shot_null.strengths(corrected), self.shot_null.tail
        else:
            return []
        return tail.strengths(values)

    def positions(self, ids: Sequence[int] | NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the positions of segments in `word_scores` and `shot_scores`, int64 (n,)."""
        known, wanted = self.statistics.ids, np.asarray(ids, dtype=np.int64)
        at = np.minimum(np.searchsorted(known, wanted), max(0, len(known) - 1))
        there = known[at] == wanted if len(known) else np.zeros(len(wanted), np.bool_)
        return np.where(there, at, len(known))


def _with_average(scores: ShotScores) -> ShotScores:
    mean = np.float32(scores.means.mean()) if len(scores.means) else np.float32(0)
    return ShotScores(
        np.append(scores.means, mean), np.append(scores.variances, np.float32(scores.variance)), scores.variance
    )


def _certainty(strength: Strength) -> tuple[float, float]:
    return -strength.chance, strength.value
