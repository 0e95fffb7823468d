"""Halved pictures: each pixel the mean of four, in every format of planes; and planes turned as a picture would be."""

from __future__ import annotations

import numpy as np
import pytest
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from encoder import ClipSpec
from indexer.media.downscale import can_halve, halve, luma, transform_planes
from indexer.media.orientation import Orientation
from indexer.media.scale import Scaler


def drawn(width: int, height: int, format: str) -> VideoFrame:
    pixels = np.random.default_rng(3).integers(0, 256, (height, width, 3), np.uint8)
    frame = VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format=format)
    frame.color_range, frame.colorspace = 2, 1
    return frame


def mean_of_four(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    height, width = (side // 4 * 4 for side in pixels.shape)
    return pixels[:height, :width].reshape(height // 2, 2, width // 2, 2).mean((1, 3))


@pytest.mark.parametrize("format", ["yuv420p", "yuv422p", "yuv444p", "gray", "yuv420p10le", "yuv422p12le"])
@pytest.mark.parametrize("size", [(192, 108), (854, 482), (70, 50)])
def test_each_pixel_is_the_mean_of_four(format: str, size: tuple[int, int]) -> None:
    picture = drawn(*size, format)
    small = halve(picture)
    assert (small.width, small.height) == (size[0] // 4 * 2, size[1] // 4 * 2)
    assert small.format.name == format
    assert (small.color_range, small.colorspace) == (2, 1)
    assert np.abs(luma(small) - mean_of_four(luma(picture))).max() <= 1


def test_colours_are_halved_with_the_light() -> None:
    red = VideoFrame.from_ndarray(np.full((64, 96, 3), (200, 30, 40), np.uint8), format="rgb24")
    back = halve(halve(red.reformat(format="yuv420p"))).to_ndarray(format="rgb24")
    assert back.shape == (16, 24, 3)
    assert np.abs(back.astype(int) - (200, 30, 40)).max() <= 3


@pytest.mark.parametrize(
    ("format", "can"), [("yuv420p", True), ("rgb24", False), ("nv12", False), ("yuv420p10be", False)]
)
def test_only_plain_planes_can_be_halved(format: str, can: bool) -> None:
    assert can_halve(VideoFrame(64, 48, format)) is can


@pytest.mark.parametrize("orientation", [Orientation(1), Orientation(2), Orientation(3, True), Orientation(0, True)])
def test_planes_turn_as_the_picture_does(orientation: Orientation) -> None:
    smooth = np.linspace(0, 255, 64)[:, None, None] * (1, 0, 0.5) + np.linspace(0, 255, 96)[None, :, None] * (0, 1, 0.5)
    picture = VideoFrame.from_ndarray(smooth.round().astype(np.uint8), format="rgb24").reformat(format="yuv420p")
    found = transform_planes(picture, orientation.apply).to_ndarray(format="rgb24").astype(int)
    assert np.abs(found - orientation.apply(picture.to_ndarray(format="rgb24"))).mean() < 3


def test_the_planes_of_hardware_give_the_same_clip() -> None:
    """Chroma of both in one plane, as devices give it."""
    picture = drawn(1920, 1080, "yuv420p")
    clips = []
    for each in (picture, picture.reformat(format="nv12")):
        scaler = Scaler(ClipSpec(1, 64), orientation=Orientation(), sample_aspect=1)  # type: ignore[arg-type]
        scaler.start(each)
        clips.append(scaler.clip_frame(scaler.reduce(each), coded_size=(1920, 1080)))
    assert np.array_equal(*clips)
