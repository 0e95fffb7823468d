"""Search for chains ("A, then B"): videos are chosen by their best single segments, then searched exactly."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from db.library import Library
from db.records import Filters
from db.segment_times import SegmentTimes
from search.chain_paths import Floats, Path, Paths, gain
from search.chain_query import Chain, ChainQuery
from search.chain_reach import Reach
from search.directions import Direction
from search.near_duplicates import is_near
from search.query import Hit
from search.vectors.vector_index import Ids, RowsOf, VectorIndex

MAX_VIDEOS = 200
"""Number of videos whose every segment is looked at."""

_SAMPLE = 4_096  # rows whose cosines say what is usual for a step
_WANTED = 2_048  # best segments of each step at first; also the most that a search on a GPU gives
_MAX_WANTED = 65_536
_LOOKED_AT = 4  # times as many chains as wanted are looked at for those that are alike
_BATCH = 32  # chains described at a time, at least
_BLOCK = 8_192  # rows compared at a time, which bounds memory


@dataclass(frozen=True, slots=True)
class Asked:
    """What a step asks for, in the encoder's space.

    Attributes:
        rows: float32 (terms, D), one for each term.
        direction: What segments are compared with.
    """

    rows: NDArray[np.float32]
    direction: Direction


@dataclass(frozen=True, slots=True)
class ChainSearch:
    """Finds chains over the rows of one encoder.

    Attributes:
        library, index: Of that encoder.
        encoder_id: The encoder.
        rows_of: Returns (ids, float32 (n, D)) in order, without ids that no longer exist.
        max_videos: Number of videos whose every segment is looked at.
    """

    library: Library
    index: VectorIndex
    encoder_id: str
    rows_of: RowsOf
    max_videos: int = MAX_VIDEOS

    def answer(
        self, query: ChainQuery, asked: Sequence[Asked], near_duplicate: float | None = None
    ) -> tuple[list[Chain], Reach | None]:
        """Return the best chains, best first, and what was searched. No two share a segment or overlap.

        Args:
            query: The steps' terms are in `asked`.
            asked: One for each step.
            near_duplicate: Cosine from which parts are alike. A chain of which every part is like that of a better one
                is no chain of its own. None: all are.

        Raises:
            LibraryError: The library cannot be read.
        """
        ids, owners = self.library.owners(self.encoder_id)
        usual = self._cosines(ids[:: max(1, len(ids) // _SAMPLE)], asked)
        if query.filters:
            kept = np.isin(ids, self.library.segment_ids(query.filters, self.encoder_id), assume_unique=True)
            ids, owners = ids[kept], owners[kept]
        if not ids.size:
            return [], None
        means, spreads = np.nanmean(usual, axis=1), np.maximum(np.nanstd(usual, axis=1), 1e-6)

        def z_scores_of(cosines: NDArray[np.floating]) -> Floats:
            return np.asarray((cosines - means[:, None]) / spreads[:, None], np.float64)

        videos = self._videos(query.filters, asked, ids, owners, z_scores_of)
        times = self.library.segment_times(videos).of(ids)
        z_scores = np.nan_to_num(z_scores_of(self._cosines(times.ids, asked)), nan=-np.inf, neginf=-np.inf)
        for step, each in enumerate(query.steps):
            for at in np.flatnonzero(np.isin(times.ids, sorted(each.own_ids))):
                same = times.video_ids == times.video_ids[at]
                z_scores[step, same & (times.starts < times.ends[at]) & (times.ends > times.starts[at])] = -np.inf
        chains = self._chains(_ranked(query, times, z_scores), query, asked, near_duplicate)
        return chains, Reach(times, gain(z_scores), len(self.index))

    def _videos(
        self,
        filters: Filters,
        asked: Sequence[Asked],
        ids: Ids,
        owners: NDArray[np.int64],
        z_scores_of: Callable[[NDArray[np.floating]], Floats],
    ) -> list[int]:
        """Return the videos to look at: those that could have the best chains, as far as their best segments tell.

        What a video could gain in a step is what its best segment gains without penalties, or, if none is among the
        best of the library, what the last of these gains.
        """
        videos, of_segment = np.unique(owners, return_inverse=True)
        wanted = _WANTED
        named = np.arange(len(videos))
        could = np.zeros((len(asked), len(videos)))
        directions = np.stack([each.direction.row for each in asked])
        while len(videos) > self.max_videos:
            found, cosines = self.index.search(directions, wanted, ids if filters else None)
            gains = gain(z_scores_of(cosines))
            at = np.minimum(np.searchsorted(ids, found), len(ids) - 1)
            known = ids[at] == found  # the index may be a moment older or newer
            could = np.repeat(gains.min(axis=1, keepdims=True), len(videos), axis=1)
            for step in range(len(asked)):
                np.maximum.at(could[step], of_segment[at[step][known[step]]], gains[step][known[step]])
            named = np.unique(of_segment[at[known]])
            if len(named) >= self.max_videos or found.shape[1] < wanted or wanted >= _MAX_WANTED:
                break
            wanted *= 4
        best = named[np.argsort(-could[:, named].sum(axis=0), kind="stable")]
        return [int(each) for each in videos[best[: self.max_videos]]]

    def _cosines(self, ids: Ids, asked: Sequence[Asked]) -> Floats:
        """Return float64 (S, n): the score of each segment in each step; NaN where there is no sound row."""
        cosines = np.full((len(asked), len(ids)), np.nan)
        for start in range(0, len(ids), _BLOCK):
            there, rows = self.rows_of([int(each) for each in ids[start : start + _BLOCK]])
            at = start + np.flatnonzero(np.isin(ids[start : start + _BLOCK], np.asarray(there, np.int64)))
            cosines[:, at] = np.stack([each.direction.scores(rows) for each in asked])
        return cosines

    def _chains(
        self, ranked: Iterator[_Found], query: ChainQuery, asked: Sequence[Asked], near_duplicate: float | None
    ) -> list[Chain]:
        """Return the first `query.k` chains with their near-duplicates, searched for a few times as far down."""
        chains: list[Chain] = []
        rows: list[NDArray[np.float32]] = []  # (S, D) of each chain, of length 1
        alike: list[list[tuple[int, ...]]] = []
        rest = query.k if near_duplicate is None else _LOOKED_AT * query.k + _BATCH
        while len(chains) < query.k and (found := list(islice(ranked, min(max(query.k, _BATCH), rest)))):
            rest -= len(found)
            for ids, chain, own in self._described(found, asked):
                unit = own / np.linalg.norm(own, axis=1, keepdims=True)
                near = np.einsum("csd,sd->cs", np.stack(rows), unit).min(axis=1) if rows else np.empty(0)
                if near_duplicate is not None and (behind := np.flatnonzero(is_near(near, near_duplicate))).size:
                    alike[behind[0]].append(ids)
                elif len(chains) < query.k:
                    chains.append(chain)
                    rows.append(unit)
                    alike.append([])
        stacked = query.duplicates == "stack"
        return [
            replace(chain, rank=rank, alike=tuple(alike[rank - 1]) if stacked else ())
            for rank, chain in enumerate(chains, 1)
        ]

    def _described(
        self, found: Sequence[_Found], asked: Sequence[Asked]
    ) -> Iterator[tuple[tuple[int, ...], Chain, NDArray[np.float32]]]:
        """Yield (ids, chain, rows (S, D)) for each chain of which no segment has gone since."""
        wanted = list(dict.fromkeys(segment_id for each in found for segment_id in each.ids))
        records = self.library.segments(wanted)
        there, rows = self.rows_of([segment_id for segment_id in wanted if segment_id in records])
        row_of = dict(zip(there, rows, strict=True))
        for each in found:
            if any(segment_id not in row_of for segment_id in each.ids):
                continue
            parts = []
            for number, (segment_id, step) in enumerate(zip(each.ids, asked, strict=True), start=1):
                segment, video = records[segment_id]
                terms = tuple((step.rows @ row_of[segment_id]).tolist())
                score = float(step.direction.scores(row_of[segment_id][None])[0])
                parts.append(Hit(rank=number, score=score, segment=segment, video=video, term_scores=terms))
            chain = Chain(rank=1, score=each.score, strength=None, video=parts[0].video, parts=tuple(parts))
            yield each.ids, chain, np.stack([row_of[segment_id] for segment_id in each.ids])


@dataclass(frozen=True, slots=True)
class _Found:
    """Ids of the segments of a chain, one for each step, and the geometric mean of how likely they are."""

    score: float
    ids: tuple[int, ...]


def _ranked(query: ChainQuery, times: SegmentTimes, z_scores: Floats) -> Iterator[_Found]:
    """Yield the chains of all videos, best first. No two share a segment, or have segments that overlap.

    A video is searched once its best segments, taken alone, could make the next chain, and again after each chain.
    """
    videos, firsts = np.unique(times.video_ids, return_index=True)
    if not len(videos):
        return
    bounds = np.maximum.reduceat(gain(z_scores), firsts, axis=1).sum(axis=0)
    ends = [*firsts[1:], len(times.ids)]
    waiting: list[tuple[float, int, Path | None]] = [(-float(bound), at, None) for at, bound in enumerate(bounds)]
    heapq.heapify(waiting)
    searched: dict[int, Paths] = {}
    taken: Counter[int] = Counter()
    while waiting:
        total, at, path = heapq.heappop(waiting)
        own = slice(int(firsts[at]), int(ends[at]))
        if path is not None:
            ids = times.ids[own]
            yield _Found(float(np.exp(-total / len(path.at))), tuple(int(ids[each]) for each in path.at))
            taken[at] += 1
            if taken[at] == query.per_video:
                continue
            searched[at].take(path)
        elif total < np.inf:
            within, any_order = query.within_seconds, query.any_order
            starts, stops, shots = times.starts[own], times.ends[own], times.shots[own]
            searched[at] = Paths(starts, stops, shots, z_scores[:, own], within=within, any_order=any_order)
        else:
            continue
        if following := searched[at].best():
            heapq.heappush(waiting, (-following.total, at, following))
