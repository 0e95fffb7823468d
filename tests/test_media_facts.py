"""Facts that headers state: reel, time of recording and sound tracks, from where each container keeps them."""

from __future__ import annotations

import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import imageio_ffmpeg
import pytest

from db.media_facts import AudioTrack, MediaFacts
from indexer.media.facts import _MAKE_KEYS, _MODEL_KEYS, _camera, _recorded_at, _reel, read_facts
from indexer.media.probe import open_source


def make(path: Path, *options: str, sounds: tuple[str, ...] = ()) -> Path:
    """A video of three frames with a sound track of each layout."""
    tones = [f"sine=d=0.2,aformat=channel_layouts={layout}" for layout in sounds]
    sources = ["testsrc=size=64x48:rate=25:duration=0.12", *tones]
    inputs = [word for source in sources for word in ("-f", "lavfi", "-i", source)]
    maps = [word for number in range(len(sources)) for word in ("-map", str(number))]
    subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *inputs, *maps, *options, str(path)], check=True)
    return path


def facts_of(path: Path) -> MediaFacts:
    with open_source(str(path)) as source:
        return read_facts(source)


@pytest.mark.parametrize(
    ("name", "options", "reel"),
    [
        ("a.mov", ("-timecode", "01:00:00:00", "-metadata:s:v", "reel_name=A001C002_R1ABC"), "A001C002_R1ABC"),
        ("a.mxf", ("-c:v", "mpeg2video", "-metadata", "reel_name=tape 7"), "tape 7"),
        ("a.mkv", ("-metadata", "TAPE=0042"), "0042"),
        ("b.mkv", ("-metadata:s:v", "REEL_NAME= B7 "), "B7"),
        ("a.mp4", (), ""),
    ],
)  # fmt: skip
def test_the_reel_is_read_where_a_container_keeps_it(
    name: str, options: tuple[str, ...], reel: str, tmp_path: Path
) -> None:
    assert facts_of(make(tmp_path / name, *options)).reel == reel


def test_every_sound_track_is_listed_in_order(tmp_path: Path) -> None:
    languages = ("-metadata:s:a:0", "language=eng", "-metadata:s:a:0", "title=Boom", "-metadata:s:a:2", "language=deu")
    path = make(tmp_path / "a.mkv", "-c:a", "flac", *languages, sounds=("mono", "stereo", "5.1"))
    assert facts_of(path).audio == (
        AudioTrack(codec="flac", channels=1, layout="mono", language="eng", title="Boom"),
        AudioTrack(codec="flac", channels=2, layout="stereo"),
        AudioTrack(codec="flac", channels=6, layout="5.1", language="deu"),
    )
    four = facts_of(make(tmp_path / "a.mxf", "-c:v", "mpeg2video", "-ar", "48000", sounds=("mono",) * 4)).audio
    assert [(track.codec, track.channels, track.layout) for track in four] == [("pcm_s16le", 1, "mono")] * 4
    unstated = make(tmp_path / "b.mkv", "-c:a", "pcm_s16le", sounds=("stereo",))
    assert facts_of(unstated).audio == (AudioTrack(codec="pcm_s16le", channels=2, layout=""),)
    sixteen = make(tmp_path / "c.mov", "-c:a", "pcm_s16le", "-ch_layout", "16 channels", sounds=("hexadecagonal",))
    assert [track.channels for track in facts_of(sixteen).audio] == [16]
    unnamed = facts_of(make(tmp_path / "c.mp4", "-metadata:s:a:0", "language=und", sounds=("stereo",))).audio
    assert unnamed == (AudioTrack(codec="aac", channels=2, layout="stereo"),)


def source(container: dict[str, str], video: dict[str, str], *others: dict[str, str]) -> Any:
    streams = [SimpleNamespace(index=at, metadata=metadata) for at, metadata in enumerate((video, *others))]
    return SimpleNamespace(container=SimpleNamespace(metadata=container, streams=streams), stream=streams[0])


@pytest.mark.parametrize(
    ("container", "video", "time"),
    [
        ({"creation_time": "2024-05-06T07:08:09.000000Z"}, {}, "2024-05-06T07:08:09.000000Z"),
        ({}, {"creation_time": "2024-05-06T07:08:09.000000Z"}, "2024-05-06T07:08:09.000000Z"),
        (
            {"creation_time": "2024-05-06T07:08:09Z", "com.apple.quicktime.creationdate": "2024-05-06T09:08:09+0200"},
            {},
            "2024-05-06T09:08:09+0200",
        ),
        ({"DATE_RECORDED": "2023-01-02 03:04:05", "creation_time": "2024-01-01T00:00:00Z"}, {}, "2023-01-02 03:04:05"),
        ({"creation_time": "1904-01-01T00:00:00.000000Z"}, {}, ""),
        ({"creation_time": "1970-01-01T00:00:00Z"}, {"creation_time": "2020-02-02T00:00:00Z"}, "2020-02-02T00:00:00Z"),
        ({"date": "2012"}, {}, ""),
        ({}, {}, ""),
    ],
)  # fmt: skip
def test_the_time_of_recording(container: dict[str, str], video: dict[str, str], time: str) -> None:
    assert _recorded_at(source(container, video)) == time


def test_the_video_states_its_reel_before_the_file_and_other_streams() -> None:
    assert _reel(source({"tape": "2"}, {"reel_name": "1"}, {"reel_name": "3"})) == "1"
    assert _reel(source({"tape": "2"}, {"reel_name": " "}, {"reel_name": "3"})) == "2"
    assert _reel(source({}, {}, {}, {"com.apple.proapps.reel": "3"})) == "3"


@pytest.mark.parametrize(
    ("name", "options", "camera"),
    [
        ("a.mov", ("-metadata", "make=Canon", "-metadata", "model=Canon EOS R5"), "Canon EOS R5"),
        (
            "a.mp4",
            ("-movflags", "use_metadata_tags", "-metadata", "com.apple.quicktime.lens.make=Other",
             "-metadata", "com.apple.quicktime.make=Apple", "-metadata", "com.apple.quicktime.model=iPhone 15 Pro"),
            "Apple iPhone 15 Pro",
        ),
        (
            "b.mp4",
            ("-movflags", "use_metadata_tags",
             "-metadata", "com.android.manufacturer=Google", "-metadata", "com.android.model=Pixel 9"),
            "Google Pixel 9",
        ),
        ("a.mkv", ("-metadata", "COM.APPLE.QUICKTIME.MODEL=iPhone 12"), "iPhone 12"),
        ("c.mp4", (), ""),
    ],
)  # fmt: skip
def test_the_camera_is_read_where_a_phone_or_a_program_keeps_it(
    name: str, options: tuple[str, ...], camera: str, tmp_path: Path
) -> None:
    assert facts_of(make(tmp_path / name, *options)).camera == camera


def test_a_camera_is_one_short_line() -> None:
    assert _camera(source({"make": " A\n\x0b B "}, {"make": "C"}), _MAKE_KEYS) == "A B"
    assert _camera(source({"lens_model": "50mm"}, {"model": "C"}), _MODEL_KEYS) == "C"
    assert len(_camera(source({"model": "x" * 10_000}, {}), _MODEL_KEYS)) == 100
