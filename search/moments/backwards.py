"""Comparison of a moment with itself in reverse: whether what a question asks for may run the other way.

Rows of a thing that rises and of one that falls are close to each other, so a question about one often finds the other.
The reversed moment shows the other: if it answers better, by more than differences that say nothing, the question may
have found its opposite.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from search.moments.questions import Question

_LEAST_SPREAD = 1e-3
"""Differences of scores below this are rounding."""
_ASSUMED_SPREAD = 0.02
"""The spread where there are no unrelated questions: that of cosines of words with clips that differ in little."""


def backwards(forward: NDArray[np.float32], reverse: NDArray[np.float32], question: Question) -> float:
    """Return how much higher a moment scores in reverse, in standard deviations of what unrelated questions get.

    Args:
        forward, reverse: float32 (D,), the rows of the moment, and of its frames in reverse.
        question: What is asked for.
    """
    both = np.stack([forward, reverse])
    difference = float(np.diff(question.scores(both))[0])
    others = np.diff(question.null_scores(both), axis=0)[0]
    if len(others) < 2:
        return difference / _ASSUMED_SPREAD
    return (difference - float(others.mean())) / max(float(others.std()), _LEAST_SPREAD)
