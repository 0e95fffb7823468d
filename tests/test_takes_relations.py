"""What two shots are to each other: by their looks, and by where they are in their videos."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from db_samples import make_video
from test_takes_evidence import of, walking
from test_takes_laying import BLUE as OTHER_COLOUR
from test_takes_laying import STEADY, SWAYING, filmed

from db.records import Segment
from search.takes.laying import lay_over
from search.takes.relations import Placed, Relation, may_be_related, relation_of

BLUE = (30, 60, 220)
EARLY, LATE = of(walking(BLUE, 0.0, 0.4)), of(walking(BLUE, 0.427, 0.827))
DAY = 1_700_000_000


def placed(path: str, shot: int = 0, *, start: float = 0, seconds: float = 2, begins: float = 0, **more: Any) -> Placed:
    video = replace(make_video(path, path, seconds=8, **more), id=len(path))
    pts = [video.start_pts + round(each / float(video.time_base)) for each in (start, start + seconds)]
    segment = Segment(number=0, shot_number=shot, start_pts=pts[0], end_pts=pts[1])
    return Placed(segment, video, begins=begins, ends_file=True, starts_file=True)


def relation(first: Placed, second: Placed) -> Relation | None:
    found = relation_of(first, second, (EARLY, LATE), is_same_actor=True)
    return None if found is None else found[0]


def test_a_run_goes_on_in_a_later_shot_of_its_video_only() -> None:
    here, later = placed("/a", 0), placed("/a", 2, start=5)
    assert relation(here, later) is Relation.PARTS
    assert relation(later, here) is Relation.TAKE, "it would go on before it began"


@pytest.mark.parametrize(
    ("after", "changed", "expected"),
    [
        (8, {}, Relation.PARTS),
        (10, {}, Relation.PARTS),
        (11, {}, Relation.TAKE),
        (5, {}, Relation.TAKE),
        (8, {"ends_file": False}, Relation.TAKE),
        (None, {}, Relation.TAKE),
    ],
)
def test_a_recording_goes_on_in_the_next_file(after: int | None, changed: dict[str, Any], expected: Relation) -> None:
    first = replace(placed("/a", recorded_at=DAY), **changed)
    second = placed("/bb", recorded_at=None if after is None else DAY + after)
    assert relation(first, second) is expected
    assert relation(first, replace(second, starts_file=False)) is Relation.TAKE


def test_parts_of_one_shot_and_other_framings_are_never_related() -> None:
    here = placed("/a", 0)
    assert may_be_related(here, placed("/a", 1, start=4))
    assert not may_be_related(here, placed("/a", 0, start=0.5, begins=0.5)), "they overlap"
    assert may_be_related(here, placed("/bb", begins=1.0))
    assert not may_be_related(here, placed("/bb", begins=1.1)), "another part of a long shot"
    for width, height, expected in ((640, 360, True), (360, 640, False), (640, 480, False), (480, 640, False)):
        wide = placed("/a", width=1920, height=1080)
        assert may_be_related(wide, placed("/bb", width=width, height=height)) is expected
        assert may_be_related(placed("/bb", width=width, height=height), wide) is expected


def test_takes_from_the_hand_are_takes_if_the_same_moves() -> None:
    here, there = placed("/a"), placed("/bb")
    swaying = filmed(away=SWAYING)
    alike = lay_over(STEADY, swaying).alike
    assert relation_of(here, there, (STEADY, swaying), is_same_actor=False) == (Relation.TAKE, alike)
    assert relation_of(here, there, (STEADY, filmed(OTHER_COLOUR, SWAYING)), is_same_actor=True) is None
    assert relation_of(here, there, (STEADY, filmed(wall=1)), is_same_actor=True) is None
