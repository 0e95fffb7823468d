"""Relations of pairs of shots: takes of one set-up, the same run, or parts of one run that goes on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from search.takes.evidence import compare_runs, compare_sets
from search.takes.laying import lay_over, may_be_moved
from search.takes.look import Look

if TYPE_CHECKING:
    from db.records import Segment, Video

_OTHER_PROPORTIONS = 1.03
"""Ratio of the proportions of two videos from which they are framed differently."""
_BEGINS_TOGETHER = 0.5
"""Of the shorter of two parts of long shots: how much later in its shot one may begin and still be the same part."""
_BETWEEN_FILES = 2.0
"""Seconds between the end of one recording and the start of the next one that goes on: dates are whole seconds."""


class Relation(IntEnum):
    """What two shots are to each other. The numbers are stored."""

    TAKE = 1  # other runs of one set-up
    SAME = 2  # the same run: copies, or stretches with much in common
    PARTS = 3  # one run, of which the second shot goes on where the first ends


@dataclass(frozen=True, slots=True)
class Placed:
    """A shot and its place.

    Attributes:
        segment, video: The shot, or the part of a long one.
        begins: Seconds from the start of its shot to that of the segment.
        ends_file, starts_file: Whether it is in the last, or the first, shot of its video.
    """

    segment: Segment
    video: Video
    begins: float
    ends_file: bool
    starts_file: bool

    @property
    def seconds(self) -> float:
        """The length."""
        return self.video.seconds(self.segment.end_pts) - self.video.seconds(self.segment.start_pts)


def may_be_related(first: Placed, second: Placed) -> bool:
    """Return whether two shots are framed alike, and are not parts of one shot, or other parts of long ones."""
    if first.video.id == second.video.id and first.segment.shot_number == second.segment.shot_number:
        return False
    proportions = first.video.width / first.video.height * second.video.height / second.video.width
    if not 1 / _OTHER_PROPORTIONS <= proportions <= _OTHER_PROPORTIONS:
        return False
    return abs(first.begins - second.begins) <= _BEGINS_TOGETHER * min(first.seconds, second.seconds)


def relation_of(
    first: Placed, second: Placed, looks: tuple[Look, Look], *, is_same_actor: bool
) -> tuple[Relation, float] | None:
    """Return what two shots are to each other, and how alike they are, at most 1; None if they have nothing in common.

    Args:
        first, second: Two shots that are near each other in a space, and may be related.
        looks: How each of them looks.
        is_same_actor: Whether they are so near that they show the same, if the set is the same.
    """
    sets = compare_sets(*looks)
    alike = sets.detail
    if not sets.is_one(near=is_same_actor):
        laid = lay_over(*looks) if may_be_moved(sets) else None
        if laid is None or not laid.same_set:
            return None
        alike = laid.alike
    runs = compare_runs(*looks)
    if runs.same_run:
        return Relation.SAME, alike
    if (runs.goes_on and _follows(first, second)) or (runs.goes_on_back and _follows(second, first)):
        return Relation.PARTS, alike
    return Relation.TAKE, alike


def _follows(first: Placed, second: Placed) -> bool:
    """Return whether the second shot comes after the first one: in its video, or in a recording that goes on."""
    if first.video.id == second.video.id:
        return first.segment.start_pts < second.segment.start_pts
    if first.video.recorded_at is None or second.video.recorded_at is None:
        return False
    between = second.video.recorded_at - first.video.recorded_at - first.video.duration_seconds
    return first.ends_file and second.starts_file and abs(between) <= _BETWEEN_FILES
