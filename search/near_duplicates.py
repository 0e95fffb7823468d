"""Diversification of a ranking: near-duplicates and takes are stacked behind the best of them, surplus hits of a video
hidden.

A stack is what is similar to its first hit. What is similar to another of the stack alone is a hit of its own, so that
a stack never grows from shot to shot into something else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.takes.stacking import TakeClaims
from search.vectors.vector_index import RowsOf

NEAR_DUPLICATE = 0.98
"""Cosine from which two segments count as duplicates (copies, other encodings, still cameras) until it is measured for
the encoder; see `search.duplicate_threshold`.

Measured with the demo encoder on the demo library and a copy of it at 60 % of the size and poor quality (x264, CRF 33):
a segment and its copy have 0.9828 or more in 99 of 100 cases (median 0.9996), segments of different videos at most
0.907, other shots of one video at most 0.726. Real footage is closer together, so the value is at the upper end of
the gap: it is better to show a duplicate than to hide something new.
"""

MAX_COMPARED = 5_000
"""How far down the ranking to search while hiding near-duplicates, unless more hits are requested. Comparing this many
rows takes 0.2 to 0.6 s on two cores, and happens only if nearly all of them are near-duplicates."""

MAX_COUNTED = 100_000
"""The same if only the number of hits per video is limited, which reads no rows (0.4 s for all 100 000)."""

_BLOCK = 256
"""Candidates read and compared at a time; 16 times as many if no rows are read."""

_ROUNDING = 1e-6  # rounding of a float32 cosine, so that copies are near-duplicates even at a threshold of exactly 1


@dataclass(frozen=True, slots=True)
class Diversified:
    """A diversified ranking.

    Attributes:
        ids: Segment ids of the hits, best first.
        hidden: Number of candidates better than the last hit that were skipped, and are not in a stack.
        alike: For each hit, the ids of the candidates stacked behind it: near-duplicates of it and of no better hit.
    """

    ids: list[int]
    hidden: int
    alike: list[list[int]]


def diversify(
    candidates: Sequence[int],
    k: int,
    *,
    per_video: int | None,
    near_duplicates: float | None,
    videos_of: Callable[[list[int]], dict[int, int]] | None,
    rows_of: RowsOf,
    stack: bool = False,
    takes: TakeClaims | None = None,
) -> Diversified:
    """Return the first `k` candidates that are not too similar to a better one, and no other takes of it.

    Hidden candidates do not hide others.

    Args:
        candidates: Segment ids, best first.
        k: Number of hits.
        per_video: Hide a candidate if this many hits of its video precede it. None means no limit.
        near_duplicates: Hide a candidate whose cosine with an earlier hit is at least this. None disables this.
        videos_of: Returns video ids by segment id, without segments that no longer exist, which are left out. None
            leaves none out; `per_video` is None then.
        rows_of: Returns (ids, float32 (n, D)) in order, without ids that no longer exist. Called only where
            `near_duplicates` is given.
        stack: Near duplicates are not hidden, but stacked: those among the candidates after the last hit as well.
        takes: Receives the hits; what they take are no hits, nor near-duplicates if it is another run.
    """
    chosen: list[int] = []
    alike: list[list[int]] = []
    of_video: Counter[int] = Counter()
    hits = _Rows()
    hidden = 0
    step = 16 * _BLOCK if near_duplicates is None else _BLOCK
    for start in range(0, len(candidates), step):
        block = list(candidates[start : start + step])
        owners = dict.fromkeys(block, 0) if videos_of is None else videos_of(block)
        block = [segment_id for segment_id in block if segment_id in owners]
        rows = np.empty((0, 0), dtype=np.float32)
        first = np.full(len(block), -1)  # number of the best hit so far that each is similar to
        pairs = np.zeros((0, 0), dtype=np.bool_)
        alone = [True] * len(block)  # whether nothing else in the block is similar to each
        if near_duplicates is not None and block:
            block, matrix = rows_of(block)
            rows = _unit(matrix)
            first = hits.first_similar(rows, near_duplicates)
            pairs = is_near(rows @ rows.T, near_duplicates)
            alone = (np.count_nonzero(pairs, axis=1) <= 1).tolist()
        for at, segment_id in enumerate(block):
            ended = len(chosen) == k
            owner = None if takes is None else takes.owner(segment_id)
            if owner is not None and not owner[1]:
                hidden += takes is not None and takes.hides and not ended
                continue
            if owner is not None and near_duplicates is not None:
                first[at] = owner[0]
            if first[at] >= 0 and stack:
                alike[first[at]].append(segment_id)
                continue
            if ended:
                continue
            if first[at] >= 0 or (per_video is not None and of_video[owners[segment_id]] >= per_video):
                hidden += 1
                continue
            if near_duplicates is not None:
                hits.add(rows[at])
                if not alone[at]:
                    first[(first < 0) & pairs[at]] = len(chosen)
            if takes is not None:
                takes.claim(segment_id, len(chosen))
            chosen.append(segment_id)
            alike.append([])
            of_video[owners[segment_id]] += 1
            if len(chosen) == k and not stack:
                return Diversified(chosen, hidden, alike)
    return Diversified(chosen, hidden, alike)


class _Rows:
    """Rows of the hits so far."""

    def __init__(self) -> None:
        self._rows: list[NDArray[np.float32]] = []

    def add(self, row: NDArray[np.float32]) -> None:
        self._rows.append(row)

    def first_similar(self, rows: NDArray[np.float32], cosine: float) -> NDArray[np.int64]:
        """Return int64 (n,): the number of the best hit that each of `rows` is a near-duplicate of, or -1."""
        if not self._rows:
            return np.full(len(rows), -1)
        similar = is_near(rows @ np.stack(self._rows).T, cosine)
        return np.where(similar.any(axis=1), similar.argmax(axis=1), -1)


def is_near(cosines: NDArray[np.floating], least: float) -> NDArray[np.bool_]:
    """Return whether each cosine reaches the threshold of near-duplicates, `least`, up to rounding."""
    return np.asarray(cosines >= least - _ROUNDING)


def _unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scale stored rows to unit length, because 1 within 1e-3 is too coarse to distinguish a cosine of 0.999 from 1."""
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)
