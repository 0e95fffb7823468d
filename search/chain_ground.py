"""Ground of chains: the segments among which chains are searched, and what each step scores there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from db.library import Library
from db.records import Filters
from search.chain_paths import Floats
from search.directions import Direction
from search.vectors.vector_index import Ids, RowsOf, VectorIndex

SAMPLE = 4_096  # rows whose cosines say what is usual for a step
_BLOCK = 8_192  # rows compared at a time, which bounds memory
_LEAST_SPREAD = 1e-6


@dataclass(frozen=True, slots=True)
class Asked:
    """What a step asks for, in the encoder's space.

    Attributes:
        rows: float32 (terms, D), one for each term.
        direction: What segments are compared with.
    """

    rows: NDArray[np.float32]
    direction: Direction


@dataclass(frozen=True, slots=True, eq=False)
class PartScore:
    """What a step says of a segment.

    Attributes:
        score: The value by which a hit of the step would be ranked.
        term_scores: The cosine with each of its terms.
    """

    score: float
    term_scores: tuple[float, ...]


class Ground(Protocol):
    """The segments among which chains are searched. A z-score is how many standard deviations a segment stands above
    the library's mean, in one step."""

    @property
    def library(self) -> Library:
        """The library."""
        ...

    def __len__(self) -> int:
        """Return the number of segments."""
        ...

    def owners(self) -> tuple[Ids, NDArray[np.int64]]:
        """Return all segments, ascending, and their videos: int64 (n,) each."""
        ...

    def segment_ids(self, filters: Filters) -> Ids:
        """Return those that pass filters, int64 (n,), ascending."""
        ...

    def z_scores(self, ids: Ids) -> Floats:
        """Return the z-score of each segment in each step, float64 (S, n); NaN where there is no sound row."""
        ...

    def best(self, wanted: int, allowed: Ids | None) -> tuple[Ids, Floats]:
        """Return the best segments of each step without penalties, int64 (S, m), and their z-scores, float64 (S, m).

        m is below `wanted` only if there are no others.
        """
        ...

    def described(self, ids: list[int]) -> Iterator[tuple[int, NDArray[np.float32], list[PartScore]]]:
        """Yield, for each of these that still has a row, its id, its row (D,) and what each step says of it."""
        ...


class SpaceGround:
    """The ground of one space."""

    def __init__(
        self, library: Library, index: VectorIndex, encoder_id: str, rows_of: RowsOf, asked: Sequence[Asked]
    ) -> None:
        """Create the ground.

        Args:
            library, index: Of that encoder.
            encoder_id: The encoder.
            rows_of: Returns (ids, float32 (n, D)) in order, without ids that no longer exist.
            asked: One for each step.
        """
        self.library = library
        self._index, self._encoder_id, self._rows_of, self._asked = index, encoder_id, rows_of, asked

    def __len__(self) -> int:
        return len(self._index)

    def owners(self) -> tuple[Ids, NDArray[np.int64]]:
        return self.library.owners(self._encoder_id)

    def segment_ids(self, filters: Filters) -> Ids:
        return self.library.segment_ids(filters, self._encoder_id)

    def z_scores(self, ids: Ids) -> Floats:
        return self._standard(self.cosines(ids))

    def best(self, wanted: int, allowed: Ids | None) -> tuple[Ids, Floats]:
        directions = np.stack([each.direction.row for each in self._asked])
        found, cosines = self._index.search(directions, wanted, allowed)
        return found, self._standard(cosines)

    def described(self, ids: list[int]) -> Iterator[tuple[int, NDArray[np.float32], list[PartScore]]]:
        there, rows = self._rows_of(ids)
        for segment_id, row in zip(there, rows, strict=True):
            scores = [
                PartScore(float(each.direction.scores(row[None])[0]), tuple((each.rows @ row).tolist()))
                for each in self._asked
            ]
            yield segment_id, row, scores

    def cosines(self, ids: Ids) -> Floats:
        """Return float64 (S, n): the score of each segment in each step; NaN where there is no sound row."""
        cosines = np.full((len(self._asked), len(ids)), np.nan)
        for start in range(0, len(ids), _BLOCK):
            there, rows = self._rows_of([int(each) for each in ids[start : start + _BLOCK]])
            at = start + np.flatnonzero(np.isin(ids[start : start + _BLOCK], np.asarray(there, np.int64)))
            cosines[:, at] = np.stack([each.direction.scores(rows) for each in self._asked])
        return cosines

    @cached_property
    def usual(self) -> tuple[Floats, Floats]:
        """The mean and the standard deviation of the library's scores in each step, float64 (S,) each."""
        ids, _ = self.owners()
        usual = self.cosines(ids[:: max(1, len(ids) // SAMPLE)])
        return np.nanmean(usual, axis=1), np.maximum(np.nanstd(usual, axis=1), _LEAST_SPREAD)

    def _standard(self, cosines: NDArray[np.floating]) -> Floats:
        means, spreads = self.usual
        return np.asarray((cosines - means[:, None]) / spreads[:, None], np.float64)
