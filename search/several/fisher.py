"""Strengths of several encoders together, by Fisher's method: the logarithms of their probabilities of chance add up.

What an encoder is sure of counts with the square of its strength, and what it knows nothing of hardly counts: it cannot
outvote the others, as it could if strengths were added, where a shot that it is far from would lose all that another
encoder sees in it. Nothing is fitted; encoders are told apart question by question.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]

_FAR_BELOW = -8.0  # strengths below which logarithms of small probabilities are needed
_SMALL = 1e-3  # evidence below which chance is all but certain, so that its complement is reckoned with


def together(strengths: Doubles) -> Doubles:
    """Return what strengths say together: standard normal by chance, if each is, and the encoders agree by chance only.

    Args:
        strengths: (voices, ...), finite. Of one voice, they are what is returned.
    """
    from scipy.special import gammaln, log_ndtr, ndtri_exp

    voices = len(strengths)
    if voices == 1:
        return np.asarray(strengths[0], np.float64)
    near = np.maximum(strengths, _FAR_BELOW)
    each = np.where(strengths > _FAR_BELOW, np.log(-log_ndtr(-near)), log_ndtr(strengths))
    log_evidence = np.logaddexp.reduce(each, axis=0)
    evidence = np.exp(log_evidence)
    lower = voices * log_evidence - gammaln(voices + 1) - evidence * voices / (voices + 1)
    terms = [number * log_evidence - gammaln(number + 1) for number in range(voices)]
    upper = np.minimum(np.logaddexp.reduce(terms, axis=0) - evidence, -1e-300)
    is_small = evidence < _SMALL
    return np.asarray(
        np.where(is_small, ndtri_exp(np.where(is_small, lower, -1.0)), -ndtri_exp(np.where(is_small, -1.0, upper)))
    )
