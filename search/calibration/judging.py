"""Strengths of what a query found, without what is too weak for it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from search.calibration.calibration import Calibration
from search.query import Query
from search.strength import Strength


def judged(
    query: Query,
    ids: Sequence[int],
    cosines: Sequence[Sequence[float]],
    calibration: Calibration | None,
) -> list[tuple[int, Strength | None]]:
    """Return the position and strength of each of these segments that reaches the query's `least_level`.

    Args:
        query: The query.
        ids: The segments it found.
        cosines: Those of each with each term.
        calibration: Without it, nothing has a strength, and all are kept.

    Raises:
        LibraryError: The library cannot be read.
    """
    judge = calibration.judge() if calibration is not None and ids else None
    if judge is None:
        return [(at, None) for at in range(len(ids))]
    found = judge.strengths(query.terms, ids, np.array(cosines, dtype=np.float32))
    level = query.least_level
    return [(at, each) for at, each in enumerate(found) if level is None or each is None or each.reaches(level)]
