"""One ranking of shots for a question of pictures and words: what a shot shows, and what is said or written in it.

Each channel gives a shot a value from 0 to 1, and the score is their weighted sum. That of a picture is how sure its
strength makes one that it is no chance (`_assurance`). It ends at 1: of two shots that surely show what was asked, the
one with the words is meant, however strong the other is. That of words says how few shots they match, down to a value
that all words have (`text_values`). Without a calibration there are no strengths, and ranks are fused instead
(reciprocal rank fusion: Cormack, Clarke and Buettcher, SIGIR 2009).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from db.records import Filters
from search.choosing import excluded_ids
from search.fused import Channel, FusedAnswer, FusedHit, FusedQuery
from search.query import Hit
from search.strength import Strength
from search.text.matches import TextMatches, match_segments, text_values

if TYPE_CHECKING:
    from db.library import Library
    from search.engines import Engine

_CHANNELS: dict[str, Channel] = {
    "subtitle": "said", "speech": "said", "screen": "written", "chapter": "chapter", "tag": "tag",
}  # fmt: skip
_LEAST_PICTURES = 100  # candidates of the picture channel
_DOUBT = 4.0  # that a chance raises
_RANK_CONSTANT = 60  # of reciprocal rank fusion, as published


def find_fused(library: Library, query: FusedQuery, engine: Engine | None = None) -> FusedAnswer:
    """Return the shots that match words, a picture, or both.

    Args:
        library: The library.
        query: What to look for.
        engine: Of this library; needed for a query with a picture alone.

    Raises:
        TextQueryError: The words cannot be searched for; the message says what to change.
        QueryError, EncoderError, LibraryError: See `SearchEngine.answer`.
        ValueError: The filters' folder is not an absolute path, or there is no engine for the picture.
    """
    matches = [match_segments(library, part, query.filters) for part in query.texts]
    matched = list(dict.fromkeys(segment for each in matches for segment in each.lines))
    pictured: dict[int, Hit] = {}
    if query.picture is None:
        hits = _without_picture(library, matched, query.filters)
    else:
        if engine is None:
            raise ValueError("a picture is searched for with an engine")
        asked = replace(query.picture, k=max(query.k, _LEAST_PICTURES), least_level=None)
        pictured = {_id(hit): hit for hit in engine.search(asked)}
        allowed = engine.segment_ids(query.filters) if query.filters else None
        left_out = excluded_ids(library, asked)
        further = np.array([each for each in matched if each not in pictured and each not in left_out], np.int64)
        if allowed is not None:
            further = further[np.isin(further, allowed)]
        hits = pictured | {_id(hit): hit for hit in engine.described(asked, further.tolist())}
    scores = _scores(query, hits, matches)
    order = _order(hits, scores, matches)
    found = _hits(query, [(hits[each], scores[each]) for each in order], matches, pictured)
    there = sum(each in hits for each in matched)
    return FusedAnswer(hits=found, matched=there, complete=all(each.complete for each in matches))


def _without_picture(library: Library, ids: list[int], filters: Filters) -> dict[int, Hit]:
    least, most = filters.min_seconds or 0.0, filters.max_seconds
    found: dict[int, Hit] = {}
    for number, (segment, video) in library.segments(ids).items():
        seconds = float((segment.end_pts - segment.start_pts) * video.time_base)
        if seconds >= least and (most is None or seconds <= most):
            found[number] = Hit(rank=1, score=0.0, segment=segment, video=video, term_scores=())
    return found


def _scores(query: FusedQuery, hits: Mapping[int, Hit], matches: Sequence[TextMatches]) -> dict[int, float]:
    """Return the fused score of each segment."""
    by_ranks = query.by_ranks or (query.picture is not None and any(hit.strength is None for hit in hits.values()))
    if by_ranks:
        pictures = {} if query.picture is None else _reciprocal(sorted(hits, key=lambda each: -hits[each].score))
        ranked = [_reciprocal(each for each in part.lines if each in hits) for part in matches]
        texts = {each: sum(part.get(each, 0.0) for part in ranked) for each in hits}
    else:
        pictures = {each: _assurance(hit.strength) for each, hit in hits.items() if hit.strength is not None}
        texts = text_values(matches)
    weight = query.text_weight if query.picture is not None else 1.0
    return {each: (1 - weight) * pictures.get(each, 0.0) + weight * texts.get(each, 0.0) for each in hits}


def _assurance(strength: Strength) -> float:
    """Return how sure a strength makes one: 0.95 for a chance of 1 in 100, 0.64 for 1 in 10, 0.17 for 1 in 2.

    The chance is the tail of a normal distribution: one that was counted is 1 for all that is weak, and has a floor.
    """
    chance = 0.5 * math.erfc(strength.value / math.sqrt(2))
    return (1 - chance) / (1 + _DOUBT * chance)


def _reciprocal(ranked: Iterable[int]) -> dict[int, float]:
    return {each: 1 / (_RANK_CONSTANT + rank) for rank, each in enumerate(ranked, 1)}


def _order(hits: Mapping[int, Hit], scores: Mapping[int, float], matches: Sequence[TextMatches]) -> list[int]:
    """Return the segments, best first: of equal scores the better picture, without one the better line."""
    ranks: dict[int, int] = {}
    for part in matches:
        for rank, each in enumerate(part.lines):
            ranks[each] = min(rank, ranks.get(each, rank))
    last = len(ranks)
    return sorted(hits, key=lambda each: (-scores[each], -hits[each].score, ranks.get(each, last)))


def _hits(
    query: FusedQuery,
    ranked: Sequence[tuple[Hit, float]],
    matches: Sequence[TextMatches],
    pictured: Mapping[int, Hit],
) -> list[FusedHit]:
    """Return the first k. A line over several shots is shown once, unless another channel found them, too."""
    found: list[FusedHit] = []
    shown: set[int] = set()
    of_video: dict[int | None, int] = {}
    level = None if query.picture is None else query.picture.least_level
    for hit, score in ranked:
        number = _id(hit)
        lines = tuple(line for part in matches for line in part.lines.get(number, ()))
        good = number in pictured and (hit.rank <= query.k if hit.strength is None else hit.strength.level != "weak")
        seen = bool(lines) and all(line.line.id in shown for line in lines)
        weak = not lines and level is not None and hit.strength is not None and not hit.strength.reaches(level)
        full = query.per_video is not None and of_video.get(hit.video.id, 0) >= query.per_video
        if full or weak or (seen and not good):
            continue
        of_video[hit.video.id] = of_video.get(hit.video.id, 0) + 1
        shown.update(line.line.id for line in lines)
        kinds = dict.fromkeys(_CHANNELS[line.line.kind] for line in lines)
        seen_by: tuple[Channel, ...] = ("picture",) if good or not lines else ()
        apart = {each for part in matches for each in part.lines} - {number}  # they are hits of their own
        takes = tuple(tuple(each for each in run if each not in apart) for run in hit.takes)
        shown_hit = replace(
            hit,
            alike=tuple(each for each in hit.alike if each not in apart),
            takes=takes if sum(map(bool, takes)) > 1 else (),
        )
        found.append(
            FusedHit(rank=len(found) + 1, score=score, hit=shown_hit, lines=lines, channels=(*seen_by, *kinds))
        )
        if len(found) == query.k:
            break
    return found


def _id(hit: Hit) -> int:
    assert hit.segment.id is not None, "what comes from the library has an id"
    return hit.segment.id
