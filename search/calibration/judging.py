"""Strengths put into hits, and hits of too little strength left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from search.calibration.calibration import Calibration
from search.query import Hit, Query


def judged(hits: Sequence[Hit], query: Query, rows: NDArray[np.float32], calibration: Calibration | None) -> list[Hit]:
    """Return the hits of a query with their strengths, without those below its `least_level`.

    Args:
        hits: Best first.
        query: Their query.
        rows: float32 (terms, D), the rows of its terms.
        calibration: Without it, hits have no strength, and all are kept.

    Raises:
        LibraryError: The library cannot be read.
    """
    judge = calibration.judge() if calibration is not None and hits else None
    if judge is None:
        return list(hits)
    ids = [hit.segment.id for hit in hits if hit.segment.id is not None]
    cosines = np.array([hit.term_scores for hit in hits], dtype=np.float32)
    found = judge.strengths(query.terms, rows, ids, cosines)
    level = query.least_level
    kept = [
        (hit, strength)
        for hit, strength in zip(hits, found, strict=True)
        if level is None or strength is None or strength.reaches(level)
    ]
    return [replace(hit, rank=rank, strength=strength) for rank, (hit, strength) in enumerate(kept, 1)]
