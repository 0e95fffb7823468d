"""Still pictures of any depth as examples: as bright as their 8-bit twins."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.frame import VideoFrame
from numpy.typing import NDArray
from PIL import Image

from app.web.services.example_media import detect_media
from encoder import ClipSpec
from indexer.media.clip import read_image

SPEC = ClipSpec(1, 32)
RAMP: NDArray[np.uint8] = np.tile(np.linspace(0, 250, 64).astype(np.uint8), (48, 1))


@pytest.mark.parametrize(
    ("name", "pixels"),
    [
        ("word.png", RAMP.astype(np.uint16) * 257),
        ("word.tiff", RAMP.astype(np.uint16) * 257),
        ("dark.png", RAMP.astype(np.uint16)),
        ("integer.tiff", RAMP.astype(np.int32) * 257),
        ("large.tiff", RAMP.astype(np.int32) * 1_000_000),
        ("unit.tiff", (RAMP / 255).astype(np.float32)),
        ("byte.tiff", RAMP.astype(np.float32)),
        ("large_float.tiff", RAMP.astype(np.float32) * 257),
        ("broken.tiff", np.where(RAMP == 0, np.nan, RAMP / 255).astype(np.float32)),
    ],
)
def test_grey_of_any_depth_is_scaled_to_eight_bits(tmp_path: Path, name: str, pixels: NDArray[np.generic]) -> None:
    Image.fromarray(pixels).save(tmp_path / name)
    expected = RAMP
    if name == "dark.png":  # 16 bits of which the lower half is used: nearly black
        expected = np.zeros_like(RAMP)
    elif name == "large.tiff":  # the largest is white
        expected = (RAMP * (255 / 250)).astype(np.uint8)
    Image.fromarray(expected).save(tmp_path / "expected.png")
    read, reference = (read_image(os.fspath(tmp_path / each), SPEC)[0].astype(int) for each in (name, "expected.png"))
    assert np.abs(read - reference).max() <= 1


def test_sixteen_bits_in_colour_and_with_transparency(tmp_path: Path) -> None:
    """PNGs that Pillow cannot write, by FFmpeg."""
    pixels = np.full((48, 64, 4), (200 * 257, 30 * 257, 90 * 257, 65535), np.uint16)
    pixels[:, 32:, 3] = 0
    encoder = av.CodecContext.create("png", "w")
    encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = 64, 48, "rgba64be", Fraction(1, 25)
    path = tmp_path / "deep.png"
    path.write_bytes(b"".join(map(bytes, encoder.encode(VideoFrame.from_ndarray(pixels, format="rgba64be")))))
    assert Image.open(path).mode == "RGBA"
    frame = read_image(os.fspath(path), SPEC)[0].astype(int)
    assert np.abs(frame[16, 4] - (200, 30, 90)).max() <= 2
    assert frame[16, 28].min() >= 254


def test_the_poster_of_a_dropped_picture_is_as_bright(tmp_path: Path) -> None:
    Image.fromarray(RAMP.astype(np.uint16) * 257).save(tmp_path / "word.png")
    found = detect_media(tmp_path / "word.png", "word.png")
    (tmp_path / "poster.jpg").write_bytes(found.poster)
    assert np.abs(np.asarray(Image.open(tmp_path / "poster.jpg").convert("L")).astype(int) - RAMP).mean() < 3
