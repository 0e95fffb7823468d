"""Measures of moment retrieval: when in a video something happens, as ranges of time with scores.

As the evaluations of Charades-STA and QVHighlights do it, but for equal scores, which count as put in random order.
Times are half-open: [2, 4) has a length of 2, and its union with [6, 8) one of 4, without what lies between them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from metrics.ranges import intersection_over_union

_ROUNDING = 1e-9  # times in seconds: an overlap of exactly 0.7 may come out slightly below


class Moments:
    """What was found for one question, and what is true.

    Args:
        truth: (n, 2), start and end of each true moment; at least one.
        windows: (m, 2), start and end of each predicted moment. None at all is a miss.
        scores: (m,), larger is better.

    Raises:
        ValueError: A range is not finite or has no length, there is no true one, a score is NaN, or their number is
            another than that of the windows.
    """

    def __init__(self, truth: ArrayLike, windows: ArrayLike, scores: ArrayLike) -> None:
        self._overlaps = intersection_over_union(windows, truth)
        self._scores = np.asarray(scores, dtype=np.float64)
        if not self._overlaps.shape[1]:
            raise ValueError("a question needs at least one true moment")
        for ranges in (truth, windows):
            if (np.diff(np.asarray(ranges, dtype=np.float64).reshape(-1, 2), axis=1) <= 0).any():
                raise ValueError("a moment has a length: it ends after it starts")
        if self._scores.shape != self._overlaps.shape[:1]:
            raise ValueError(f"a score for each of {len(self._overlaps)} windows is needed, got {self._scores.shape}")
        if np.isnan(self._scores).any():
            raise ValueError("a score is not a number")

    @property
    def overlap(self) -> float:
        """Intersection over union of the best window with the true moment that it overlaps most.

        The mean over questions is mIoU. 0 without windows; the mean over all windows that share the best score.
        """
        return float(self._of_best().mean()) if self._scores.size else 0.0

    def hit(self, threshold: float) -> float:
        """Return the chance that `overlap` reaches a threshold; the mean over questions is R@1 at that IoU.

        Args:
            threshold: Above 0, 1 at most; rounded to 2 digits, as sums of steps like 0.1 + 0.2 are slightly off.

        Returns:
            0 or 1; between them if windows that share the best score differ.

        Raises:
            ValueError: The threshold is out of range.
        """
        least = _rounded(threshold) - _ROUNDING
        return float((self._of_best() >= least).mean()) if self._scores.size else 0.0

    def average_precision(self, threshold: float, *, interpolated: bool = False) -> float:
        """Return the average precision of the windows; the mean over questions is mAP at that IoU.

        In the order of scores each window takes the true moment that it overlaps most among those not taken yet, if
        the overlap reaches the threshold; else it is wrong, and so are windows for a moment that is taken. Windows of
        one score pass together, as everywhere in `metrics.ranking`; among them the largest overlap is served first.

        Args:
            threshold: As in `hit`.
            interpolated: Take at each recall the best precision at this recall or above. ActivityNet's evaluation and
                that of QVHighlights do so: numbers beside published ones need it. It is never lower.

        Returns:
            A value from 0 to 1.

        Raises:
            ValueError: The threshold is out of range.
        """
        least = _rounded(threshold) - _ROUNDING
        free = np.ones(self._overlaps.shape[1], dtype=bool)
        hits, passed = [], []
        for score in np.unique(self._scores)[::-1]:
            group = np.flatnonzero(self._scores == score)
            overlaps = self._overlaps[group] * free
            while overlaps.size and overlaps.max() >= least:
                window, moment = np.unravel_index(overlaps.argmax(), overlaps.shape)
                overlaps[window], overlaps[:, moment] = 0, 0
                free[moment] = False
            hits.append(np.count_nonzero(~free))
            passed.append(group.size)
        precision = np.array(hits) / np.cumsum(passed)
        if interpolated:
            precision = np.maximum.accumulate(precision[::-1])[::-1]
        return float((np.diff(hits, prepend=0) * precision).sum() / free.size)

    def _of_best(self) -> NDArray[np.float64]:
        """Return the overlap of each window that shares the best score with the true moment that it overlaps most."""
        best: NDArray[np.float64] = self._overlaps[self._scores == self._scores.max()].max(axis=1)
        return best


@dataclass(frozen=True)
class MomentSummary:
    """Moment retrieval over all questions. Without questions everything but their number is None.

    Args:
        queries: Number of questions.
        recall: R@1 for each IoU, from 0 to 1.
        mean_overlap: mIoU, from 0 to 1.
        average_precision: mAP for each IoU, from 0 to 1.
    """

    queries: int
    recall: dict[float, float | None]
    mean_overlap: float | None
    average_precision: dict[float, float | None]


def moment_summary(
    questions: Sequence[Moments], thresholds: Sequence[float] = (0.3, 0.5, 0.7), *, interpolated: bool = False
) -> MomentSummary:
    """Return R@1 and mAP at each intersection over union in `thresholds`, rounded to 2 digits, and mIoU.

    Raises:
        ValueError: A threshold is out of range.
    """
    levels = [_rounded(threshold) for threshold in thresholds]
    if not questions:
        return MomentSummary(0, dict.fromkeys(levels), None, dict.fromkeys(levels))
    return MomentSummary(
        queries=len(questions),
        recall={level: float(np.mean([each.hit(level) for each in questions])) for level in levels},
        mean_overlap=float(np.mean([each.overlap for each in questions])),
        average_precision={
            level: float(np.mean([each.average_precision(level, interpolated=interpolated) for each in questions]))
            for level in levels
        },
    )


def _rounded(threshold: float) -> float:
    if not 0 < round(threshold, 2) <= 1:
        raise ValueError(f"the threshold must be above 0, and 1 at most, got {threshold}")
    return round(threshold, 2)
