"""Takes from the hand: pictures that are laid over each other, and what is no take although it can be moved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from search.takes.evidence import MOST_LIGHT, SetEvidence, compare_sets
from search.takes.laying import LEAST_ALIKE, MOST_AWAY, MOST_OTHER, SURE_ACTOR, Laid, lay_over, may_be_moved
from search.takes.look import HEIGHT, WIDTH, Look

RED, BLUE = (220, 30, 30), (30, 60, 220)
ROOM = 12  # pixels of the set that are beyond each edge of the frame
COUNT = 16


def filmed(
    colour: tuple[int, int, int] = RED, away: Sequence[tuple[int, int]] = ((0, 0),), wall: int = 0, light: float = 1.0
) -> Look:
    """A square that goes along a wall, by a camera that is so many rows and columns away, each for a part of it."""
    rough = np.random.default_rng(wall).normal(size=(HEIGHT + 2 * ROOM, WIDTH + 2 * ROOM, 3))
    ground = np.clip(110 + 45 * gaussian_filter(rough, (1.2, 1.2, 0)), 0, 255)
    pictures = []
    for at in range(COUNT):
        whole = ground.copy()
        left = ROOM + round((0.1 + 0.6 * at / COUNT) * WIDTH)
        whole[ROOM + 12 : ROOM + 24, left : left + 12] = colour
        down, across = away[at * len(away) // COUNT]
        pictures.append(whole[ROOM + down : ROOM + down + HEIGHT, ROOM + across : ROOM + across + WIDTH])
    return Look.of((light * np.stack(pictures)).astype(np.uint8), COUNT / 8)


SWAYING = ((0, 0), (1, 2), (2, 3), (1, 4), (-1, 2), (-2, -1), (-1, -3))
STEADY = filmed()


def test_a_take_from_the_hand_is_found_where_its_pictures_are() -> None:
    swaying = filmed(away=SWAYING)
    assert not compare_sets(STEADY, swaying).same_set, "nothing is in its place"
    for pair in ((STEADY, swaying), (swaying, STEADY)):
        assert may_be_moved(compare_sets(*pair))
        laid = lay_over(*pair)
        assert laid.same_set
        assert laid.alike > 0.6
        assert laid.other < 0.03


@pytest.mark.parametrize("away", [(3, 4), (-3, 4), (2, -7), (-4, -5), (0, 0)])
def test_pictures_are_moved_by_as_much_as_the_camera(away: tuple[int, int]) -> None:
    laid = lay_over(STEADY, filmed(away=[away]))
    assert laid.away == pytest.approx(np.hypot(away[0] / HEIGHT, away[1] / WIDTH), abs=1e-6)
    assert laid.other == 0, "cells that only one of them shows do not count"


def test_a_camera_that_is_far_away_has_another_framing() -> None:
    assert lay_over(STEADY, filmed(away=[(4, 3)])).away > MOST_AWAY
    assert lay_over(STEADY, filmed(away=[(0, 11)])).alike < LEAST_ALIKE, "pictures are not moved so far"
    assert lay_over(STEADY, filmed(away=[(8, 0)])).alike < LEAST_ALIKE


def test_another_wall_is_another_set_though_the_same_goes_along_it() -> None:
    elsewhere = filmed(wall=1)
    assert may_be_moved(compare_sets(STEADY, elsewhere))
    assert not lay_over(STEADY, elsewhere).same_set


def test_other_colours_are_seen_in_another_light_too() -> None:
    assert lay_over(STEADY, filmed(away=[(2, 3)], light=0.85)).other < 0.02
    painted = filmed(away=[(2, 3)])
    painted.pictures[:, :18, :, 2] = 255
    for pair in ((STEADY, painted), (painted, STEADY)):
        assert lay_over(*pair).other > MOST_OTHER


def test_the_direction_that_says_less_counts() -> None:
    half = filmed(away=[(2, 3)])
    half.pictures[:7] = filmed(wall=1).pictures[:7]
    one, other = lay_over(STEADY, half), lay_over(half, STEADY)
    assert one.alike == pytest.approx(other.alike, abs=1e-5)
    assert one.alike < lay_over(STEADY, filmed(away=[(2, 3)])).alike - 0.1


def test_some_pictures_that_the_other_run_has_not_do_not_count() -> None:
    some = filmed(away=[(2, 3)])
    some.pictures[:3] = filmed(wall=1).pictures[:3]
    assert lay_over(STEADY, some).alike == pytest.approx(lay_over(STEADY, filmed(away=[(2, 3)])).alike, abs=0.03)


def test_of_the_places_of_a_pattern_the_nearest_is_taken() -> None:
    stripes = np.broadcast_to((np.arange(WIDTH) % 6 < 3)[None, None, :, None] * 150 + 40, (4, HEIGHT, WIDTH, 3))
    striped = Look.of(stripes.astype(np.uint8), 1)
    assert lay_over(striped, Look.of(np.roll(stripes, -1, axis=2).astype(np.uint8), 1)).away == pytest.approx(1 / WIDTH)


def test_shots_of_few_pictures_are_laid_over_each_other() -> None:
    one = Look.of(STEADY.pictures[:1], 0.1)
    assert lay_over(one, one).alike > 0.9
    assert lay_over(one, STEADY).other > lay_over(STEADY, STEADY).other, "most of the other shot is not there"


def test_what_moves_must_certainly_be_the_same_before_anything_is_moved() -> None:
    sure = SetEvidence(detail=0.0, other=1.0, light=MOST_LIGHT, actor=SURE_ACTOR)
    assert may_be_moved(sure)
    for worse in ({"light": MOST_LIGHT + 0.01}, {"actor": SURE_ACTOR - 0.01}, {"actor": None}):
        assert not may_be_moved(replace(sure, **worse))


def test_the_limits_decide() -> None:
    good = Laid(alike=LEAST_ALIKE, other=MOST_OTHER, away=MOST_AWAY)
    assert good.same_set
    for worse in ({"alike": LEAST_ALIKE - 0.01}, {"other": MOST_OTHER + 0.01}, {"away": MOST_AWAY + 0.01}):
        assert not replace(good, **worse).same_set
