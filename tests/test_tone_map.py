"""Tone mapping: HDR videos look like their SDR twins wherever pictures are made of them."""

from __future__ import annotations

import io
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hdr_twins import HLG, ORACLE, PQ, first_frame, hdr_twin, run_ffmpeg
from numpy.typing import NDArray
from PIL import Image
from synthetic import make_video

from encoder import ClipSpec
from indexer.kinds import recipe_for
from indexer.media.clip import read_clip, read_image
from indexer.media.decode import Decoding
from indexer.media.orientation import Orientation
from indexer.media.probe import open_source
from indexer.media.scale import Scaler
from indexer.media.tone_map import tone_map_for
from indexer.settings import IndexSettings
from indexer.video_pass import SegmentClip, VideoPass

SIZE = (96, 64)
SPEC = ClipSpec(4, 64)
BT709_TAGS = (1, 1, 1, 1)


def colours(index: int) -> NDArray[np.uint8]:
    """All hues from left to right, from black at the top to full at the bottom; slightly other in each frame."""
    across = np.linspace(0, 2 * np.pi, SIZE[0])[None, :] + index / 20
    hues = np.stack([np.cos(across + shift) * 0.4 + 0.6 for shift in (0, 2.1, 4.2)], axis=-1)
    return (np.linspace(0, 255, SIZE[1])[:, None, None] * hues).round().astype(np.uint8)


def greys(index: int) -> NDArray[np.uint8]:
    return np.repeat(colours(index).max(axis=2, keepdims=True), 3, axis=2)[:, ::-1]


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One video of two shots as SDR, PQ and HLG."""
    folder = tmp_path_factory.mktemp("twins")
    sdr = make_video(
        folder / "sdr.mkv", [(colours, 20), (greys, 20)], size=SIZE, codec="ffv1", pix_fmt="yuv444p", options={}
    )
    return {"sdr": sdr, **{name: hdr_twin(sdr, folder / f"{name}.mkv", name) for name in (PQ, HLG)}}


def index(path: Path) -> tuple[VideoPass, list[SegmentClip]]:
    passed = VideoPass(str(path), SPEC, IndexSettings(detector="content"), fingerprint="f")
    return passed, list(passed)


def distance(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    return float(np.abs(one.astype(int) - other).mean())


def preview(data: bytes) -> tuple[NDArray[np.uint8], tuple[int, ...]]:
    """Return a preview's first frame, as a player shows it by its tags, and the tags."""
    with av.open(io.BytesIO(data)) as container:
        frame = next(container.decode(video=0))
    tags = int(frame.colorspace), int(frame.color_primaries), int(frame.color_trc), int(frame.color_range)
    return np.asarray(frame.to_ndarray(format="rgb24"), np.uint8), tags


@pytest.mark.parametrize("transfer", [PQ, HLG])
@pytest.mark.parametrize("white", [203, 700])
def test_pictures_are_those_of_ffmpegs_filters(
    videos: dict[str, Path], tmp_path: Path, transfer: str, white: float
) -> None:
    twin = hdr_twin(videos["sdr"], tmp_path / "twin.mkv", transfer, white=white)
    with open_source(str(twin)) as source:
        first = next(iter(Decoding(source))).picture
        scaler = Scaler(SPEC, orientation=Orientation(), sample_aspect=Fraction(1))
        scaler.start(first)
        shown = scaler.shown(scaler.reduce(first), SIZE[0])
        plane = scaler.plane(scaler.reduce(first), SIZE[0])
    expected = first_frame(twin, ORACLE, SIZE)
    assert np.abs(shown - expected).mean() < 1
    assert (shown - expected).mean() == pytest.approx(0, abs=0.3)
    assert np.abs(plane[..., ::-1] - expected).mean() < 2  # BGR, for shot detection
    if white == 700:  # light beyond reference white is told apart, and not simply clipped
        assert len(np.unique(shown[-20:].max(axis=2))) > 10


@pytest.mark.parametrize("transfer", [PQ, HLG])
def test_clips_posters_and_previews_look_like_those_of_the_sdr_twin(videos: dict[str, Path], transfer: str) -> None:
    sdr, hdr = index(videos["sdr"]), index(videos[transfer])
    assert [shot.start_pts for shot in hdr[0].shots] == [shot.start_pts for shot in sdr[0].shots]
    assert len(hdr[1]) == 2
    for expected, segment in zip(sdr[1], hdr[1], strict=True):
        assert distance(segment.clip, expected.clip) < 5
        posters = [np.asarray(Image.open(io.BytesIO(each.poster))) for each in (segment, expected)]
        assert distance(*posters) < 5
        shown, tags = preview(segment.preview)
        assert distance(shown, preview(expected.preview)[0]) < 6
        assert tags == BT709_TAGS


