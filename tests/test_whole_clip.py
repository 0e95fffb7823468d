"""Clips of whole videos, against FFmpeg's own program, numpy and Pillow: the reading behind the published figures."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from synthetic import make_audio, make_video

from encoder import ClipSpec
from indexer.media import whole_clip
from indexer.media.errors import UnreadableVideo
from indexer.media.sampling import sample_indices
from indexer.media.whole_clip import read_whole_clip

Pixels = NDArray[np.uint8]


def by_ffmpeg(path: Path, frames: int, size: int, shape: tuple[int, int]) -> Pixels:
    """The protocol written out: all frames of FFmpeg's program as RGB, linspace, the middle square, Lanczos."""
    words = ["-v", "error", "-i", str(path), "-f", "rawvideo", "-pix_fmt", "rgb24", "-fps_mode", "vfr", "-"]
    raw = subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), *words], check=True, stdout=subprocess.PIPE).stdout
    width, height = shape
    video = np.frombuffer(raw, np.uint8).reshape(-1, height, width, 3)
    side = min(height, width)
    y, x = (height - side) // 2, (width - side) // 2
    clip = []
    for index in np.linspace(0, len(video), num=frames, endpoint=False, dtype=np.int32):
        square = Image.fromarray(video[index, y : y + side, x : x + side])
        clip.append(np.asarray(square.resize((size, size), Image.Resampling.LANCZOS)))
    return np.stack(clip)


NOISE: list[tuple[Any, int]] = [("noise", 7), ("red", 20), ("noise", 6)]


@pytest.mark.parametrize(
    ("name", "size", "options"),
    [
        ("wide.mp4", (64, 48), {"options": {"bf": "3"}}),
        ("tall.mp4", (48, 80), {}),
        ("odd.mkv", (63, 47), {"pix_fmt": "yuv444p"}),
        ("uneven.mkv", (66, 46), {"codec": "mpeg4"}),
        ("clip.avi", (64, 48), {"codec": "mpeg4"}),
        ("clip.webm", (64, 48), {"codec": "libvpx", "options": {"auto-alt-ref": "1", "lag-in-frames": "16"}}),
        ("clip.ts", (64, 48), {"options": {"bf": "2"}}),
        ("wide pixels.mp4", (64, 48), {"sample_aspect": 2}),
    ],
)
@pytest.mark.parametrize("frames", [16, 8])
def test_a_clip_is_what_the_published_protocol_reads(
    tmp_path: Path, name: str, size: tuple[int, int], options: dict[str, Any], frames: int
) -> None:
    path = make_video(tmp_path / name, NOISE, size=size, **options)
    clip = read_whole_clip(os.fspath(path), ClipSpec(frames, 36))
    expected = by_ffmpeg(path, frames, 36, size)
    assert clip.shape == (frames, 36, 36, 3)
    # Another FFmpeg may round a colour otherwise; a wrong frame, crop or filter is far off.
    assert np.abs(clip.astype(int) - expected).max() <= 2


def test_a_turned_video_is_cropped_as_shown(tmp_path: Path) -> None:
    path = make_video(tmp_path / "phone.mp4", [("halves", 20)], size=(96, 48), rotation=90)
    clip = read_whole_clip(os.fspath(path), ClipSpec(8, 24))
    assert np.abs(clip.astype(int) - by_ffmpeg(path, 8, 24, (48, 96))).max() <= 2


def test_a_video_shorter_than_a_clip_repeats_frames_and_a_single_frame_fills_it(tmp_path: Path) -> None:
    for count in (1, 5, 15, 16, 17):
        path = make_video(tmp_path / f"{count}.mp4", [("ramp", count)])
        clip = read_whole_clip(os.fspath(path), ClipSpec(16, 16))
        assert np.array_equal(clip, clip[list(range(16))])
        assert np.abs(clip.astype(int) - by_ffmpeg(path, 16, 16, (64, 48))).max() <= 2
        assert len(np.unique(clip.mean((1, 2, 3)).round())) == min(count, 16)


def test_indices_are_those_of_linspace_without_the_end() -> None:
    for frames in (1, 2, 4, 8, 16):
        for count in [*range(1, 400), 2999, 9000, 107_892]:
            expected = np.linspace(0, count, num=frames, endpoint=False, dtype=np.int32)
            assert sample_indices(count, frames) == expected.tolist()


def test_frames_are_counted_by_decoding_where_packets_tell_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_video(tmp_path / "clip.mp4", [("ramp", 30)])
    expected = read_whole_clip(os.fspath(path), ClipSpec(8, 16))
    for wrong in (0, 1, 29, 31, 5000):
        monkeypatch.setattr(whole_clip, "_packets", lambda path, wrong=wrong: wrong)
        assert np.array_equal(read_whole_clip(os.fspath(path), ClipSpec(8, 16)), expected)


def test_damage_in_the_middle_costs_frames_only(tmp_path: Path) -> None:
    path = make_video(tmp_path / "damaged.mkv", [("noise", 60)], options={"g": "5"})
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 3000] = bytes(3000)
    path.write_bytes(data)
    assert read_whole_clip(os.fspath(path), ClipSpec(16, 16)).shape == (16, 16, 16, 3)


def test_frames_in_memory_are_those_of_the_clip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make_video(tmp_path / "long.mp4", [("red", 300)])
    squares = []
    monkeypatch.setattr(whole_clip, "_square", lambda *rest: squares.append(1) or np.zeros((4, 4, 3), np.uint8))
    assert read_whole_clip(os.fspath(path), ClipSpec(16, 4)).shape == (16, 4, 4, 3)
    assert len(squares) == 16


def test_what_is_no_video_raises_one_sentence(tmp_path: Path) -> None:
    sound = make_audio(tmp_path / "sound.m4a")
    text = tmp_path / "text.mp4"
    text.write_text("no video")
    empty = tmp_path / "empty.mp4"
    empty.touch()
    for path in (sound, text, empty, tmp_path, tmp_path / "missing.mp4"):
        with pytest.raises(UnreadableVideo) as error:
            read_whole_clip(os.fspath(path), ClipSpec(8, 16))
        assert error.value.reason.endswith(".")
