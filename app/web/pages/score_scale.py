"""Colour scale of a query's scores: the same for every video, so that colours are comparable."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from db.records import Filters
from search.even import evenly

if TYPE_CHECKING:
    from search.engines import Engine
    from search.query import Query

_SAMPLE = 400
MIN_RANGE = 0.02  # so that small differences do not look large if all shots score alike


@dataclass(frozen=True, slots=True)
class ScoreScale:
    """`low` is the median score of the library's shots, `high` the best."""

    low: float
    high: float


def score_scale(engine: Engine, query: Query) -> ScoreScale:
    """Return the scale of a query over the whole library, from its best hit and the scores of an even sample.

    Raises:
        QueryError: The query cannot be answered.
    """
    best = engine.search(replace(query, k=1, filters=Filters(), threshold=None, exclude_same_shot=False))
    sample = evenly(engine.segment_ids(Filters()), _SAMPLE)
    scores = engine.scores(query, sample) if sample.size else np.zeros(1, np.float32)
    high = best[0].score if best else float(scores.max())
    low = min(float(np.median(scores)), high - MIN_RANGE)
    return ScoreScale(round(low, 4), round(max(high, low + MIN_RANGE), 4))
