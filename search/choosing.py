"""From a ranking to hits: what the query leaves out, limits per video, near-duplicates, files that are not there.

It is the same for one space and for several; see `Ranking`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from search.near_duplicates import MAX_COMPARED, MAX_COUNTED, Diversified, diversify
from search.query import Hit, Query, SegmentTerm
from search.reachable import reachable_copies
from search.strength import Opinion, Strength
from search.takes.stacking import TakeClaims, takes_of
from search.takes.stored import SetUps
from search.vectors.vector_index import Ids

if TYPE_CHECKING:
    from db.library import Library
    from db.records import Segment, Video

    Described = tuple[Segment, Video, tuple[float, ...]]
    """A segment, its video, and its cosine with each term."""


_SAME_SCORE = 1e-3
"""By how much the scores of two segments of one content may differ: of rows that were encoded apart."""

Judged = tuple[int, Strength | None, tuple[Opinion, ...]]
"""The position of a segment among those that were to be judged, its strength, and what each of several encoders
thinks."""


class Ranking(Protocol):
    """All segments of a library in the order in which they answer a query."""

    def best(self, wanted: int, allowed_ids: Ids | None, threshold: float | None) -> tuple[dict[int, float], bool]:
        """Return (scores by segment id, best first; whether there are no others).

        Args:
            wanted: Number of segments, at least.
            allowed_ids: int64 (n,), to choose from; None for all.
            threshold: Those below need not be returned.
        """
        ...

    def rows_of(self, ids: list[int]) -> tuple[list[int], NDArray[np.float32]]:
        """Return (ids, float32 (n, D)) in order, without ids that no longer exist: rows that near-duplicates share."""
        ...

    def described(self, ids: list[int]) -> dict[int, Described]:
        """Return segment, video and cosine with each term for the `ids` that still exist, in order."""
        ...

    def judged(self, ids: list[int], cosines: Sequence[Sequence[float]]) -> list[Judged]:
        """Return those of these segments that reach the query's `least_level`.

        Args:
            ids: What was found.
            cosines: As described.
        """
        ...


@dataclass(frozen=True, slots=True)
class Chosen:
    """Hits of a query.

    Attributes:
        hits: Best first.
        hidden: Number of better ones that were removed as near-duplicates or by the limit per video.
        matching: Number of segments that reach the threshold; None unless the whole ranking was examined.
    """

    hits: list[Hit]
    hidden: int
    matching: int | None


def excluded_ids(library: Library, query: Query) -> frozenset[int]:
    """Return the ids of the query's own segments, of the rest of their shots if requested, and `leave_out`."""
    terms = [*query.terms, *(term for each in query.own_terms.values() for term in each)]
    own = {term.segment_id for term in terms if isinstance(term, SegmentTerm)}
    out = own | query.leave_out
    if own and query.exclude_same_shot:
        for segment, video in library.segments(sorted(own)).values():
            assert video.id is not None, "what comes from the library has an id"
            out.update(
                other.id
                for other in library.segments_of(video.id)
                if other.shot_number == segment.shot_number and other.id is not None
            )
    return frozenset(out)