@pytest.mark.parametrize("transfer", [PQ, HLG])
@pytest.mark.parametrize("fit", ["stretch", "crop", "pad"])
def test_clips_read_again_are_the_indexed_ones_bit_for_bit(videos: dict[str, Path], transfer: str, fit: str) -> None:
    spec = ClipSpec(4, 64, fit)  # type: ignore[arg-type]
    path = str(videos[transfer])
    for each in VideoPass(path, spec, IndexSettings(detector="content"), fingerprint="f"):
        start, end = each.segment.start_pts / 1000, each.segment.end_pts / 1000
        assert np.array_equal(read_clip(path, spec, start_seconds=start, end_seconds=end), each.clip)
    assert np.array_equal(read_image(path, spec)[0], read_clip(path, spec, end_seconds=0.01)[0])


def test_only_hdr_is_mapped_and_only_hdr_becomes_outdated(videos: dict[str, Path]) -> None:
    assert {index(videos[name])[0].video.kinds for name in (PQ, HLG)} == {frozenset({"hdr", "deep"})}
    assert index(videos["sdr"])[0].video.kinds == frozenset()
    assert recipe_for("r", {"hdr", "deep"}) == "r+hdr1"
    assert recipe_for("r", {"deep"}) == "r"


def pq_frame(width: int, height: int, format: str) -> av.VideoFrame:
    """Return a frame of PQ as light as SDR white: code 0.58."""
    grey = av.VideoFrame.from_ndarray(np.full((height, width, 3), 148, np.uint8), format="rgb24")
    frame = grey.reformat(format=format, dst_colorspace=1)
    frame.colorspace, frame.color_primaries, frame.color_trc = 9, 9, 16
    return frame


def test_ten_bits_and_bt2020_without_a_transfer_keep_the_plain_path() -> None:
    frame = pq_frame(96, 64, "yuv420p10le")
    assert tone_map_for(frame) is not None
    for plain in (2, 14):  # not stated; bt2020-10, which is SDR
        frame.color_trc = plain
        assert tone_map_for(frame) is None


@pytest.mark.parametrize("format", ["yuv420p10le", "yuv444p12le", "p010le", "yuv420p", "gbrp10le", "rgb48le"])
@pytest.mark.parametrize("size", [(96, 64), (2400, 1600), (2400, 16)])
@pytest.mark.parametrize("fit", ["stretch", "crop"])
def test_frames_of_every_format_and_size_are_mapped(format: str, size: tuple[int, int], fit: str) -> None:
    frame = pq_frame(*size, format)
    scaler = Scaler(ClipSpec(1, 32, fit), orientation=Orientation(), sample_aspect=Fraction(1))  # type: ignore[arg-type]
    scaler.start(frame)
    reduced = scaler.reduce(frame)
    for pixels in (
        scaler.clip_frame(reduced, coded_size=size),
        scaler.shown(reduced, 64),
        scaler.plane(reduced, 64),
        scaler.shown_planes(reduced, 64).to_ndarray(format="rgb24", src_colorspace=1),
    ):
        assert np.abs(pixels.astype(int) - 244).max() <= 3  # reference white, a little compressed


def test_primaries_are_those_that_the_file_states(videos: dict[str, Path], tmp_path: Path) -> None:
    """Display P3 in PQ, as some phones and all cinema masters have it."""
    twin = hdr_twin(videos["sdr"], tmp_path / "p3.mkv", PQ, primaries="smpte432")
    assert distance(read_clip(str(twin), SPEC), read_clip(str(videos["sdr"]), SPEC)) < 5


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("phone.mp4", ["-c:v", "libx265", "-x265-params", "log-level=none", "-pix_fmt", "yuv420p10le"]),
        ("web.webm", ["-c:v", "libvpx-vp9", "-pix_fmt", "yuv420p10le", "-deadline", "realtime"]),
        ("camera.mov", ["-c:v", "prores_ks", "-pix_fmt", "yuv422p10le"]),
        ("broadcast.ts", ["-c:v", "libx265", "-x265-params", "log-level=none", "-pix_fmt", "yuv420p10le"]),
    ],
)
def test_hdr_is_recognised_in_every_container(
    videos: dict[str, Path], tmp_path: Path, name: str, options: list[str]
) -> None:
    path = tmp_path / name
    run_ffmpeg("-i", str(videos[HLG]), "-frames:v", "8", *options, str(path))
    passed, segments = index(path)
    assert passed.video.kinds == {"hdr", "deep"}
    expected = read_clip(str(videos["sdr"]), SPEC, end_seconds=0.32)
    assert distance(segments[0].clip, expected) < 10  # 16 if it is not mapped
