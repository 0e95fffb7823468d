"""Null of words: what the best hits of unrelated questions get in a library, by the form of the question.

What the best hit of a question is expected to get depends on its form, and on how near the question is to all shots of
the library: a straight line for each bin of forms, fitted to the null questions. Strengths are residuals of these
lines in standard deviations, so those of all forms can be compared; each null question is left out of its own fit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.calibration.questions import FORMS
from search.calibration.tail import Tail

Doubles = NDArray[np.float64]

_FEWEST_SHOTS = 50
"""Below, the mean of a question's cosines is not told from its best hit, and only the form counts."""
_PRIOR = 8.0  # null questions that the spread of all forms counts for in each
_SLOPE_PENALTY = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class WordNull:
    """What unrelated questions get.

    Attributes:
        fit: float64 (2 FORMS,), the level of each form at the middle of nearness, then its slope.
        middle, scale: Nearness is centred and scaled by these; a scale of 0 takes it for the middle.
        uncertainty: float64 (2 FORMS, 2 FORMS), of the fit, for a residual of 1.
        spreads: float64 (FORMS,), standard deviation of residuals in each form.
        tail: The strengths of null questions.
    """

    fit: Doubles
    middle: float
    scale: float
    uncertainty: Doubles
    spreads: Doubles
    tail: Tail

    @classmethod
    def fitted(cls, shares: Doubles, nearness: Doubles, best: Doubles, shots: int) -> WordNull:
        """Fit the null.

        Args:
            shares: (n, FORMS), the form of each null question.
            nearness: (n,), its mean cosine with all shots.
            best: (n,), the corrected cosine of its best hit.
            shots: Number of shots in the library.
        """
        middle, spread = float(nearness.mean()), float(nearness.std())
        scale = 1 / spread if shots >= _FEWEST_SHOTS and spread > 1e-9 else 0.0
        design = _design(shares, (nearness - middle) * scale)
        penalty = np.diag([1e-6] * FORMS + [len(best) * _SLOPE_PENALTY / FORMS] * FORMS)
        inverse: Doubles = np.linalg.inv(design.T @ design + penalty).astype(np.float64)
        fit = inverse @ design.T @ best
        leverage = np.minimum(np.einsum("ij,jk,ik->i", design, inverse, design), 0.9)
        residuals = (best - design @ fit) / np.sqrt(1 - leverage)  # each is nearer to a fit that it was part of
        variances = (shares.T @ residuals**2 + _PRIOR * np.mean(residuals**2)) / (shares.sum(axis=0) + _PRIOR)
        spreads: Doubles = np.sqrt(np.maximum(variances, 1e-12)).astype(np.float64)
        tail = Tail(residuals / np.sqrt(shares @ spreads**2))
        return cls(fit, middle, scale, inverse, spreads, tail)

    def strengths(self, shares: Doubles, nearness: float, corrected: NDArray[np.float32]) -> Doubles:
        """Return the strength of each hit of one question, in standard deviations above what an unrelated one gets.

        The further a question is from all null questions, the less certain is what it would get by chance, and the
        weaker are its hits.

        Args:
            shares: (FORMS,), the form of the question.
            nearness: Its mean cosine with all shots.
            corrected: (hits,), corrected cosines.
        """
        design = _design(shares[None], np.array([(nearness - self.middle) * self.scale]))[0]
        spread = np.sqrt((shares @ self.spreads**2) * (1 + design @ self.uncertainty @ design))
        return np.asarray((corrected - design @ self.fit) / spread, dtype=np.float64)


def _design(shares: Doubles, nearness: Doubles) -> Doubles:
    return np.hstack([shares, shares * nearness[:, None]])
