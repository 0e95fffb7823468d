"""Contrast: the windows of a curve that stand out against the others.

The best single window would nearly always be a short one, as noise is largest there. What is looked for instead is the
run of windows whose mean stands out most against the mean of all others, as in the segmentation of noisy curves
(circular binary segmentation, Olshen et al. 2004): sqrt(inside * outside / all) * (mean inside - mean outside). It has
no preferred length. Whether that is more than differences within any shot is told by what unrelated questions get from
the same windows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

STANDS_OUT = 0.5
"""Share of unrelated questions that may have as much contrast in the same windows. Takes that differ in anything differ
for unrelated questions, too; `gains` decides in the end."""

LEAST_CONTRAST = 0.5
"""Least difference of inside and outside, in standard deviations of what unrelated questions get from one window: less
makes no difference to a person, however clear it is."""

LEAST_GAIN = 0.1
"""By how much a moment has to score higher as one clip than all of it, in the same unit. On the demo world, runs within
a single take gain 0.06 and less, one of three takes of one thing 0.1 and more in five of six cases."""

_LEAST_NULLS = 32
_EXPLAINED = 0.5
"""With fewer unrelated questions: the share of the curve's variance that the run has to explain."""


@dataclass(frozen=True, slots=True)
class Run:
    """A run of windows that stands out.

    Attributes:
        first, end: Positions of the first window, and of the one after the last.
        inside, outside: Mean of the windows in it, and of all others.
    """

    first: int
    end: int
    inside: float
    outside: float


def corrected(scores: NDArray[np.floating], nulls: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the scores of windows less what unrelated questions get from each on average.

    Args:
        scores: (n,).
        nulls: (n, Q); Q may be 0.
    """
    values = scores.astype(np.float64)
    return values - nulls.mean(axis=1) if nulls.shape[1] else values


def find_run(scores: NDArray[np.floating], nulls: NDArray[np.floating]) -> Run | None:
    """Return the run of windows that stands out, or None if none does.

    Args:
        scores: (n,), of windows in order of time, evenly spaced.
        nulls: (n, Q), of the same windows for unrelated questions.
    """
    count = len(scores)
    if count < 3:
        return None
    curve = corrected(scores, nulls)
    firsts, ends = np.triu_indices(count, 0)
    ends = ends + 1
    partial = ends - firsts < count
    firsts, ends = firsts[partial], ends[partial]
    contrasts = _contrasts(curve[:, None], firsts, ends)[:, 0]
    best = int(contrasts.argmax())
    if not contrasts[best] > 0:
        return None
    first, end = int(firsts[best]), int(ends[best])
    inside = float(curve[first:end].mean())
    outside = float(np.delete(curve, np.s_[first:end]).mean())
    if nulls.shape[1] >= _LEAST_NULLS:
        others = _contrasts(nulls - nulls.mean(axis=1, keepdims=True), firsts, ends).max(axis=0)
        chance = (1 + np.count_nonzero(others >= contrasts[best])) / (1 + len(others))
        least = LEAST_CONTRAST * float(nulls.std(axis=1).mean())
        if chance > STANDS_OUT or inside - outside < least:
            return None
    elif contrasts[best] ** 2 < _EXPLAINED * np.square(curve - curve.mean()).sum():
        return None
    return Run(first, end, inside, outside)


def gains(scores: NDArray[np.floating], nulls: NDArray[np.floating]) -> bool:
    """Return whether a moment answers better than all of what was looked through.

    Args:
        scores: (2,), of all of it and of the moment, each as one clip.
        nulls: (2, Q), of the same for unrelated questions.
    """
    whole, moment = corrected(scores, nulls)
    least = LEAST_GAIN * float(nulls.std(axis=1).mean()) if nulls.shape[1] > 1 else 0.0
    return bool(moment - whole >= least)


def _contrasts(curves: NDArray[np.floating], firsts: NDArray[np.intp], ends: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return the contrast of every run in every curve, float64 (runs, curves); curves (n, curves)."""
    count = len(curves)
    sums = np.concatenate([np.zeros((1, curves.shape[1])), np.cumsum(curves, axis=0, dtype=np.float64)])
    inside = (ends - firsts)[:, None].astype(np.float64)
    within = sums[ends] - sums[firsts]
    difference = within / inside - (sums[-1] - within) / (count - inside)
    contrasts: NDArray[np.float64] = np.sqrt(inside * (count - inside) / count) * difference
    return contrasts


def crossing(places: NDArray[np.float64], curve: NDArray[np.float64], level: float) -> float:
    """Return where a curve, followed from its first place on, reaches a level; its last place if it never does.

    Args:
        places: (n,), in the order in which they are followed: ascending or descending.
        curve: (n,), its values there, linear in between; the first is below the level.
        level: The level.
    """
    above = np.flatnonzero(curve >= level)
    if not above.size:
        return float(places[-1])
    at = int(above[0])
    if at == 0:
        return float(places[0])
    share = (level - curve[at - 1]) / (curve[at] - curve[at - 1])
    return float(places[at - 1] + share * (places[at] - places[at - 1]))
