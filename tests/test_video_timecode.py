"""The start time code: read from where each container keeps it, and nothing made of what is none."""

from __future__ import annotations

import subprocess
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import imageio_ffmpeg
import pytest
from synthetic import make_video

from encoder import ClipSpec
from indexer.media.probe import open_source
from indexer.media.timecode import read_timecode
from indexer.settings import IndexSettings
from indexer.video_pass import VideoPass


class Streams(list[Any]):
    """Streams of a container, none of them of data."""

    data: tuple[Any, ...] = ()


def timecode_of(path: Path) -> str:
    video_pass = VideoPass(str(path), ClipSpec(2, 16), IndexSettings(), fingerprint="content")
    list(video_pass)
    return video_pass.video.timecode


def ffmpeg(path: Path, rate: str, *options: str) -> Path:
    source = f"testsrc=size=64x48:rate={rate}:duration=0.5"
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-f", "lavfi", "-i", source, *options, str(path)]
    subprocess.run(command, check=True)
    return path


@pytest.mark.parametrize(
    ("name", "rate", "options", "written", "read"),
    [
        ("a.mov", "25", (), "01:00:00:00", "01:00:00:00"),
        ("a.mp4", "25", (), "10:59:58:24", "10:59:58:24"),
        ("drop.mov", "30000/1001", (), "00:59:59;29", "00:59:59;29"),
        ("drop.mp4", "60000/1001", (), "01:00:00;58", "01:00:00;58"),
        ("a.mxf", "25", ("-c:v", "mpeg2video"), "02:03:04:05", "02:03:04:05"),
        ("a.mkv", "25", ("-metadata",), "timecode=03:04:05:06", "03:04:05:06"),
    ],
)
def test_what_ffmpeg_writes_is_read(
    tmp_path: Path, name: str, rate: str, options: tuple[str, ...], written: str, read: str
) -> None:
    options = (*options, written) if options == ("-metadata",) else (*options, "-timecode", written)
    assert timecode_of(ffmpeg(tmp_path / name, rate, *options)) == read


def mark_as_drop_frame(path: Path) -> None:
    """Set the flag of a timecode track's description: tmcd, 10 bytes, 4 reserved ones, flags, then frames a second."""
    content = bytearray(path.read_bytes())
    at = content.index(b"tmcd", content.index(b"stsd", content.index(b"gmhd")))
    assert content[at + 16 : at + 20] == bytes(4)
    content[at + 19] = 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("rate", "written", "read"),
    [
        ("30", "16:37:10:02", "16:38:10;00"),  # 1,794,902 frames, named in drop-frame
        ("60", "01:00:00:00", "01:00:03;36"),
        ("24", "16:37:10:02", "16:37:10:02"),
        ("24000/1001", "10:00:00:23", "10:00:00:23"),
        ("25", "23:59:59:24", "23:59:59:24"),
    ],
)
def test_a_drop_frame_flag_counts_where_frames_can_be_dropped_and_loses_no_timecode(
    tmp_path: Path, rate: str, written: str, read: str
) -> None:
    path = ffmpeg(tmp_path / "a.mov", rate, "-timecode", written)
    mark_as_drop_frame(path)
    assert timecode_of(path) == read


def test_a_timecode_track_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    path = ffmpeg(tmp_path / "a.mov", "24", "-timecode", "01:00:00:00")
    mark_as_drop_frame(path)
    with open_source(str(path)) as source:
        assert read_timecode(str(tmp_path / "gone.mov"), source.container, source.stream, Fraction(24)) == ""


def test_most_files_have_none(tmp_path: Path) -> None:
    assert timecode_of(make_video(tmp_path / "plain.mp4", [("red", 10)])) == ""


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("01:00:00;00", "01:00:00;00"),
        (" 01:00:00:00 ", "01:00:00:00"),
        ("01:00:00.02", "01:00:00;02"),
        ("23:59:59:119", "23:59:59:119"),
        ("24:00:00:00", ""),
        ("01:60:00:00", ""),
        ("1:00:00:00", ""),
        ("01:00:00", ""),
        ("01:00:00:00<script>", ""),
        ("\u0661\u0661:00:00:00", ""),
        ("", ""),
    ],
)
def test_only_what_is_a_time_code_counts(said: str, read: str) -> None:
    stream: Any = SimpleNamespace(index=0, metadata={"timecode": said})
    container: Any = SimpleNamespace(metadata={}, streams=Streams([stream]))
    assert read_timecode("", container, stream, Fraction(25)) == read


def test_the_pictures_count_before_the_container_and_that_before_other_streams() -> None:
    def streams(*said: str) -> list[Any]:
        return [SimpleNamespace(index=at, metadata={"timecode": each} if each else {}) for at, each in enumerate(said)]

    for own, whole, track, wanted in (
        ("01:00:00:01", "01:00:00:02", "01:00:00:03", "01:00:00:01"),
        ("bad", "01:00:00:02", "01:00:00:03", "01:00:00:02"),
        ("", "", "01:00:00:03", "01:00:00:03"),
    ):
        both = streams(own, track)
        container: Any = SimpleNamespace(metadata={"timecode": whole} if whole else {}, streams=Streams(both))
        assert read_timecode("", container, both[0], Fraction(25)) == wanted
