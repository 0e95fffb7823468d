"""Null of words: what the best hits of unrelated questions get in a library, by the form of the question.

What the best hit is expected to get depends on the form of the question: a level and a spread for each bin of forms, of
the null questions, both shrunk towards those of all, because null questions of one form say only in part what its
questions get by chance: the rest is what happens to be in them. Strengths are standard deviations above that level, so
those of all forms can be compared. That some questions are near to every shot is not corrected for: what many shots
show is near to all, too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.calibration.questions import FORMS
from search.calibration.tail import Tail

Doubles = NDArray[np.float64]

_FORM_SHARE = 0.25
"""Share of a form's own level and variance; the rest are those of all null questions. What is there is told from what
is absent with an AUC of 0.971 among 640 shots of the demo world and 0.975 among 20; of 0.96 with all of its own."""
_PRIOR = 8.0  # null questions that the spread of all forms counts for in each
_LEAST_PRIOR = 1e-6  # so that a bin may be empty


@dataclass(frozen=True, slots=True, eq=False)
class WordNull:
    """What unrelated questions get.

    Attributes:
        levels: float64 (FORMS,), expected of the best hit of a question of each form.
        spreads: float64 (FORMS,), standard deviation in each form.
        uncertainty: float64 (FORMS, FORMS), of the levels, for a spread of 1.
        tail: The strengths of null questions.
    """

    levels: Doubles
    spreads: Doubles
    uncertainty: Doubles
    tail: Tail

    @classmethod
    def fitted(cls, shares: Doubles, best: Doubles) -> WordNull:
        """Fit the null by least squares.

        Args:
            shares: (n, FORMS), the form of each null question.
            best: (n,), the corrected cosine of its best hit.
        """
        fitted = np.linalg.inv(shares.T @ shares + _LEAST_PRIOR * np.eye(FORMS))
        # The mean of all is the level of a form that has its share in every question, and shares have the sum 1.
        inverse: Doubles = (_FORM_SHARE * fitted + (1 - _FORM_SHARE) / len(shares)).astype(np.float64)
        levels = inverse @ shares.T @ best
        leverage = np.minimum(np.einsum("ij,jk,ik->i", shares, inverse, shares), 0.9)
        residuals = (best - shares @ levels) / np.sqrt(1 - leverage)  # each is nearer to levels that it was part of
        variance = np.mean(residuals**2)
        variances = (shares.T @ residuals**2 + _PRIOR * variance) / (shares.sum(axis=0) + _PRIOR)
        spreads: Doubles = np.sqrt(np.maximum(_FORM_SHARE * variances + (1 - _FORM_SHARE) * variance, 1e-12))
        return cls(levels, spreads, inverse, Tail(residuals / np.sqrt(shares @ spreads**2)))

    def strengths(self, shares: Doubles, corrected: Doubles) -> Doubles:
        """Return the strength of each hit of one question, in standard deviations above what an unrelated one gets.

        Args:
            shares: (FORMS,), the form of the question.
            corrected: (hits,), as `best` of `fitted`.
        """
        spread = np.sqrt((shares @ self.spreads**2) * (1 + shares @ self.uncertainty @ shares))
        return np.asarray((corrected - shares @ self.levels) / spread, dtype=np.float64)
