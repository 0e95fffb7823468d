"""Frames are kept as decoded while they fit, and what is made of them is the same as of reduced ones."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from av.video.frame import VideoFrame

from encoder import ClipSpec
from indexer import kept_frames
from indexer.kept_frames import KeptFrames
from indexer.scale import Orientation, Scaler

WIDTH, HEIGHT = 1280, 200  # halved once for clips of 32 pixels: 384,000 bytes as decoded, 96,000 halved


class CountingScaler(Scaler):
    """Counts the frames that were made smaller."""

    made_smaller = 0

    def reduce(self, picture: VideoFrame) -> VideoFrame:
        self.made_smaller += 1
        return super().reduce(picture)


def scaler() -> CountingScaler:
    made = CountingScaler(ClipSpec(4, 32), orientation=Orientation(), sample_aspect=Fraction(1))
    made.start(picture(0))
    return made


def picture(seed: int) -> VideoFrame:
    pixels = np.random.default_rng(seed).integers(0, 255, (HEIGHT * 3 // 2, WIDTH), dtype=np.uint8)
    return VideoFrame.from_ndarray(pixels, format="yuv420p")


def held(kept: KeptFrames) -> list[int]:
    """Bytes of each frame in memory."""
    return [sum(plane.buffer_size for plane in item._picture.planes) for item in kept._kept]


def test_frames_that_fit_are_reduced_only_when_taken() -> None:
    scale = scaler()
    kept = KeptFrames(scale, 64)
    for index in range(40):
        kept.offer(index, picture(index), (WIDTH, HEIGHT))
    assert scale.made_smaller == 1  # the first, to know how large reduced frames are
    kept.clip(0, 40)
    assert scale.made_smaller == 4  # of the four taken the first was there already


def test_memory_is_bounded_and_the_oldest_are_reduced_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_frames, "KEPT_BYTES", 5_000_000)
    kept = KeptFrames(scaler(), 64)
    for index in range(40):
        kept.offer(index, picture(index), (WIDTH, HEIGHT))
        assert sum(held(kept)) <= 5_000_000 + 400_000  # the first frame is both for a moment
    sizes = held(kept)
    assert len(sizes) == 40
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[-1]


@pytest.mark.parametrize("frames", [10, 50, 300])
def test_clips_do_not_depend_on_when_frames_were_reduced(frames: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_frames, "KEPT_BYTES", 8_000_000)
    late, early, scale = KeptFrames(scaler(), 64), KeptFrames(scaler(), 64), scaler()
    for index in range(frames):
        late.offer(index, picture(index), (WIDTH, HEIGHT))
        early.offer(index, scale.reduce(picture(index)), (WIDTH, HEIGHT))
    assert len(late) == len(early)
    np.testing.assert_array_equal(late.clip(0, frames), early.clip(0, frames))
    np.testing.assert_array_equal(late.clip(frames // 2, frames), early.clip(frames // 2, frames))


def test_what_is_forgotten_is_let_go() -> None:
    kept = KeptFrames(scaler(), 64)
    for index in range(30):
        kept.offer(index, picture(index), (WIDTH, HEIGHT))
    kept.restart(25)
    assert len(kept) == len(kept._whole) == 5
    kept.forget_before(30)
    assert len(kept) == len(kept._whole) == 0
