"""Videos with transparency are shown over mid grey; videos of more than 8 bits as bright as their twins."""

from __future__ import annotations

import io
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.video.frame import VideoFrame
from hdr_twins import run_ffmpeg
from numpy.typing import NDArray
from PIL import Image

from app.web.services.example_media import detect_media
from encoder import ClipSpec
from indexer.media.alpha import GREY, compose, has_alpha
from indexer.media.clip import read_clip
from indexer.media.orientation import Orientation
from indexer.media.scale import Scaler
from indexer.settings import IndexSettings
from indexer.video_pass import VideoPass

SPEC = ClipSpec(2, 32)
RED = (200, 30, 30)
PARTS = {"opaque": RED, "half": (192, 192, 192), "clear": (GREY, GREY, GREY)}


def picture(width: int = 64, height: int = 64) -> VideoFrame:
    """Opaque red on the left; on the right half transparent white, and below it transparent black."""
    pixels: NDArray[np.uint8] = np.zeros((height, width, 4), np.uint8)
    pixels[:, : width // 2] = (*RED, 255)
    pixels[: height // 2, width // 2 :] = (255, 255, 255, 128)
    return VideoFrame.from_ndarray(pixels, format="rgba")


def seen(pixels: NDArray[Any]) -> dict[str, NDArray[np.int64]]:
    """Return the colours in the middle of the three parts."""
    height, width = pixels.shape[:2]
    places = {"opaque": (height // 2, width // 4), "half": (height // 4, width * 3 // 4)}
    places["clear"] = height * 3 // 4, width * 3 // 4
    return {name: pixels[place].astype(np.int64) for name, place in places.items()}


def check(pixels: NDArray[Any], tolerance: int = 3) -> None:
    for name, colour in seen(pixels).items():
        assert np.abs(colour - PARTS[name]).max() <= tolerance, name


def scaler_of(frame: VideoFrame) -> Scaler:
    scaler = Scaler(SPEC, orientation=Orientation(), sample_aspect=Fraction(1))
    scaler.start(frame)
    return scaler


@pytest.mark.parametrize(
    "format",
    [
        "rgba",
        "argb",
        "bgra",
        "gbrap",
        "gbrap12le",
        "rgba64be",
        "yuva420p",
        "yuva444p10le",
        "yuva444p12le",
        "yuva422p16be",
    ],
)
@pytest.mark.parametrize("size", [(64, 64), (2400, 1600)])
def test_transparent_frames_of_every_format_are_over_grey(format: str, size: tuple[int, int]) -> None:
    frame = picture(*size).reformat(format=format, dst_colorspace=5)
    scaler = scaler_of(frame)
    reduced = scaler.reduce(frame)
    assert not has_alpha(reduced.format.name)
    check(scaler.clip_frame(reduced, coded_size=size))
    check(scaler.shown(reduced, 64))


def test_grey_and_opaque_frames(tmp_path: Path) -> None:
    grey = compose(picture().reformat(format="ya8"))
    assert np.abs(seen(grey.to_ndarray(format="rgb24"))["half"] - 192).max() <= 1
    opaque = picture().reformat(format="rgb24").reformat(format="yuva420p")
    assert compose(opaque) is opaque, "nothing to compose, no copy"
    assert not has_alpha("yuv420p")
    assert not has_alpha("pal8")


def test_what_is_transparent_does_not_bleed_into_the_rest() -> None:
    """A white half beside a transparent black one: no dark line appears between them when it is made smaller."""
    pixels: NDArray[np.uint8] = np.zeros((1200, 2400, 4), np.uint8)
    pixels[:, :1203] = 255
    frame = VideoFrame.from_ndarray(pixels, format="rgba").reformat(format="yuva444p")
    scaler = scaler_of(frame)
    assert scaler.shown(scaler.reduce(frame), 80).min() >= GREY - 3


@pytest.mark.parametrize("transfer", [16, 18])
def test_the_grey_behind_hdr_is_the_same(transfer: int) -> None:
    frame = picture().reformat(format="yuva444p10le")
    frame.colorspace, frame.color_primaries, frame.color_trc = 9, 9, transfer
    scaler = scaler_of(frame)
    assert np.abs(seen(scaler.shown(scaler.reduce(frame), 64))["clear"] - GREY).max() <= 2


def write_video(path: Path, codec: str, format: str) -> Path:
    with av.open(str(path), "w") as out:
        stream = out.add_stream(codec, rate=10, width=64, height=64, pix_fmt=format)
        for number in range(6):
            frame = picture().reformat(format=format)
            frame.pts = number
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(
    ("name", "codec", "format"),
    [
        ("prores.mov", "prores_ks", "yuva444p10le"),
        ("animation.mov", "qtrle", "argb"),
        ("animation.apng", "apng", "rgba"),
        ("ffv1.mkv", "ffv1", "yuva420p"),
    ],
)
def test_clips_posters_and_previews_of_transparent_videos(tmp_path: Path, name: str, codec: str, format: str) -> None:
    path = write_video(tmp_path / name, codec, format)
    passed = VideoPass(str(path), SPEC, IndexSettings(detector="content"), fingerprint="f")
    (segment,) = list(passed)
    assert "alpha" in passed.video.kinds
    check(segment.clip[1], 6)
    assert np.array_equal(segment.clip, read_clip(str(path), SPEC))
    check(np.asarray(Image.open(io.BytesIO(segment.poster))), 6)
    with av.open(io.BytesIO(segment.preview)) as container:
        check(next(container.decode(video=0)).to_ndarray(format="rgb24"), 8)


def test_a_gif_with_transparency_is_over_grey_and_its_first_frame_too(tmp_path: Path) -> None:
    path = tmp_path / "sticker.gif"
    pictures = [Image.fromarray(picture().to_ndarray()) for _ in range(4)]
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=100, disposal=2)
    clip = read_clip(str(path), SPEC)
    assert np.abs(seen(clip[0])["clear"] - GREY).max() <= 3
    assert np.abs(seen(clip[0])["opaque"] - RED).max() <= 3


def test_the_poster_of_a_dropped_transparent_video(tmp_path: Path) -> None:
    path = write_video(tmp_path / "animation.mov", "qtrle", "argb")
    check(np.asarray(Image.open(io.BytesIO(detect_media(path, path.name).poster))), 6)


@pytest.mark.parametrize(
    "format",
    ["gray10le", "gray16le", "gray16be", "rgb48le", "rgb48be", "gbrp16le", "yuv444p16le", "yuv420p16be"],
)
@pytest.mark.parametrize("size", [(64, 64), (2400, 1600)])
def test_frames_of_more_than_8_bits_are_as_bright_as_their_twins(format: str, size: tuple[int, int]) -> None:
    level = np.repeat(np.tile(np.linspace(0, 255, size[0]).astype(np.uint8), (size[1], 1))[..., None], 3, axis=2)
    twin = VideoFrame.from_ndarray(level, format="rgb24")
    frame = twin.reformat(format=format)
    results = []
    for each in (twin, frame):
        scaler = scaler_of(each)
        reduced = scaler.reduce(each)
        matrix = scaler.shown_tags(reduced).matrix
        planes = scaler.shown_planes(reduced, 64).to_ndarray(format="rgb24", src_colorspace=matrix)
        clip_frame = scaler.clip_frame(reduced, coded_size=size)
        results.append((clip_frame, scaler.shown(reduced, 64), scaler.plane(reduced, 64), planes))
    for one, other in zip(*results, strict=True):
        assert np.abs(one.astype(int) - other).max() <= 7


@pytest.mark.parametrize("codec", ["libvpx-vp9", "libvpx"])
def test_the_transparency_of_webm_is_ignored(tmp_path: Path, codec: str) -> None:
    """FFmpeg's own decoders of VP8 and VP9 do not read it."""
    path = tmp_path / "clear.webm"
    source = "color=red@0.0:s=64x64:r=10:d=0.3,format=yuva420p"
    run_ffmpeg("-f", "lavfi", "-i", source, "-c:v", codec, "-auto-alt-ref", "0", str(path))
    red, green, blue = read_clip(str(path), SPEC)[0, 16, 16]
    assert red > 200
    assert max(green, blue) < 60