def choose(
    library: Library,
    query: Query,
    ranking: Ranking,
    near: float | None,
    allowed_ids: Ids | None,
    excluded: frozenset[int],
    set_ups: SetUps,
) -> Chosen:
    """Return the hits of a query.

    Excluded segments, segments removed meanwhile and hidden hits are replaced by the next best: the ranking is asked
    for more candidates until there are enough, down to MAX_COMPARED or MAX_COUNTED.

    Args:
        library: The library.
        query: What is wanted.
        ranking: Of this query.
        near: Cosine of the ranking's rows from which segments are near-duplicates; None: they are shown.
        allowed_ids: int64 (n,), segments that pass the filters; None for all.
        excluded: Segments that are no hits.
        set_ups: Of the ranking's space.

    Raises:
        LibraryError: The library cannot be read.
    """
    stacks_takes = query.takes != "show" and bool(set_ups)

    def diversified_of(candidates: list[int]) -> Diversified:
        return diversify(
            candidates,
            query.k,
            per_video=query.per_video,
            near_duplicates=near,
            stack=query.duplicates == "stack",
            videos_of=None if query.per_video is None else library.video_ids,
            rows_of=ranking.rows_of,
            takes=TakeClaims(set_ups, hides=query.takes == "hide") if stacks_takes else None,
        )

    diversified = query.per_video is not None or near is not None or stacks_takes
    limit = max(query.k, MAX_COUNTED if near is None else MAX_COMPARED) + len(excluded)
    wanted = query.k + len(excluded)
    if query.per_video is not None:
        wanted = min(limit, 4 * wanted + 256)  # enough for nearly all queries; a GPU search is limited to 2048
    elif near is not None or stacks_takes:
        wanted = min(limit, wanted + max(30, 2 * wanted // 5))  # of 100,000 rows, 200 hits are no slower with it
    while True:
        scores, complete = ranking.best(wanted, allowed_ids, query.threshold)
        good = [i for i in scores if query.threshold is None or scores[i] >= query.threshold]
        ended = complete or len(good) < len(scores)
        candidates = [i for i in good if i not in excluded]
        if diversified:
            chosen = diversified_of(candidates)
        else:
            chosen = Diversified(candidates, 0, [[] for _ in candidates])
        known = ranking.described(chosen.ids)
        if diversified and len(known) < len(chosen.ids):  # some have gone, which must not hide what is there
            there = library.video_ids(candidates)
            chosen = diversified_of([i for i in candidates if i in there])
            known = ranking.described(chosen.ids)
        if len(known) >= query.k or ended or (diversified and wanted >= limit):
            break
        wanted = min(limit, 4 * wanted) if diversified else 2 * wanted

    def may_show(segment_id: int) -> bool:
        return segment_id not in excluded and (allowed_ids is None or bool(np.isin(segment_id, allowed_ids)))

    alike = dict(zip(chosen.ids, chosen.alike, strict=True))
    if near is not None:
        hide = query.duplicates == "hide"
        copied = {i: each for i, each in known.items() if hide or _has_copy(i, alike[i], scores)}
        if copied:
            known = known | _reachable(library, ranking, copied, may_show)
        alike = {i: [i if other == each[0].id else other for other in alike[i]] for i, each in known.items()}
    shown = list(known)[: query.k]
    found = [known[i] for i in shown]
    ids = [segment.id for segment, _, _ in found if segment.id is not None]
    takes = {} if query.takes == "hide" else takes_of(library, set_ups, ids, may_show, once=stacks_takes)
    names = dict(zip(takes, library.collections.names_of([set_ups[each].runs for each in takes]), strict=True))
    hits = [
        Hit(
            rank=rank,
            score=scores[shown[at]],
            segment=found[at][0],
            video=found[at][1],
            term_scores=found[at][2],
            strength=strength,
            alike=tuple(alike[shown[at]]),
            takes=takes.get(ids[at], ()),
            set_up=names.get(ids[at], ""),
            opinions=opinions,
        )
        for rank, (at, strength, opinions) in enumerate(
            ranking.judged(ids, [cosines for _, _, cosines in found]), start=1
        )
    ]
    return Chosen(hits, chosen.hidden, len(candidates) if ended else None)


def _reachable(
    library: Library,
    ranking: Ranking,
    known: dict[int, Described],
    may_show: Callable[[int], bool],
) -> dict[int, Described]:
    """Return the described segments by id, with hits in missing files replaced by hits in available copies."""
    copies = reachable_copies(library, {i: each[:2] for i, each in known.items()}, may_show)
    if not copies:
        return known
    described = ranking.described(list(copies.values()))
    return {i: described.get(copies.get(i, i), each) for i, each in known.items()}


def _has_copy(segment_id: int, alike: list[int], scores: dict[int, float]) -> bool:
    """Return whether a segment of the same content, which has the same score, may be behind a hit."""
    return any(abs(scores[other] - scores[segment_id]) < _SAME_SCORE for other in alike)
