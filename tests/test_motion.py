"""Motion: the measure of stillness, and the frames that represent a still clip."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from encoder.motion import STILL_BELOW_LEVELS, largest_change, representative_frames


def picture(side: int = 96) -> NDArray[np.uint8]:
    return np.random.default_rng(1).integers(30, 220, (side, side, 3), dtype=np.uint8)


def clip(frames: int = 8, side: int = 96) -> NDArray[np.uint8]:
    return np.repeat(picture(side)[None], frames, axis=0)


def test_one_picture_is_still_and_grain_changes_little() -> None:
    assert largest_change(clip()[None]) == 0
    grain = np.random.default_rng(2).normal(0, 4, (8, 96, 96, 3))
    assert 0 < largest_change((clip() + grain).clip(0, 255).astype(np.uint8)[None])[0] < STILL_BELOW_LEVELS


@pytest.mark.parametrize("where", [(0, 0), (40, 60), (90, 90)])
@pytest.mark.parametrize("frame", [1, 4, 7])
def test_a_small_thing_in_one_frame_is_motion(where: tuple[int, int], frame: int) -> None:
    moving = clip()
    row, column = where
    moving[frame, row : row + 6, column : column + 6] ^= 255
    assert largest_change(moving[None])[0] > STILL_BELOW_LEVELS


def test_a_slow_drift_is_motion() -> None:
    ramp = np.arange(8)[:, None, None, None] * 4
    drifting = (clip() // 2 + ramp).astype(np.uint8)
    assert largest_change(drifting[None])[0] > STILL_BELOW_LEVELS > 4, "though neighbours differ by 4 levels"


def test_each_clip_is_judged_alone() -> None:
    moving = clip()
    moving[3] ^= 255
    found = largest_change(np.stack([clip(), moving, clip()]))
    assert found[0] == found[2] == 0
    assert found[1] > 50


@pytest.mark.parametrize("side", [1, 5, 18, 33, 72, 288])
def test_any_size(side: int) -> None:
    assert largest_change(clip(3, side)[None]) == 0


def test_the_frames_kept_are_spread_evenly() -> None:
    assert representative_frames(16, 4).tolist() == [2, 6, 10, 14]
    assert representative_frames(8, 1).tolist() == [4]
    assert representative_frames(5, 5).tolist() == [0, 1, 2, 3, 4]
    for wrong in (0, 9):
        with pytest.raises(ValueError):
            representative_frames(8, wrong)
