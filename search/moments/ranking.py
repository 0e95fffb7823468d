"""The order of hits in one shot whose moments are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from search.moments.moment import Moment
    from search.query import Hit


def by_moments(hits: Sequence[Hit], moments: Mapping[int, Moment]) -> list[Hit]:
    """Return hits, those of one shot in the order of their moments.

    A long shot is indexed in parts. What is asked for may fill half of one, and the other half speaks against it; the
    moment has no such half. Hits of one shot take each other's places, so that shots stand as they did.

    Args:
        hits: By rank.
        moments: By the id of the hit's segment; hits without one stay where they are.

    Returns:
        The hits with their new ranks.
    """
    places: dict[tuple[int | None, int], list[int]] = {}
    for place, hit in enumerate(hits):
        if hit.segment.id in moments:
            places.setdefault((hit.video.id, hit.segment.shot_number), []).append(place)
    ordered = list(hits)
    for of_shot in places.values():
        best_first = sorted(of_shot, key=lambda place: -moments[hits[place].segment.id or 0].score)
        for place, taken in zip(of_shot, best_first, strict=True):
            ordered[place] = replace(hits[taken], rank=hits[place].rank)
    return ordered
