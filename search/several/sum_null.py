"""Null of sums: what several encoders' strengths are together for unrelated questions, and for other shots.

How strengths come together is `search.several.fisher`. Where encoders agree by chance, their sum is large by chance;
where they do not, it is small. So sums are compared with those of the null questions of the calibrations, over an even
sample of the shots that all of these encoders have. What comes out is a strength again: comparable between shots that
different encoders have judged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.calibration.hit_judge import HitJudge
from search.calibration.null_statistics import NULL_SHOTS
from search.calibration.questions import forms, null_questions
from search.calibration.shot_null import ShotNull, best_beyond_kin
from search.calibration.tail import Tail
from search.even import even_places, evenly
from search.several.fisher import together
from search.several.question import common_ids
from search.several.sizes import best_of, rescaled
from search.space import Space
from search.strength import Strength
from search.vectors.vector_index import Ids

Doubles = NDArray[np.float64]

SAMPLE = 4_096
"""Shots that the sums of null questions are made over: about 0.2 s for two encoders, once for each state of a library.
"""
FEWEST = 20
"""With fewer shots that all have, encoders are taken for independent."""


@dataclass(frozen=True, slots=True, eq=False)
class SumNull:
    """What sums of strengths get by chance.

    Attributes:
        level, spread: Mean and standard deviation of the best sums of unrelated questions.
        count: Number of shots that these were the best of.
        tail: The strengths of those sums.
    """

    level: float
    spread: float
    count: int
    tail: Tail

    @classmethod
    def of_best(cls, best: Doubles, count: int) -> SumNull:
        """Return the null of the best sum of each unrelated question among `count` shots."""
        level, spread = float(best.mean()), max(float(best.std(ddof=1)), 1e-6)
        return cls(level, spread, count, Tail((best - level) / spread))

    def strengths(self, sums: Doubles, total: int) -> list[Strength]:
        """Return the strength of each sum among `total` shots."""
        return self.tail.strengths(rescaled((sums - self.level) / self.spread, self.count, total))


def word_null(spaces: Sequence[Space], judges: Sequence[HitJudge]) -> SumNull:
    """Return the null of sums over spaces, one of each encoder, for words.

    Args:
        spaces: At least two.
        judges: Their judges.

    Raises:
        LibraryError: The library cannot be read.
    """
    ids, rows = _sample(spaces)
    if len(ids) < FEWEST:
        return _independent(len(spaces), min(len(each.statistics.ids) for each in judges))
    texts = [null_questions(space.id) for space in spaces]
    count = min(map(len, texts))
    strengths = np.zeros((len(spaces), len(ids), count))
    for own, judge, asked, found in zip(rows, judges, texts, strengths, strict=True):
        questions = judge.statistics.questions[:count]
        standing = judge.word_scores.corrected(own @ questions.T, judge.positions(ids)).astype(np.float64)
        for at, share in enumerate(forms(asked[:count])):
            found[:, at] = judge.word_null.strengths(share, standing[:, at])
    return SumNull.of_best(together(strengths).max(axis=0), len(ids))


def shot_null(spaces: Sequence[Space], judges: Sequence[HitJudge], total: int) -> SumNull:
    """Return the null of sums for examples, which no size changes: see `ShotNull`.

    Args:
        spaces, judges: As of `word_null`.
        total: Number of shots that are asked.
    """
    ids, rows = _sample(spaces)
    nulls = [each.shot_null for each in judges]
    fitted = None
    if len(ids) >= FEWEST and all(nulls):
        at = even_places(len(ids), NULL_SHOTS)
        strengths = np.zeros((len(spaces), len(ids), len(at)))
        for own, judge, null, found in zip(rows, judges, nulls, strengths, strict=True):
            assert null is not None
            found[:] = null.strengths(judge.shot_scores.corrected(own @ own[at].T, judge.positions(ids)))
        sums = together(strengths)
        sums[at, np.arange(len(at))] = np.nan
        fitted = ShotNull.fitted(best_beyond_kin(sums.astype(np.float32)).astype(np.float64))
    if fitted is None:
        return SumNull(0.0, 1.0, total, Tail(np.zeros(0)))
    return SumNull(fitted.level, fitted.spread, total, fitted.tail)


def _sample(spaces: Sequence[Space]) -> tuple[Ids, list[NDArray[np.float32]]]:
    """Return an even sample of the shots with sound rows in all spaces, and these rows, float32 (n, D) of each."""
    ids = evenly(common_ids(spaces), SAMPLE)
    found = []
    for space in spaces:
        there, rows = space.rows_of(ids.tolist())
        own = np.full((len(ids), space.encoder.dim), np.nan, np.float32)
        own[np.isin(ids, np.asarray(there, np.int64))] = rows
        found.append(own)
    sound = np.logical_and.reduce([np.isfinite(own).all(axis=1) for own in found])
    return ids[sound], [own[sound] for own in found]


def _independent(voices: int, count: int) -> SumNull:
    """Return the null of sums of strengths among `count` shots, for encoders that agree by chance only.

    A strength is the number of spreads that a z-score stands above the mean of the best of `count`. Sums are drawn.
    """
    shots = min(count, SAMPLE)
    mean, spread = best_of(shots)
    drawn = np.random.default_rng(0)
    best = [together((drawn.standard_normal((voices, shots)) - mean) / spread).max() for _ in range(_DRAWS)]
    null = SumNull.of_best(np.array(best), shots)
    return SumNull(null.level, null.spread, shots, Tail(np.zeros(0)))


_DRAWS = 128
