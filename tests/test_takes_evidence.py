"""What the looks of two shots tell: runs of one set-up, copies, what goes on, and what only looks alike."""

from __future__ import annotations

import functools
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from demo import set_ups
from search.takes.evidence import (
    LEAST_ACTOR,
    LEAST_DETAIL,
    MOST_OTHER,
    SAME_RUN,
    SURE_DETAIL,
    RunEvidence,
    SetEvidence,
    compare_runs,
    compare_sets,
)
from search.takes.look import HEIGHT, WIDTH, Look

SEEDS = (1, 2, 5)
SECONDS = 1.0


def small(pictures: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Pictures of a fifth of their size, as the reader of previews makes them."""
    parts = pictures.reshape(len(pictures), HEIGHT, 5, WIDTH, 5, 3)
    return np.asarray(np.round(parts.mean(axis=(2, 4), dtype=np.float32)), np.uint8)


@functools.cache
def shown(seed: int) -> dict[str, Look]:
    """Two runs of a set-up, and shots that look like them."""
    rng = np.random.default_rng(seed)
    set_up = replace(set_ups.draw_set_up(rng, cameras=0.0), seconds=SECONDS)

    def filmed(drawn: set_ups.SetUp) -> NDArray[np.uint8]:
        return small(set_ups.pictures_of(replace(drawn, seconds=SECONDS), rng))

    first = filmed(set_up)
    noise = np.random.default_rng(0).normal(0, 2, first.shape)
    return {
        "take": Look.of(first, SECONDS),
        "other take": Look.of(filmed(set_up), SECONDS),
        "copy": Look.of(np.clip(0.97 * first + noise, 0, 255).astype(np.uint8), SECONDS),
        "elsewhere": Look.of(filmed(set_ups.elsewhere(set_up, rng)), SECONDS),
        "other framing": Look.of(filmed(set_ups.reframed(set_up, rng)), SECONDS),
    }


@pytest.mark.parametrize("seed", SEEDS)
def test_two_runs_have_one_set_and_are_not_the_same(seed: int) -> None:
    looks = shown(seed)
    assert compare_sets(looks["take"], looks["other take"]).same_set
    assert not compare_runs(looks["take"], looks["other take"]).same_run


@pytest.mark.parametrize("seed", SEEDS)
def test_a_copy_is_the_same_run(seed: int) -> None:
    looks = shown(seed)
    sets = compare_sets(looks["take"], looks["copy"])
    assert sets.same_set
    assert 0.01 < sets.light < 0.06, "the copy is darker by 3 in 100"
    assert compare_runs(looks["take"], looks["copy"]).same_run


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("other", ["elsewhere", "other framing"])
def test_another_place_or_framing_is_another_set(seed: int, other: str) -> None:
    looks = shown(seed)
    assert not compare_sets(looks["take"], looks[other]).same_set
    assert not compare_sets(looks[other], looks["other take"]).same_set


def walking(
    colour: tuple[int, int, int], start: float, end: float, count: int = 16, ground: int = 90, wall: int = 0
) -> NDArray[np.uint8]:
    """A square of a colour that goes from left to right before a wall; places are shares of the width."""
    rough = np.random.default_rng(wall).integers(-30, 30, (HEIGHT, WIDTH, 1))
    pictures = np.repeat(np.broadcast_to(ground + rough, (1, HEIGHT, WIDTH, 3)), count, axis=0).astype(np.uint8)
    for at, place in enumerate(np.linspace(start, end, count)):
        left = round(place * (WIDTH - 12))
        pictures[at, 12:24, left : left + 12] = colour
    return pictures


def of(pictures: NDArray[np.uint8]) -> Look:
    return Look.of(pictures, len(pictures) / 8)


def test_what_moves_is_told_by_its_colours() -> None:
    red = of(walking((220, 30, 30), 0.1, 0.8))
    again = compare_sets(red, of(walking((220, 30, 30), 0.15, 0.9)))
    other = compare_sets(red, of(walking((30, 60, 220), 0.15, 0.9)))
    assert again.same_set
    assert other.same_set, "the set is the same"
    assert (again.same_actor, other.same_actor) == (True, False)
    still = of(walking((220, 30, 30), 0.4, 0.4))
    assert compare_sets(still, still).actor is None, "nothing moves"
    assert not compare_sets(still, still).same_actor


def test_a_small_actor_is_told_though_each_cell_shows_what_is_behind_it_too() -> None:
    def small(colour: tuple[int, int, int], top: int, start: float) -> Look:
        pictures = walking(colour, 0, 0, wall=1)
        pictures[:] = pictures[:1]
        pictures[:, 12:24, :12] = walking(colour, 0.99, 0.99, wall=1)[:, 12:24, :12]
        for at, left in enumerate(np.linspace(start * WIDTH, 0.9 * WIDTH, len(pictures)).astype(int)):
            pictures[at, top : top + 3, left : left + 3] = colour
        return of(pictures)

    red = small((220, 30, 30), 12, 0.1)
    assert compare_sets(red, small((220, 30, 30), 15, 0.14)).same_actor
    assert not compare_sets(red, small((30, 200, 60), 15, 0.14)).same_actor


def test_what_came_before_or_after_another_run_is_no_other_set() -> None:
    run = walking((220, 30, 30), 0.1, 0.8, count=20)
    before = walking((220, 30, 30), 0.1, 0.1, count=8, ground=60, wall=3)
    longer = of(np.concatenate([before, run]))
    assert compare_sets(longer, of(walking((220, 30, 30), 0.15, 0.9, count=20))).same_set
    much = of(np.concatenate([before, before, before, run]))
    for one, other in ((much, of(run)), (of(run), much)):
        found = compare_sets(one, other)
        assert found.detail < LEAST_DETAIL, "most of it is not there"
        assert found.other > MOST_OTHER


def test_another_light_is_no_other_set_until_it_is_much() -> None:
    day = of(walking((220, 30, 30), 0.1, 0.8))
    assert compare_sets(day, of((walking((220, 30, 30), 0.1, 0.8) * 0.9).astype(np.uint8))).same_set
    night = compare_sets(day, of((walking((220, 30, 30), 0.1, 0.8) * 0.5).astype(np.uint8)))
    assert not night.same_set
    assert night.light > 0.4


def test_a_run_goes_on_where_it_ended_and_a_take_begins_again() -> None:
    first = of(walking((220, 30, 30), 0.0, 0.45))
    second = of(walking((220, 30, 30), 0.48, 0.93))
    assert (compare_runs(first, second).goes_on, compare_runs(first, second).goes_on_back) == (True, False)
    assert (compare_runs(second, first).goes_on, compare_runs(second, first).goes_on_back) == (False, True)
    again = compare_runs(of(walking((220, 30, 30), 0.0, 0.9)), of(walking((220, 30, 30), 0.1, 0.95)))
    assert (again.goes_on, again.goes_on_back, again.same_run) == (False, False, False)


def test_a_jump_is_no_run_that_goes_on_and_neither_is_what_never_changes() -> None:
    usual = np.random.default_rng(5).integers(60, 180, (HEIGHT, WIDTH, 3))

    def fading(first: int, last: int) -> Look:
        pictures = np.stack([usual] * 8).astype(np.uint8)
        pictures[:, :8, :8] = np.linspace(first, last, 8).astype(np.uint8)[:, None, None, None]
        return of(pictures)

    assert compare_runs(fading(10, 52), fading(58, 100)).goes_on
    assert not compare_runs(fading(10, 52), fading(78, 120)).goes_on, "it jumps"
    assert not compare_runs(fading(50, 50), fading(50, 50)).goes_on, "nothing changes"


def changing(*values: int) -> Look:
    """A shot of which one corner changes, in every picture to one of these values."""
    usual = np.random.default_rng(5).integers(60, 180, (HEIGHT, WIDTH, 3))
    pictures = np.stack([usual] * len(values)).astype(np.uint8)
    pictures[:, :8, :8] = np.array(values)[:, None, None, None]
    return of(pictures)


def test_a_camera_that_shakes_around_a_seam_goes_on_over_it() -> None:
    before, after = (0, 15, 30, 45, 60, 70, 74), (120, 124, 128, 132, 136, 150, 165, 180, 195, 210, 225)
    jolted_before, jolted_after = (0, 4, 8, 12, 16, 20, 62, 66, 70, 74), (120, 124, 128, 132, 174, 178, 182)
    for first, second in ((jolted_before, after), (before, jolted_after)):
        assert compare_runs(changing(*first), changing(*second)).goes_on
        assert compare_runs(changing(*second), changing(*first)).goes_on_back
    for first, second in (((*jolted_before, 78), after), (before, (116, *jolted_after)), (before, after)):
        assert not compare_runs(changing(*first), changing(*second)).goes_on, "it is calm around the seam"


def test_a_run_goes_on_if_its_ends_are_twice_as_near_as_its_beginnings() -> None:
    first = changing(0, 2, 4, 6, 8, 10)
    assert compare_runs(first, changing(18, 20, 22, 24, 26, 28)).goes_on
    assert not compare_runs(first, changing(21, 23, 25, 27, 29, 31)).goes_on


def test_runs_are_the_same_by_most_of_what_at_least_half_of_them_shares() -> None:
    whole = walking((220, 30, 30), 0.0, 0.95, count=32)
    assert not compare_runs(of(whole[:16]), of(whole[10:26])).same_run, "a third"
    flashed = whole[:16].copy()
    flashed[4:6] = 250
    assert compare_runs(of(whole[:16]), of(flashed)).same_run


def test_a_few_cells_are_nothing_that_moves_and_black_has_no_light() -> None:
    speck = walking((220, 30, 30), 0.4, 0.4)
    speck[3:6, :4, :4] = (30, 60, 220)
    assert compare_sets(of(speck), of(speck)).actor is None
    black = np.full((8, HEIGHT, WIDTH, 3), 1, np.uint8)
    assert compare_sets(of(black), of(black + 2)).same_light


def test_one_picture_in_common_is_not_the_same_run_and_another_light_is() -> None:
    whole = walking((220, 30, 30), 0.0, 0.95, count=31)
    assert not compare_runs(of(whole[:16]), of(whole[15:])).same_run
    bright = walking((220, 30, 30), 0.1, 0.8, ground=190)
    assert compare_runs(of(bright), of((bright * 0.85).astype(np.uint8))).same_run


def test_stretches_of_one_run_are_the_same_run() -> None:
    whole = walking((220, 30, 30), 0.0, 0.95, count=32)
    early, late = of(whole[:24]), of(whole[8:])
    assert compare_runs(early, late).same_run
    assert not compare_runs(of(whole[:12]), of(whole[20:])).same_run, "they have nothing in common"


def test_short_and_single_pictures_are_compared() -> None:
    one = of(walking((220, 30, 30), 0.1, 0.1, count=1))
    assert compare_runs(one, one).same_run
    assert compare_sets(one, of(walking((220, 30, 30), 0.1, 0.8, count=3))).detail > 0.5
    assert not compare_runs(of(walking((9, 9, 9), 0, 0, count=2)), one).goes_on


def test_the_limits_decide() -> None:
    good = SetEvidence(detail=0.6, other=0.23, light=0.25, actor=LEAST_ACTOR)
    assert good.same_set
    assert good.same_actor
    for worse in ({"detail": 0.59}, {"other": 0.24}, {"light": 0.26}):
        assert not replace(good, **worse).same_set
    assert not replace(good, actor=LEAST_ACTOR - 0.01).same_actor
    assert good.is_one(near=False)
    other = replace(good, actor=LEAST_ACTOR - 0.01)
    assert (other.is_one(near=True), other.is_one(near=False)) == (False, False), "the framing is not sure"
    sure = replace(other, detail=SURE_DETAIL)
    assert (sure.is_one(near=True), sure.is_one(near=False)) == (True, False)
    assert replace(sure, actor=None).is_one(near=True)
    assert not replace(sure, actor=1.0, other=0.24).is_one(near=True)
    assert RunEvidence(apart=SAME_RUN, goes_on=False, goes_on_back=False).same_run
    assert not RunEvidence(apart=SAME_RUN + 0.1, goes_on=False, goes_on_back=False).same_run
