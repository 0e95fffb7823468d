"""Stacking of takes: what of a ranking belongs to a better hit as another take, and the takes of the hits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from search.takes.stored import SetUps

if TYPE_CHECKING:
    from db.library import Library
    from db.records import Segment, Video

Takes = tuple[tuple[int, ...], ...]
"""For each take of a set-up, in the order of recording, the segments that show it; none if it does not pass."""


class TakeClaims:
    """What the hits of a ranking have taken so far: the other shots of their set-ups."""

    def __init__(self, set_ups: SetUps, *, hides: bool = False) -> None:
        """Create the claims of one ranking.

        Args:
            set_ups: Of the space.
            hides: Whether other takes are left out, and count as hidden.
        """
        self.hides = hides
        self._set_ups = set_ups
        self._hit_of: dict[int, tuple[int, bool]] = {}

    def claim(self, segment_id: int, hit: int) -> None:
        """Take all shots of a hit's set-up, unless a better hit has them.

        Args:
            segment_id: The segment of the hit.
            hit: Its number.
        """
        set_up = self._set_ups.get(segment_id)
        if set_up is None or segment_id in self._hit_of:
            return
        own = set_up.run_of(segment_id)
        for at, run in enumerate(set_up.runs):
            for each in run:
                self._hit_of.setdefault(each, (hit, at == own))

    def owner(self, segment_id: int) -> tuple[int, bool] | None:
        """Return the number of the hit that has taken a segment, and whether the segment shows the hit's own run."""
        return self._hit_of.get(segment_id)


def takes_of(
    library: Library, set_ups: SetUps, hits: Iterable[int], may_show: Callable[[int], bool], *, once: bool
) -> dict[int, Takes]:
    """Return the takes of each hit whose set-up has others that may be shown.

    Args:
        library: Tells when each was recorded.
        set_ups: Of the space.
        hits: Segments of the hits.
        may_show: Whether a segment passes what the query asks for.
        once: Give the takes of a set-up to the first of its hits only.

    Raises:
        LibraryError: The library cannot be read.
    """
    found = {hit: set_ups[hit] for hit in hits if hit in set_ups}
    if once:
        found = {hit: set_up for set_up, hit in {set_up: hit for hit, set_up in reversed(found.items())}.items()}
    if not found:
        return {}
    there = library.segments([each for set_up in found.values() for run in set_up.runs for each in run])
    takes: dict[int, Takes] = {}
    for hit, set_up in found.items():
        runs = [present for run in set_up.runs if (present := [each for each in run if each in there])]
        runs.sort(key=lambda run: min(_order(each, there) for each in run))
        shown = tuple(tuple(each for each in run if each == hit or may_show(each)) for run in runs)
        if any(run and hit not in run for run in shown):
            takes[hit] = shown
    return takes


def _order(segment_id: int, there: Mapping[int, tuple[Segment, Video]]) -> tuple[float, str, int]:
    """Return what orders shots by the time of their recording; those without a date come last, by path."""
    segment, video = there[segment_id]
    begins = video.seconds(segment.start_pts)
    recorded = float("inf") if video.recorded_at is None else video.recorded_at + begins
    return recorded, video.path, segment.start_pts
