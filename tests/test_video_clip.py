"""Query clips: the same frames as in the index, from any container; and pictures."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from av.video.frame import VideoFrame
from PIL import Image
from synthetic import COLOURS, make_video

from encoder import ClipSpec
from indexer.media.clip import _Range, read_clip, read_image
from indexer.media.decode import Frame
from indexer.media.errors import UnreadableVideo
from indexer.media.orientation import Orientation
from indexer.media.scale import Scaler
from indexer.settings import IndexSettings
from indexer.video_pass import VideoPass

SPEC = ClipSpec(5, 32)
SHORT_GOP = {"g": "12"}


@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [
        ("plain.mp4", "libx264", {"bf": "3", "preset": "veryfast", **SHORT_GOP}),
        ("matroska.mkv", "libx264", {"bf": "3", "preset": "veryfast", **SHORT_GOP}),
        ("vp9.webm", "libvpx-vp9", {"deadline": "realtime", "cpu-used": "8", **SHORT_GOP}),
        ("avi.avi", "mpeg4", {"bf": "2", **SHORT_GOP}),
        ("transport.ts", "libx264", {"bf": "3", "preset": "veryfast", **SHORT_GOP}),
        ("program.mpg", "mpeg2video", {"bf": "2", **SHORT_GOP}),
        ("raw.h264", "libx264", {"bf": "3", "preset": "veryfast", **SHORT_GOP}),
    ],
)
def test_a_segments_times_give_the_indexed_clip_bit_for_bit(
    tmp_path: Path, name: str, codec: str, options: dict[str, str]
) -> None:
    path = os.fspath(
        make_video(tmp_path / name, [("red", 30), ("noise", 25), ("green", 60)], codec=codec, options=options)
    )
    video_pass = VideoPass(path, SPEC, IndexSettings(segment_seconds=1.0, overlap_seconds=0.1), fingerprint="f")
    results = list(video_pass)
    assert len(results) >= 5
    for result in results:
        start, end = (video_pass.video.seconds(pts) for pts in (result.segment.start_pts, result.segment.end_pts))
        assert np.array_equal(read_clip(path, SPEC, start_seconds=start, end_seconds=end), result.clip), (start, end)


def test_the_same_holds_on_variable_frame_rate_and_turned_pictures(tmp_path: Path) -> None:
    times = np.cumsum([1 + k % 5 for k in range(90)]).tolist()
    path = make_video(
        tmp_path / "vfr.mkv", [("red", 40), ("cyan", 50)], times=times, time_base=Fraction(1, 30), options=SHORT_GOP
    )
    turned = make_video(tmp_path / "turned.mp4", [("red", 30), ("halves", 30)], rotation=270, options=SHORT_GOP)
    for file in (os.fspath(path), os.fspath(turned)):
        video_pass = VideoPass(file, SPEC, IndexSettings(), fingerprint="f")
        for result in list(video_pass):
            start, end = (video_pass.video.seconds(pts) for pts in (result.segment.start_pts, result.segment.end_pts))
            assert np.array_equal(read_clip(file, SPEC, start_seconds=start, end_seconds=end), result.clip)


def test_without_times_it_is_the_whole_video(three_shots: Path) -> None:
    clip = read_clip(os.fspath(three_shots), ClipSpec(8, 16))
    colours = [np.array(frame.reshape(-1, 3).mean(axis=0)) for frame in clip]
    # floor(k * 95 / 8): 0 11 23 | 35 47 | 59 71 83
    for colour, name in zip(colours, ["red"] * 3 + ["blue"] * 2 + ["green"] * 3, strict=True):
        assert np.abs(colour - COLOURS[name]).max() < 12


def test_only_what_is_needed_is_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from indexer.media import decode

    path = os.fspath(make_video(tmp_path / "long.mp4", [("red", 500)], options={"g": "25"}))
    decoded = 0
    next_pts = decode.Clock.next_pts

    def counting(self: decode.Clock, pts: int | None, dts: int | None, duration: int) -> int:
        nonlocal decoded
        decoded += 1
        return next_pts(self, pts, dts, duration)

    monkeypatch.setattr(decode.Clock, "next_pts", counting)
    read_clip(path, SPEC, start_seconds=16.2, end_seconds=17.0)
    assert decoded < 60


def test_a_moment_between_frames_shows_the_frame_before(tmp_path: Path) -> None:
    path = os.fspath(make_video(tmp_path / "slow.mp4", [("red", 1), ("blue", 1), ("green", 1)], rate=1))
    for start, name in ((0.0, "red"), (0.4, "red"), (1.2, "blue"), (2.9, "green")):
        clip = read_clip(path, SPEC, start_seconds=start, end_seconds=start + 0.05)
        assert np.abs(clip.mean(axis=(0, 1, 2)) - COLOURS[name]).max() < 12, start


@pytest.mark.parametrize(("duration", "lasts"), [(0, 10), (4, 4), (25, 25)])
def test_the_last_frame_is_shown_as_long_as_it_lasts_or_for_one_step(duration: int, lasts: int) -> None:
    drawn = VideoFrame.from_ndarray(np.full((32, 32, 3), COLOURS["red"], np.uint8), format="rgb24")
    scaler = Scaler(SPEC, orientation=Orientation(), sample_aspect=Fraction(1))
    scaler.start(drawn)
    frames = [Frame(100, 10, drawn), Frame(110, duration, drawn)]

    def sample(begin: int, end: int | None = None) -> np.ndarray:
        return _Range(scaler, begin=begin, end=end, step=10, max_frames=32).collect(frames).clip()

    for begin in (105, 110, 110 + lasts - 1):
        assert sample(begin).shape == (5, 32, 32, 3)
        assert np.abs(sample(begin, begin + 1).mean(axis=(0, 1, 2)) - COLOURS["red"]).max() < 3
    for begin in (110 + lasts, 1000):
        with pytest.raises(ValueError, match="ends before"):
            sample(begin)
    with pytest.raises(ValueError, match="ends before"):
        _Range(scaler, begin=0, end=5, step=10, max_frames=32).collect([])


def test_a_stretch_longer_than_the_memory_is_sampled_near(tmp_path: Path) -> None:
    path = os.fspath(make_video(tmp_path / "ramp.mp4", [("ramp", 32)]))
    exact = read_clip(path, ClipSpec(8, 16)).mean(axis=(1, 2, 3))
    near = read_clip(path, ClipSpec(8, 16), max_frames=16).mean(axis=(1, 2, 3))
    assert np.abs(exact - near).max() <= 2 * 8 + 1  # a frame is 8 levels


@pytest.mark.parametrize(
    ("start", "end", "says"),
    [
        (-1.0, None, "cannot start"),
        (2.0, 1.0, "end after it starts"),
        (60.0, None, "ends before"),
        (60.0, 61.0, "ends before"),
    ],
)
def test_times_that_make_no_sense_are_refused(three_shots: Path, start: float, end: float | None, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        read_clip(os.fspath(three_shots), SPEC, start_seconds=start, end_seconds=end)


def test_a_picture_is_the_same_frame_again_and_again(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    small = Image.fromarray(rng.integers(0, 255, (9, 16, 3), np.uint8)).resize((320, 180), Image.Resampling.BICUBIC)
    small.save(tmp_path / "picture.png")
    clip = read_image(os.fspath(tmp_path / "picture.png"), SPEC)
    assert clip.shape == (5, 32, 32, 3)
    assert all(np.array_equal(frame, clip[0]) for frame in clip)
    expected = np.asarray(small.resize((32, 32), Image.Resampling.LANCZOS)).astype(int)
    assert np.abs(clip[0] - expected).max() <= 4


def test_a_picture_is_turned_as_its_camera_says_and_white_behind(tmp_path: Path) -> None:
    wide = Image.new("RGB", (64, 32), COLOURS["red"])
    wide.paste(COLOURS["blue"], (32, 0, 64, 32))
    exif = Image.Exif()
    exif[0x0112] = 6  # turn clockwise
    wide.save(tmp_path / "turned.jpg", exif=exif, quality=95)
    frame = read_image(os.fspath(tmp_path / "turned.jpg"), SPEC)[0].astype(int)
    assert np.abs(frame[4, 16] - COLOURS["red"]).max() < 12
    assert np.abs(frame[28, 16] - COLOURS["blue"]).max() < 12
    Image.new("RGBA", (40, 40), (255, 0, 0, 0)).save(tmp_path / "clear.png")
    assert read_image(os.fspath(tmp_path / "clear.png"), SPEC).min() >= 254


def test_a_video_as_picture_is_its_first_frame_and_junk_is_refused(three_shots: Path, tmp_path: Path) -> None:
    clip = read_image(os.fspath(three_shots), SPEC)
    assert np.abs(clip.mean(axis=(0, 1, 2)) - COLOURS["red"]).max() < 12
    (tmp_path / "torn.jpg").write_bytes(b"")
    Image.effect_noise((200, 200), 90).save(tmp_path / "whole.jpg")
    (tmp_path / "cut.jpg").write_bytes((tmp_path / "whole.jpg").read_bytes()[:900])
    (tmp_path / "words.jpg").write_text("not a picture")
    for name, kind in (
        ("torn.jpg", "empty"),
        ("cut.jpg", "broken"),
        ("words.jpg", "not_video"),
        ("gone.jpg", "missing"),
    ):
        with pytest.raises(UnreadableVideo) as caught:
            read_image(os.fspath(tmp_path / name), SPEC)
        assert caught.value.kind == kind


def test_pictures_that_cannot_be_read_name_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "picture.png"
    Image.new("RGB", (40, 40), "red").save(path)

    def kind_of() -> tuple[str, str]:
        with pytest.raises(UnreadableVideo) as caught:
            read_image(os.fspath(path), SPEC)
        return caught.value.kind, caught.value.reason

    with monkeypatch.context() as patched:
        patched.setattr(Image, "MAX_IMAGE_PIXELS", 100)
        kind, reason = kind_of()
        assert (kind, "too many pixels" in reason) == ("error", True)
    for error, expected, says in (
        (PermissionError(13, "Permission denied"), "permission", "cannot be read"),
        (OSError(5, "Input/output error"), "error", "Input/output error"),
        (OSError("image file is truncated"), "broken", "damaged"),
        (ValueError("no such mode"), "broken", "damaged"),
    ):

        def fails(*_: object, error: Exception = error, **options: object) -> None:
            raise error

        with monkeypatch.context() as patched:
            patched.setattr(Image, "open", fails)
            kind, reason = kind_of()
            assert (kind, says in reason) == (expected, True)


def test_large_frames_are_kept_in_smaller_numbers(three_shots: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """64 x 48 pixels in 4:2:0 take 5 KB and a little: there is room for fewer than 40, so 32 are kept of 95 at most."""
    from indexer.media import frame_buffer

    exact = read_clip(os.fspath(three_shots), SPEC)
    monkeypatch.setattr(frame_buffer, "MAX_BUFFER_BYTES", 40 * 5000)
    assert np.array_equal(
        read_clip(os.fspath(three_shots), SPEC, max_frames=32), read_clip(os.fspath(three_shots), SPEC)
    )
    assert not np.array_equal(read_clip(os.fspath(three_shots), SPEC), exact)
