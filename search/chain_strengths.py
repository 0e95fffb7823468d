"""Strengths of chains, from those of their parts, each judged in its own step.

The part that is least likely to be chance is judged against the whole library, as any hit is. The others need not be:
by chance, a part like them must be among the segments within reach of that part, or of another that could make as good
a chain. So "a bee, then something falls" can be a good match, where "something falls" alone tells one shot from few.

Measured on the demo world (1,950 edited videos, 13,262 shots of 740 takes, so that each take is there 18 times): likely
or better are 0.78 of right chains of two or three sentences (0.47 by their weakest part alone), 0.09 of those of
a sentence and something absent, and none of two nonsense questions.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from search.chain_query import Chain, ChainQuery
from search.chain_reach import Reach
from search.strength import LIKELY_CHANCE, Strength


def judged_chains(
    chains: Sequence[Chain], query: ChainQuery, by_step: Sequence[Sequence[Strength | None]], reach: Reach
) -> list[Chain]:
    """Return the chains of a query with their strengths, without those below its `least_level`.

    Args:
        chains: Best first.
        query: Their query.
        by_step: For each step, the strength of that part of each chain.
        reach: Of the search that found them.
    """
    kept: list[Chain] = []
    for chain, found in zip(chains, zip(*by_step, strict=True), strict=True):
        judged = tuple(replace(part, strength=own) for part, own in zip(chain.parts, found, strict=True))
        strength = _strength(chain, found, query, reach)
        if query.least_level is None or strength is None or strength.reaches(query.least_level):
            kept.append(replace(chain, rank=len(kept) + 1, parts=judged, strength=strength))
    return kept


def _strength(chain: Chain, found: Sequence[Strength | None], query: ChainQuery, reach: Reach) -> Strength | None:
    """Return the strength of a chain: the value of its weakest part, and the probability of chance (see above)."""
    known = [own for own in found if own is not None]
    weakest = max(known, key=lambda own: (own.chance, -own.value), default=None)
    surest = min(known, key=lambda own: (own.chance, -own.value), default=None)
    if weakest is None or surest is None or surest.chance > LIKELY_CHANCE:
        return weakest
    first = found.index(surest)
    total = len(found) * math.log(max(chain.score, 1e-300))
    chances = [surest.chance]
    for at, own in enumerate(found):
        if own is not None and at != first:
            seconds = _seconds(chain, query, first, at)
            before, after = query.any_order or at < first, query.any_order or at > first
            share = reach.share(first, total, seconds, before=before, after=after)
            # The chance that the best of so few is as strong, if that of the best of the library is `own.chance`.
            chances.append(1.0 - (1.0 - own.chance) ** share)
    normal = any(own.normal for own in known)
    # Any part could have been the surest one, so there were as many tries as parts.
    return replace(weakest, chance=min(weakest.chance, len(known) * max(chances)), normal=normal)


def _seconds(chain: Chain, query: ChainQuery, first: int, second: int) -> float:
    """Return the longest time between two parts: the limit for each gap between, and the parts that lie between."""
    video = chain.video
    spans = sorted(
        (float(video.seconds(part.segment.start_pts)), float(video.seconds(part.segment.end_pts)), at)
        for at, part in enumerate(chain.parts)
    )
    places = [at for _, _, at in spans]
    low, high = sorted((places.index(first), places.index(second)))
    between = sum(end - start for start, end, _ in spans[low + 1 : high])
    return between + query.within_seconds * (high - low)
