"""Rotated and mirrored videos: every picture made of them, and every clip, shows what ffmpeg shows."""

from __future__ import annotations

import io
import subprocess
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from interlaced import write_interlaced
from numbered import ffmpeg
from numpy.typing import NDArray
from PIL import Image

from app.exporting.clip_writer import write_clips
from app.exporting.ffmpeg_binary import find_ffmpeg
from app.exporting.request import ClipRequest
from app.web.services.proxy_making import make_proxy
from encoder import ClipSpec
from indexer.media.clip import read_clip
from indexer.settings import IndexSettings
from indexer.video_pass import VideoPass

SPEC = ClipSpec(frames=2, size=64)
START, END = Fraction(1, 5), Fraction(4, 5)
Pixels = NDArray[np.uint8]


@pytest.fixture(scope="module")
def flat(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A still picture, no turn of which looks like another."""
    file = tmp_path_factory.mktemp("flat") / "flat.mp4"
    boxes = "drawbox=0:0:40:96:white:fill,drawbox=80:0:80:32:blue:fill"
    coding = ("-c:v", "libx264", "-pix_fmt", "yuv420p", "-x264-params", "keyint=8:min-keyint=8")
    ffmpeg("-f", "lavfi", "-i", "color=red:s=160x96:r=25:d=1", "-vf", boxes, *coding, str(file))
    return file


def as_ffmpeg_shows(file: Path | str | None) -> Pixels:
    """The first frame, uint8 (h, w, 3)."""
    command = [find_ffmpeg(), "-loglevel", "error", "-i", str(file), "-frames:v", "1", "-f", "image2pipe"]
    picture = subprocess.run([*command, "-c:v", "png", "-"], check=True, capture_output=True).stdout
    with Image.open(io.BytesIO(picture)) as image:
        return np.asarray(image.convert("RGB"))


def assert_alike(picture: Pixels, ideal: Pixels, *, resized: bool = False) -> None:
    if resized:
        ideal = np.asarray(
            Image.fromarray(ideal).resize((picture.shape[1], picture.shape[0]), Image.Resampling.LANCZOS)
        )
    assert picture.shape == ideal.shape
    assert np.abs(picture.astype(int) - ideal).mean() < 6


@pytest.mark.parametrize(
    ("name", "degrees", "flip"),
    [
        ("a.mp4", 0, "-display_hflip"),
        ("a.mkv", 90, "-display_hflip"),
        ("a.mov", 270, "-display_hflip"),
        ("a.mp4", 180, "-display_vflip"),
        ("a.mov", 90, ""),
    ],
)
def test_what_is_made_of_a_turned_video_is_upright(
    name: str, degrees: int, flip: str, flat: Path, tmp_path: Path
) -> None:
    source = tmp_path / name
    ffmpeg("-display_rotation", str(degrees), *([flip] if flip else []), "-i", str(flat), "-c", "copy", str(source))
    ideal = as_ffmpeg_shows(source)
    reading = VideoPass(str(source), SPEC, IndexSettings(detector="adaptive"), fingerprint="f")
    (segment,) = list(reading)
    assert (reading.video.height, reading.video.width) == ideal.shape[:2]
    assert_alike(segment.clip[0], ideal, resized=True)
    assert np.array_equal(read_clip(str(source), SPEC), segment.clip)
    with Image.open(io.BytesIO(segment.poster)) as poster:
        assert_alike(np.asarray(poster), ideal)
    with av.open(io.BytesIO(segment.preview)) as preview:
        assert_alike(next(preview.decode(video=0)).to_ndarray(format="rgb24"), ideal, resized=True)
    make_proxy(
        find_ffmpeg(), str(source), START, END, tmp_path / "proxy.mp4",
        progress=lambda done: None, cancelled=lambda: False,
    )  # fmt: skip
    assert_alike(as_ffmpeg_shows(tmp_path / "proxy.mp4"), ideal)
    for mode in ("exact", "smart", "copy"):
        request = ClipRequest(path=str(source), start_seconds=START, end_seconds=END)
        (clip,) = write_clips([request], tmp_path / "clips", mode)
        assert clip.error is None
        assert (clip.copied_frames > 0) == (mode != "exact")
        assert_alike(as_ffmpeg_shows(clip.file), ideal)


@pytest.mark.parametrize(("degrees", "flip"), [(0, "-display_vflip"), (90, "-display_hflip"), (180, ""), (270, "")])
def test_interlaced_videos_are_turned_the_same_way_after_deinterlacing(degrees: int, flip: str, tmp_path: Path) -> None:
    write_interlaced(tmp_path / "lying.mp4")
    turned = tmp_path / "turned.mp4"
    turn = ("-display_rotation", str(degrees), *([flip] if flip else []))
    ffmpeg(*turn, "-i", str(tmp_path / "lying.mp4"), "-c", "copy", str(turned))
    make_proxy(
        find_ffmpeg(), str(turned), Fraction(0), END, tmp_path / "proxy.mp4",
        progress=lambda done: None, cancelled=lambda: False,
    )  # fmt: skip
    shown = as_ffmpeg_shows(tmp_path / "proxy.mp4")
    combed = as_ffmpeg_shows(turned)
    assert shown.shape == combed.shape
    across = degrees % 180 == 90
    static = (slice(None), slice(0, 8)) if across else (slice(0, 8), slice(None))
    assert np.abs(shown[static].astype(int) - combed[static]).mean() < 8
    assert np.abs(shown.astype(int) - combed).mean() < 16
