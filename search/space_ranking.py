"""Ranking of the segments of one space by the score of a query's direction; see `search.choosing.Ranking`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from search.calibration.judging import judged
from search.candidates import best_candidates
from search.choosing import Judged
from search.directions import Direction
from search.query import Query
from search.space import Space
from search.vectors.vector_index import Ids

if TYPE_CHECKING:
    from search.choosing import Described


@dataclass(frozen=True, slots=True)
class SpaceRanking:
    """The ranking of one question.

    Attributes:
        space: The space.
        query: The question.
        direction, rows: Of its terms; see `Space.direction`.
    """

    space: Space
    query: Query
    direction: Direction
    rows: NDArray[np.float32]

    def best(self, wanted: int, allowed_ids: Ids | None, threshold: float | None) -> tuple[dict[int, float], bool]:
        return best_candidates(self.space.index, self.direction, wanted, allowed_ids, threshold, self.space.rows_of)

    def rows_of(self, ids: list[int]) -> tuple[list[int], NDArray[np.float32]]:
        return self.space.rows_of(ids)

    def described(self, ids: list[int]) -> dict[int, Described]:
        records = self.space.library.segments(ids)
        there, stored = self.space.rows_of([i for i in ids if i in records])
        cosines = (stored @ self.rows.T).tolist()
        return {i: (*records[i], tuple(cosines[at])) for at, i in enumerate(there)}

    def judged(self, ids: list[int], cosines: Sequence[Sequence[float]]) -> list[Judged]:
        found = judged(self.query, ids, cosines, self.space.calibration)
        return [(at, strength, ()) for at, strength in found]
