"""Down the ranking to the hits: what is like a better hit, or one too many of a video, makes way for the next best."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MOST_COMPARED = 5_000
"""How far down the ranking hits are looked for where near duplicates make way, unless more hits than that are wanted:
so many rows take 0.2 to 0.6 s on two cores, and only where nearly all of them are near duplicates."""

MOST_COUNTED = 100_000
"""The same where only the hits of each video are counted: that reads no rows (0.4 s for all 100 000)."""

_BLOCK = 256
"""Candidates read and compared with each other at once; 16 times as many where no rows are read."""

_ROUNDING = 1e-6  # of a cosine worked out in float32: a copy counts as one also where exactly 1 is asked for


@dataclass(frozen=True, slots=True)
class Chosen:
    """Ids of the hits, best first, and how many better-placed candidates made way for them."""

    ids: list[int]
    hidden: int


def choose(
    candidates: Sequence[int],
    k: int,
    *,
    per_video: int | None,
    near_duplicates: float | None,
    videos_of: Callable[[list[int]], dict[int, int]],
    rows_of: Callable[[list[int]], tuple[list[int], NDArray[np.float32]]],
) -> Chosen:
    """The first `k` of the candidates (segment ids, best first) that are not too much like those before them.

    A candidate makes way if `per_video` hits of its video come before it, or if its row has at least the cosine
    `near_duplicates` with the row of a hit before it. Those that made way hide nothing themselves.

    videos_of: video ids by segment id, without the segments that are gone. rows_of: (ids, float32 (n, D)), without
    those that are gone, in order; asked only where `near_duplicates` is given.
    """
    chosen: list[int] = []
    of_video: Counter[int] = Counter()
    hits = _Rows()
    hidden = 0
    step = 16 * _BLOCK if near_duplicates is None else _BLOCK
    for start in range(0, len(candidates), step):
        block = list(candidates[start : start + step])
        owners = videos_of(block)
        block = [segment_id for segment_id in block if segment_id in owners]
        rows = np.empty((0, 0), dtype=np.float32)
        alike = np.zeros(len(block), dtype=np.bool_)  # with a hit so far
        pairs = np.zeros((0, 0), dtype=np.bool_)
        if near_duplicates is not None and block:
            block, matrix = rows_of(block)
            rows = _unit(matrix)
            alike = hits.any_like(rows, near_duplicates)
            pairs = _like(rows @ rows.T, near_duplicates)
        for at, segment_id in enumerate(block):
            if alike[at] or (per_video is not None and of_video[owners[segment_id]] >= per_video):
                hidden += 1
                continue
            chosen.append(segment_id)
            of_video[owners[segment_id]] += 1
            if len(chosen) == k:
                return Chosen(chosen, hidden)
            if near_duplicates is not None:
                hits.add(rows[at])
                alike |= pairs[at]
    return Chosen(chosen, hidden)


class _Rows:
    """The rows of the hits so far."""

    def __init__(self) -> None:
        self._rows: list[NDArray[np.float32]] = []

    def add(self, row: NDArray[np.float32]) -> None:
        self._rows.append(row)

    def any_like(self, rows: NDArray[np.float32], cosine: float) -> NDArray[np.bool_]:
        """bool (n,): which of the rows is like any of these."""
        if not self._rows:
            return np.zeros(len(rows), dtype=np.bool_)
        return np.asarray(_like(rows @ np.stack(self._rows).T, cosine).any(axis=1))


def _like(cosines: NDArray[np.float32], least: float) -> NDArray[np.bool_]:
    return np.asarray(cosines >= least - _ROUNDING)


def _unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """For cosines between stored rows, whose length is 1 within 1e-3 only: too little to tell 0.999 from 1."""
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)
