"""Standing of shots in a question of several parts: standard deviations above what is usual in each space, added.

Strengths judge one text or one example. A question of several parts (words and an example, or without something) has
a direction in each space instead, whose scores are brought to one scale by the mean and spread of a sample of the
space. Sums of them are brought to one scale, too, so that a shot that one encoder alone has stands beside the others.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from search.even import evenly
from search.several.question import Asking, Pattern, Question, Seen, common_ids
from search.vectors.vector_index import Ids

Doubles = NDArray[np.float64]

SAMPLE = 4_096
FEWEST = 20
"""Spaces with fewer rows say nothing of what is usual: then the largest one of the same encoder does."""
_LEAST_SPREAD = 1e-6


class Standing:
    """The standing of shots in one question."""

    def __init__(self, question: Question) -> None:
        self._question = question
        self._usual = cache(self._measured)
        self._of_pattern = cache(self._measured_pattern)

    def values(self, seen: Seen) -> Doubles:
        """Return the standing of each shot, float64 (n,): standard deviations above the usual shot.

        Raises:
            LibraryError: The library cannot be read.
        """
        found = np.zeros(len(seen.ids))
        for pattern, at in seen.patterns():
            sums = np.zeros(len(at))
            for voice, number in enumerate(pattern):
                if number >= 0:
                    mean, spread = self._usual(voice, number)
                    sums += (seen.scores[voice, at] - mean) / spread
            mean, spread = self._of_pattern(pattern)
            found[at] = (sums - mean) / spread
        return found

    def _measured(self, voice: int, number: int) -> tuple[float, float]:
        """Return the mean and the spread of the scores in a space."""
        askings = self._question.asked[voice]
        ids = [asking.space.segment_ids() for asking in askings]
        if len(ids[number]) < FEWEST:
            number = max(range(len(ids)), key=lambda each: len(ids[each]))
        scores = scores_of(askings[number], evenly(ids[number], SAMPLE))
        if not np.isfinite(scores).any():
            return 0.0, 1.0
        return float(np.nanmean(scores)), max(float(np.nanstd(scores)), _LEAST_SPREAD)

    def _measured_pattern(self, pattern: Pattern) -> tuple[float, float]:
        """Return the mean and the spread of the sums of voices."""
        by = [(voice, number) for voice, number in enumerate(pattern) if number >= 0]
        if len(by) == 1:
            return 0.0, 1.0
        askings = [self._question.asked[voice][number] for voice, number in by]
        ids = evenly(common_ids([asking.space for asking in askings]), SAMPLE)
        sums = np.zeros(len(ids))
        for (voice, number), asking in zip(by, askings, strict=True):
            mean, spread = self._usual(voice, number)
            sums += (scores_of(asking, ids) - mean) / spread
        if np.isfinite(sums).sum() < FEWEST:
            return 0.0, float(np.sqrt(len(by)))
        return float(np.nanmean(sums)), max(float(np.nanstd(sums)), _LEAST_SPREAD)


def scores_of(asking: Asking, ids: Ids) -> Doubles:
    """Return the score of each shot in a space, float64 (n,); NaN without a sound row."""
    scores = np.full(len(ids), np.nan)
    there, rows = asking.space.rows_of(ids.tolist())
    scores[np.isin(ids, np.asarray(there, np.int64))] = asking.direction.scores(rows)
    return scores
