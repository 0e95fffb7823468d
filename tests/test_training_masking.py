"""Masks: exact counts, stretches that wrap, and what encoders and decoders make of masks."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from numpy.typing import NDArray

from training.masking import (
    LEAST_AREA,
    MASKS,
    bevt,
    hidden_count,
    kept_patches,
    random,
    rectangle,
    stretch,
    tube,
    visible_positions,
)

SHAPES = [(8, 4, 4), (16, 16, 16), (5, 3, 7), (1, 4, 4), (2, 1, 1), (3, 1, 9), (7, 2, 1)]


def rng(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", [bevt, random])
def test_a_mask_hides_exactly_its_share_at_every_ratio(kind: object, shape: tuple[int, int, int]) -> None:
    frames, rows, columns = shape
    tokens = frames * rows * columns
    for step in range(20 if tokens < 4000 else 4):
        ratio = step * (0.05 if tokens < 4000 else 0.25)
        if round(ratio * tokens) == tokens:
            continue
        mask = kind(frames, rows, columns, ratio, rng(step))  # type: ignore[operator]
        assert mask.shape == (frames, rows * columns)
        assert mask.dtype == bool
        assert np.count_nonzero(mask) == round(ratio * tokens)


@pytest.mark.parametrize("shape", [(8, 4, 4), (3, 1, 9)])
def test_a_tube_hides_the_same_patches_in_every_frame(shape: tuple[int, int, int]) -> None:
    frames, rows, columns = shape
    for ratio in (0.0, 0.3, 0.5, 0.85):
        mask = tube(frames, rows, columns, ratio, rng(1))
        assert mask.shape == (frames, rows * columns)
        assert np.count_nonzero(mask[0]) == round(ratio * rows * columns)
        assert (mask == mask[0]).all()


@pytest.mark.parametrize("kind", sorted(MASKS))
def test_a_seed_repeats_a_mask_and_another_seed_does_not(kind: str) -> None:
    first, again, other = (MASKS[kind](8, 4, 4, 0.65, rng(seed)) for seed in (3, 3, 4))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("kind", sorted(MASKS))
def test_every_token_is_hidden_by_some_masks_and_not_by_others(kind: str) -> None:
    share = np.mean([MASKS[kind](8, 4, 4, 0.65, rng(seed)) for seed in range(300)], axis=0)
    assert share.min() > 0.3
    assert share.max() < 0.95


@pytest.mark.parametrize(("frames", "lengths"), [(16, range(8, 13)), (8, range(4, 7)), (5, [3]), (2, [1]), (1, [1])])
def test_a_stretch_has_every_length_from_a_half_to_three_quarters(frames: int, lengths: object) -> None:
    drawn = rng(0)
    seen = Counter(len(stretch(frames, drawn)) for _ in range(500))
    assert sorted(seen) == list(lengths)  # type: ignore[call-overload]
    assert min(seen.values()) > 500 / len(seen) / 2  # alike often


def test_a_stretch_starts_at_every_frame_and_goes_on_from_the_last_to_the_first() -> None:
    drawn = rng(0)
    stretches = [stretch(8, drawn) for _ in range(300)]
    assert {int(each[0]) for each in stretches} == set(range(8))
    for each in stretches:
        assert ((each[1:] - each[:-1]) % 8 == 1).all()
    assert any(each[0] > each[-1] for each in stretches)


def test_rectangles_have_the_areas_and_aspects_of_beit_anywhere_in_the_grid() -> None:
    drawn = rng(0)
    sides = []
    for _ in range(2000):
        down, across = rectangle(16, 16, 60.0, drawn)
        assert 0 <= down.start < down.stop <= 16
        assert 0 <= across.start < across.stop <= 16
        sides.append((down.stop - down.start, across.stop - across.start))
    areas = [height * width for height, width in sides]
    assert LEAST_AREA * 0.75 <= min(areas) < 8  # rounding to whole sides
    assert 55 < max(areas) < 60 * 1.2
    tall, wide = max(h / w for h, w in sides), max(w / h for h, w in sides)
    assert 2.5 < tall <= 5  # 1 / 0.3, before sides are rounded
    assert 2.5 < wide <= 5
    assert 0.8 < float(np.exp(np.mean([np.log(h / w) for h, w in sides]))) < 1.25  # as often tall as wide


def test_a_rectangle_is_cut_to_a_small_grid() -> None:
    drawn = rng(0)
    for rows, columns in ((1, 1), (1, 5), (2, 2), (3, 1)):
        for most in (0.5, 1.0, 100.0):
            down, across = rectangle(rows, columns, most, drawn)
            assert 0 <= down.start < down.stop <= rows
            assert 0 <= across.start < across.stop <= columns


def alike(mask: NDArray[np.bool_], rows: int, columns: int) -> tuple[float, float]:
    """The shares of neighbours in time and in space that are hidden or visible together."""
    grid = mask.reshape(len(mask), rows, columns)
    return float((grid[1:] == grid[:-1]).mean()), float((grid[:, 1:] == grid[:, :-1]).mean())


def test_cuboids_hide_neighbours_together_in_time_and_space() -> None:
    cuboids = np.mean([alike(bevt(16, 16, 16, 0.65, rng(s)), 16, 16) for s in range(10)], axis=0)
    single = np.mean([alike(random(16, 16, 16, 0.65, rng(s)), 16, 16) for s in range(10)], axis=0)
    assert (cuboids > 0.85).all()
    assert (single < 0.6).all()


@pytest.mark.parametrize("ratio", [-0.1, 1.0, 1.5, float("nan")])
def test_a_ratio_that_is_no_share_is_refused(ratio: float) -> None:
    with pytest.raises(ValueError, match="at least 0 and below 1"):
        hidden_count(10, ratio)


def test_a_ratio_that_leaves_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="none of 4 tokens"):
        bevt(1, 2, 2, 0.9, rng(0))
    assert hidden_count(4, 0.85) == 3


def test_the_kept_patches_of_a_tube_are_those_that_no_frame_hides() -> None:
    mask = tube(4, 3, 3, 0.5, rng(2))
    kept = kept_patches(mask)
    assert kept.dtype == np.int64
    assert sorted(set(range(9)) - set(kept.tolist())) == np.flatnonzero(mask[2]).tolist()
    assert (np.diff(kept) > 0).all()
    with pytest.raises(ValueError, match="frames differ"):
        kept_patches(random(4, 3, 3, 0.5, rng(2)))


def test_visible_positions_are_those_of_each_mask_in_order() -> None:
    hidden = np.array([[True, False, True, False], [False, False, True, True]])
    assert visible_positions(hidden).tolist() == [[1, 3], [0, 1]]
    with pytest.raises(ValueError, match="not 1 to 2"):
        visible_positions(np.array([[True, False, True], [False, False, True]]))
