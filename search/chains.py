"""Search for chains ("A, then B"): videos are chosen by their best single segments, then searched exactly."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from db.segment_times import SegmentTimes
from search.chain_ground import Ground
from search.chain_paths import Floats, Path, Paths, gain
from search.chain_query import Chain, ChainQuery
from search.chain_reach import Reach
from search.near_duplicates import is_near
from search.query import Hit
from search.vectors.vector_index import Ids

MAX_VIDEOS = 200
"""Number of videos whose every segment is looked at."""

_WANTED = 2_048  # best segments of each step at first; also the most that a search on a GPU gives
_MAX_WANTED = 65_536
_LOOKED_AT = 4  # times as many chains as wanted are looked at for those that are alike
_BATCH = 32  # chains described at a time, at least


@dataclass(frozen=True, slots=True)
class ChainSearch:
    """Finds chains among the segments of a ground.

    Attributes:
        ground: The segments, and what each step scores there.
        max_videos: Number of videos whose every segment is looked at.
    """

    ground: Ground
    max_videos: int = MAX_VIDEOS

    def answer(self, query: ChainQuery, near_duplicate: float | None = None) -> tuple[list[Chain], Reach | None]:
        """Return the best chains, best first, and what was searched. No two share a segment or overlap.

        Args:
            query: The steps' terms are in the ground.
            near_duplicate: Cosine from which parts are alike. A chain of which every part is like that of a better one
                is no chain of its own. None: all are.

        Raises:
            LibraryError: The library cannot be read.
        """
        ids, owners = self.ground.owners()
        if query.filters:
            kept = np.isin(ids, self.ground.segment_ids(query.filters), assume_unique=True)
            ids, owners = ids[kept], owners[kept]
        if not ids.size:
            return [], None
        videos = self._videos(query, ids, owners)
        times = self.ground.library.segment_times(videos).of(ids)
        z_scores = np.nan_to_num(self.ground.z_scores(times.ids), nan=-np.inf, neginf=-np.inf)
        for step, each in enumerate(query.steps):
            for at in np.flatnonzero(np.isin(times.ids, sorted(each.own_ids))):
                same = times.video_ids == times.video_ids[at]
                z_scores[step, same & (times.starts < times.ends[at]) & (times.ends > times.starts[at])] = -np.inf
        chains = self._chains(_ranked(query, times, z_scores), query, near_duplicate)
        return chains, Reach(times, gain(z_scores), len(self.ground))

    def _videos(self, query: ChainQuery, ids: Ids, owners: NDArray[np.int64]) -> list[int]:
        """Return the videos to look at: those that could have the best chains, as far as their best segments tell.

        What a video could gain in a step is what its best segment gains without penalties, or, if none is among the
        best of the library, what the last of these gains.
        """
        videos, of_segment = np.unique(owners, return_inverse=True)
        wanted = _WANTED
        named = np.arange(len(videos))
        could = np.zeros((len(query.steps), len(videos)))
        while len(videos) > self.max_videos:
            found, z_scores = self.ground.best(wanted, ids if query.filters else None)
            gains = gain(z_scores)
            at = np.minimum(np.searchsorted(ids, found), len(ids) - 1)
            known = ids[at] == found  # the index may be a moment older or newer
            could = np.repeat(gains.min(axis=1, keepdims=True), len(videos), axis=1)
            for step in range(len(query.steps)):
                np.maximum.at(could[step], of_segment[at[step][known[step]]], gains[step][known[step]])
            named = np.unique(of_segment[at[known]])
            if len(named) >= self.max_videos or found.shape[1] < wanted or wanted >= _MAX_WANTED:
                break
            wanted *= 4
        best = named[np.argsort(-could[:, named].sum(axis=0), kind="stable")]
        return [int(each) for each in videos[best[: self.max_videos]]]

    def _chains(self, ranked: Iterator[_Found], query: ChainQuery, near_duplicate: float | None) -> list[Chain]:
        """Return the first `query.k` chains with their near-duplicates, searched for a few times as far down."""
        chains: list[Chain] = []
        rows: list[NDArray[np.float32]] = []  # (S, D) of each chain, of length 1
        alike: list[list[tuple[int, ...]]] = []
        rest = query.k if near_duplicate is None else _LOOKED_AT * query.k + _BATCH
        while len(chains) < query.k and (found := list(islice(ranked, min(max(query.k, _BATCH), rest)))):
            rest -= len(found)
            for ids, chain, own in self._described(found):
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

    def _described(self, found: Sequence[_Found]) -> Iterator[tuple[tuple[int, ...], Chain, NDArray[np.float32]]]:
        """Yield (ids, chain, rows (S, D)) for each chain of which no segment has gone since."""
        wanted = list(dict.fromkeys(segment_id for each in found for segment_id in each.ids))
        records = self.ground.library.segments(wanted)
        known = {
            segment_id: (row, scores)
            for segment_id, row, scores in self.ground.described([each for each in wanted if each in records])
        }
        for each in found:
            if any(segment_id not in known for segment_id in each.ids):
                continue
            parts = []
            for number, segment_id in enumerate(each.ids):
                segment, video = records[segment_id]
                part = known[segment_id][1][number]
                parts.append(
                    Hit(
                        rank=number + 1,
                        score=part.score,
                        segment=segment,
                        video=video,
                        term_scores=part.term_scores,
                    )
                )
            chain = Chain(rank=1, score=each.score, strength=None, video=parts[0].video, parts=tuple(parts))
            yield each.ids, chain, np.stack([known[segment_id][0] for segment_id in each.ids])


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
