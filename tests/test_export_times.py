"""What a clip says of its own times: start time code, time of recording, length, and a copy's early and late frames."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import av
import pytest
from numbered import constant, ffmpeg, shown, write
from tones import tones

from app.exporting import cut_copy
from app.exporting.clip_writer import write_clips
from app.exporting.lists import list_writer, write_clip_tables
from app.exporting.request import ClipRequest, ExportedClip, ExportMode
from app.exporting.source_facts import SourceFacts
from indexer.media.probe import open_source

MODES: tuple[ExportMode, ...] = ("exact", "smart", "copy")
RECORDED = "2024-05-06T07:08:09.000000Z"
H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-bf", "0", "-g", "10")
PRORES = ("-c:v", "prores_ks", "-profile:v", "0")


def cut(source: Path, mode: ExportMode, start: Fraction, end: Fraction) -> ExportedClip:
    asked = ClipRequest(path=str(source), start_seconds=start, end_seconds=end)
    (clip,) = write_clips([asked], source.parent / "clips", mode)
    assert clip.error is None
    return clip


def timecode_of(file: Path | None) -> str:
    with open_source(str(file)) as source:
        return source.timecode


@pytest.mark.parametrize("mode", MODES)
def test_clips_of_raw_dv_have_its_rate_and_time_code(mode: ExportMode, tmp_path: Path) -> None:
    # FFmpeg states 60,000 frames per second for raw DV, at which no container counts time code.
    size = ("-s", "720x480", "-pix_fmt", "yuv411p", "-c:v", "dvvideo")
    video = (*size, "-c:a", "pcm_s16le", "-ar", "48000", "-ac", "2", "-timecode", "11:22:59;20")
    source = tones(tmp_path / "tape.dv", [300], rate="30000/1001", seconds=1, video=video)
    facts = SourceFacts.of_file(str(source))
    assert facts is not None
    assert facts.frame_rate == Fraction(30000, 1001)
    assert not facts.varies
    clip = cut(source, mode, Fraction(10 * 1001, 30000), Fraction(20 * 1001, 30000))
    assert clip.note == (None if mode != "smart" else "10 of 10 frames copied as they are")
    assert timecode_of(clip.file) == "11:23:00;02"
    with av.open(str(clip.file)) as container:
        assert float(container.streams.video[0].average_rate or 0) == pytest.approx(29.97, abs=0.01)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("name", "rate", "stated", "first", "wanted"),
    [
        ("a.mov", "25", "10:00:00:00", 20, "10:00:00:20"),
        ("a.mp4", "25", "23:59:59:20", 20, "00:00:00:15"),
        ("a.mov", "30000/1001", "00:00:59;20", 10, "00:01:00;02"),
        ("a.mov", "30000/1001", "00:00:59:20", 10, "00:01:00:00"),
        ("a.mov", "60000/1001", "00:00:59;40", 20, "00:01:00;04"),
        ("a.mov", "24000/1001", "01:00:00:00", 30, "01:00:01:06"),
        ("a.mkv", "25", "10:00:00:00", 20, "10:00:00:20"),
        ("a.mxf", "25", "10:00:00:00", 20, "10:00:00:20"),
        ("prores.mov", "25", "10:00:00:00", 20, "10:00:00:20"),
    ],
)
def test_a_clip_begins_at_the_time_code_of_its_first_frame(
    name: str, rate: str, stated: str, first: int, wanted: str, mode: ExportMode, tmp_path: Path
) -> None:
    video = {"prores.mov": PRORES, "a.mxf": ("-c:v", "mpeg2video", "-g", "10", "-bf", "0")}.get(name, H264)
    sound = ("-c:a", "pcm_s16le" if name == "a.mxf" else "aac", "-metadata", f"timecode={stated}")
    sound += ("-metadata", f"creation_time={RECORDED}")
    source = tones(tmp_path / name, [300], rate=rate, seconds=2, video=video, more=sound)
    assert timecode_of(source) == stated
    step = 1 / Fraction(rate)
    clip = cut(source, mode, first * step, (first + 12) * step)
    assert clip.early_seconds == 0
    assert timecode_of(clip.file) == wanted
    with av.open(str(clip.file)) as container:
        assert len(container.streams.audio) == 1
        tags = {key.lower(): value for key, value in container.metadata.items()}
        assert name == "a.mxf" or tags["creation_time"] == RECORDED
    _, table = write_clip_tables([clip], list_writer(tmp_path, None, ""))
    (record,) = json.loads(table.read_text())["clips"]
    assert record["start_timecode"] == wanted
    assert record["start_frame"] == first, "frames still count from the first one"


def test_a_copy_that_begins_earlier_begins_at_an_earlier_time_code(tmp_path: Path) -> None:
    more = ("-c:a", "aac", "-metadata", "timecode=10:00:00:00")
    source = tones(tmp_path / "a.mkv", [300], seconds=2, video=H264, more=more)
    clip = cut(source, "copy", Fraction(25, 25), Fraction(35, 25))
    assert (clip.early_seconds, timecode_of(clip.file)) == (Fraction(1, 5), "10:00:00:20")


@pytest.mark.parametrize("name", ["a.mov", "a.mkv", "a.mxf"])
def test_a_copy_of_an_open_group_begins_with_its_key_frame_and_its_time_code(name: str, tmp_path: Path) -> None:
    """Frames that are shown before the key frame, and refer to frames before the clip, are left out."""
    open_gop = ("-bf", "2", "-x264-params", "open-gop=1:keyint=10:min-keyint=10:scenecut=0:b-adapt=0")
    video = ("-c:v", "mpeg2video", "-bf", "2", "-g", "12") if name == "a.mxf" else ("-c:v", "libx264", *open_gop)
    sound = ("-c:a", "pcm_s16le", "-metadata", "timecode=10:00:00:00")
    source = tones(tmp_path / name, [300], seconds=4, video=video, more=sound)
    clip = cut(source, "copy", Fraction(62, 25), Fraction(3))
    assert clip.start_seconds is not None
    begins = round((clip.start_seconds - clip.early_seconds) * 25)
    assert timecode_of(clip.file) == f"10:00:0{begins // 25}:{begins % 25:02}"
    with av.open(str(clip.file)) as container:
        stream = container.streams.video[0]
        packets = [packet.pts or 0 for packet in container.demux(stream) if packet.size]
    assert packets[0] == min(packets), "nothing is shown before the key frame"


def test_a_copy_that_begins_with_another_key_frame_than_expected_has_the_time_code_of_its_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = ("-c:a", "aac", "-metadata", "timecode=10:00:00:00")
    source = tones(tmp_path / "a.mkv", [300], seconds=2, video=H264, more=more)
    for expected in (None, 400):
        monkeypatch.setattr(cut_copy, "keyframe_before", lambda path, pts, expected=expected: expected)
        clip = cut(source, "copy", Fraction(24, 25), Fraction(36, 25))
        first = 24 - round(clip.early_seconds * 25)
        assert first in (10, 20)
        assert timecode_of(clip.file) == f"10:00:00:{first:02}"


def test_a_copy_into_another_container_does_not_keep_the_time_code_of_its_source(tmp_path: Path) -> None:
    """ProRes cannot be held by MP4, which the name asks for; in Matroska, the stream had it among its own tags."""
    video = ("-c:v", "prores_ks", "-profile:v", "0")
    tones(tmp_path / "a.mov", [300], seconds=2, video=video, more=("-c:a", "aac", "-metadata", "timecode=10:00:00:00"))
    source = (tmp_path / "a.mov").rename(tmp_path / "a.mp4")
    clip = cut(source, "copy", Fraction(4, 5), Fraction(6, 5))
    assert clip.file is not None
    assert (clip.file.suffix, timecode_of(clip.file)) == (".mkv", "10:00:00:20")


@pytest.mark.parametrize("mode", MODES)
def test_a_clip_of_a_source_without_time_code_has_none(mode: ExportMode, tmp_path: Path) -> None:
    source = tones(tmp_path / "a.mov", [300], seconds=2, video=H264, more=("-c:a", "aac"))
    clip = cut(source, mode, Fraction(1, 5), Fraction(1))
    assert timecode_of(clip.file) == ""
    with av.open(str(clip.file)) as container:
        assert [stream.type for stream in container.streams] == ["video", "audio"]
    odd = tones(
        tmp_path / "odd.mkv", [300], seconds=2, rate="12.5", video=H264, more=("-metadata", "timecode=10:00:00:00")
    )
    assert timecode_of(cut(odd, mode, Fraction(4, 5), Fraction(8, 5)).file) == "", "not the start of its source"


@pytest.mark.parametrize("mode", ["exact", "smart"])
@pytest.mark.parametrize("codec", ["libx264", "mpeg4", "mjpeg"])
def test_the_last_frame_lasts_to_the_end_of_the_range(codec: str, mode: ExportMode, tmp_path: Path) -> None:
    """A variable rate; frames of the encoder are reordered where it may, as by default."""
    times = [0, 40, 80, 90, 290, 300, 340, 700, 1000, 1040, 1080, 1500, 1510, 1550, 2250, 2300]
    pixels, options = ("yuvj420p", {"b": "3M"}) if codec == "mjpeg" else ("yuv420p", {"b": "2M"})
    source = write(
        tmp_path / "vfr.mkv",
        times,
        Fraction(1, 1000),
        codec=codec,
        pixels=pixels,
        options=options,
        sound="pcm_s16le",
        gop=3,
    )
    clip = cut(source, mode, Fraction(3, 10), Fraction(22, 10))
    found = shown(clip.file or "")
    assert [frame.number for frame in found] == list(range(5, 14))
    assert [round(frame.seconds * 1000) for frame in found] == [each - 300 for each in times[5:14]]
    with av.open(str(clip.file)) as container:
        video, sound = container.streams.video[0], container.streams.audio[0]
        assert container.duration == pytest.approx(1_900_000, abs=1000)
        for stream in (video, sound):
            assert float((stream.duration or 0) * stream.time_base) == pytest.approx(1.9, abs=0.001)
        packets = [packet for packet in container.demux(video) if packet.size]
        last = max(packets, key=lambda packet: packet.pts or 0)
        assert float(((last.pts or 0) + (last.duration or 0)) * video.time_base) == pytest.approx(1.9, abs=0.001)


def test_a_copy_that_ends_late_with_frames_missing_says_so(tmp_path: Path) -> None:
    options = {"x264-params": "bframes=3:b-adapt=0:keyint=20:min-keyint=20:scenecut=0"}
    source = write(tmp_path / "a.mp4", *constant(60, Fraction(25)), options=options)
    clip = cut(source, "copy", Fraction(20, 25), Fraction(34, 25))
    numbers = [frame.number for frame in shown(clip.file or "")]
    assert numbers[:14] == list(range(20, 34))
    missing = numbers[14:] != list(range(34, 34 + len(numbers) - 14))
    assert clip.late_seconds > 0
    assert clip.note == f"ends {float(clip.late_seconds):.3f} s later{', with frames missing there' if missing else ''}"
    assert missing
    plain = write(tmp_path / "b.mp4", *constant(60, Fraction(25)), options={"bf": "0"}, gop=20)
    whole = cut(plain, "copy", Fraction(20, 25), Fraction(40, 25))
    assert (whole.late_seconds, whole.note) == (0, None)


@pytest.mark.parametrize("name", ["a.mpg", "negative.mkv"])
def test_what_cannot_be_copied_is_said_with_the_mode_that_can(name: str, tmp_path: Path) -> None:
    source = tmp_path / name
    if name == "a.mpg":
        video = ("-c:v", "mpeg2video", "-g", "12", "-bf", "2", "-f", "mpeg")
        tones(source, [300], seconds=2, video=video, more=("-c:a", "mp2"))
    else:
        plain = tones(tmp_path / "a.mp4", seconds=2, video=H264)
        ffmpeg("-i", str(plain), "-c", "copy", "-f", "avi", str(tmp_path / "a.avi"))
        source = tmp_path / "a.h264"
        ffmpeg("-i", str(plain), "-c", "copy", str(source))
    asked = ClipRequest(path=str(source), start_seconds=Fraction(1, 2), end_seconds=Fraction(1))
    (clip,) = write_clips([asked], tmp_path / "clips", "copy")
    assert clip.error is not None
    assert clip.error.startswith("this file cannot be copied (")
    assert clip.error.endswith("use the exact mode")
    assert "0x" not in clip.error


def test_a_picture_that_is_too_small_is_said_in_words(tmp_path: Path) -> None:
    source = tmp_path / "one.mkv"
    ffmpeg("-f", "lavfi", "-i", "color=s=1x1:r=10:d=1", "-c:v", "ffv1", str(source))
    asked = ClipRequest(path=str(source), start_seconds=Fraction(1, 2), end_seconds=Fraction(1))
    (clip,) = write_clips([asked], tmp_path / "clips", "exact")
    assert clip.error == "its picture has a size that cannot be encoded"
