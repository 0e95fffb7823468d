"""Between which scores the colours of a query run: the same for every video and for the map, so that they compare."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from db.records import Filters

if TYPE_CHECKING:
    from search.engine import SearchEngine
    from search.query import Query

_SAMPLE = 400
_LEAST_RANGE = 0.02  # where all shots score alike, small differences shall not look large


@dataclass(frozen=True, slots=True)
class ScoreScale:
    """low: what a shot of this library usually scores. high: what its best one does."""

    low: float
    high: float


def score_scale(engine: SearchEngine, query: Query) -> ScoreScale:
    """Asks for the best hit of the whole library and the scores of an even sample of it."""
    best = engine.search(replace(query, k=1, filters=Filters(), threshold=None, exclude_same_shot=False))
    ids = engine.library.segment_ids(Filters(), engine.encoder.id)
    sample = ids[np.unique(np.linspace(0, max(0, ids.size - 1), min(ids.size, _SAMPLE)).astype(np.int64))]
    scores = engine.scores(query, sample) if sample.size else np.zeros(1, np.float32)
    high = best[0].score if best else float(scores.max())
    low = min(float(np.median(scores)), high - _LEAST_RANGE)
    return ScoreScale(round(low, 4), round(max(high, low + _LEAST_RANGE), 4))
