"""FCP7 XML read back by OpenTimelineIO's adapter, and its parts by ElementTree."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes
from xml.etree import ElementTree

import pytest
from timeline_samples import (
    HOSTILE,
    MONO,
    NTSC24,
    STARTS,
    STEREO,
    SURROUND,
    Known,
    cuts,
    known,
    several,
    timeline,
    variable,
    wanted,
)

from app.timelines.writing import WrittenList, write_timeline

otio = pytest.importorskip("opentimelineio", reason="OpenTimelineIO has no wheel for this system")


def write(folder: Path, clips: list[Known], **more: Any) -> tuple[WrittenList, ElementTree.Element, Any]:
    """What was written, as a tree, and as the adapter reads it."""
    written = write_timeline(timeline(clips, **more), "fcp7", folder, "selects")
    content = written.path.read_text(encoding="utf-8")
    assert content.startswith('<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE xmeml>\n<xmeml version="5">')
    return written, ElementTree.fromstring(content), otio.adapters.read_from_string(content, "fcp_xml")


@pytest.mark.parametrize(("rate", "timecode", "label"), STARTS)
@pytest.mark.parametrize("drop", [False, True])
def test_every_cut_reads_back_to_the_frame(
    rate: Fraction, timecode: str, label: int, drop: bool, tmp_path: Path
) -> None:
    clips = several(rate, timecode, label)
    _, root, read = write(tmp_path, clips, drop_frame=drop, start_timecode="01:00:00:00")
    video, *audio = read.tracks
    assert cuts(video) == wanted(clips)
    with_sound = [cut for cut, each in zip(wanted(clips), clips, strict=True) if each.clip.has_audio]
    assert [cuts(track) for track in audio] == [with_sound]  # the two halves of a stereo track are one to the adapter
    halves = [
        [[int(item.findtext(tag, "")) for tag in ("in", "out", "start")] for item in track.iterfind("clipitem")]
        for track in root.iterfind("sequence/media/audio/track")
    ]
    assert halves == [[[first - label, last - label, at] for first, last, at in with_sound]] * 2
    for clip, each in zip(video.find_clips(), clips, strict=True):
        assert clip.name == each.clip.name
        assert clip.source_range.start_time.rate == pytest.approx(float(rate), abs=1e-9)
        available = clip.media_reference.available_range
        assert (available.start_time.value, available.duration.value) == (label, 100_000)
        assert clip.media_reference.target_url == f"file://localhost{each.clip.path}"
    dropping = drop and round(rate) in (30, 60)
    hour = {30: 107_892, 60: 215_784}[round(rate)] if dropping else 3600 * round(rate)
    assert read.global_start_time.value == hour
    shown = root.find("sequence/timecode")
    assert shown is not None
    assert (shown.findtext("string"), shown.findtext("displayformat")) == (
        ("01:00:00;00", "DF") if dropping else ("01:00:00:00", "NDF")
    )
    of_files = {(file.findtext("string"), file.findtext("displayformat")) for file in root.iterfind(".//file/timecode")}
    assert of_files == {(timecode or "00:00:00:00", "DF" if ";" in timecode else "NDF")}


def test_the_numbers_in_the_file_are_those_of_the_page(tmp_path: Path) -> None:
    """in and out count from the file's first frame, whatever its timecode says."""
    clips = several(NTSC24, "01:00:00:00", 86_400)
    _, root, _ = write(tmp_path, clips)
    items = root.findall("sequence/media/video/track/clipitem")
    assert [(item.findtext("in"), item.findtext("out")) for item in items] == [
        (str(each.first), str(each.last)) for each in clips
    ]
    rates = {(rate.findtext("timebase"), rate.findtext("ntsc")) for rate in root.iter("rate")}
    assert rates == {("24", "TRUE")}
    assert root.findtext("sequence/duration") == str(sum(each.last - each.first for each in clips))


def test_picture_and_sound_are_linked_and_a_file_is_described_once(tmp_path: Path) -> None:
    clips = [
        known(5, 10, has_audio=True, note="first line\nsecond"),
        known(20, 30, path="/films/silent.mov"),
        known(50, 60, has_audio=True),
    ]
    _, root, _ = write(tmp_path, clips)
    ids = [item.get("id") for item in root.iter("clipitem")]
    assert len(ids) == len(set(ids)) == 7
    first = root.find("sequence/media/video/track/clipitem")
    assert first is not None
    linked = ["clipitem-1", "clipitem-1-a1", "clipitem-1-a2"]
    for item in root.iter("clipitem"):
        if item.get("id") in linked:
            assert [link.findtext("linkclipref") for link in item.iterfind("link")] == linked
            assert [link.findtext("mediatype") for link in item.iterfind("link")] == ["video", "audio", "audio"]
            assert [link.findtext("trackindex") for link in item.iterfind("link")] == ["1", "1", "2"]
    third = [link.findtext("clipindex") for link in root.iterfind(".//clipitem[@id='clipitem-3']/link")]
    assert third == ["3", "2", "2"]  # the third of the pictures, the second of those with sound
    assert first.findtext("marker/comment") == "first line\nsecond"
    assert [item.findtext("sourcetrack/trackindex") for item in root.iterfind(".//audio/track/clipitem")] == list(
        "1122"
    )
    described = [file.get("id") for file in root.iter("file") if len(file)]
    assert described == ["file-1", "file-2"]
    assert [file.get("id") for file in root.iter("file")] == ["file-1", "file-2", *["file-1"] * 5]
    silent = root.findall(".//file[@id='file-2']/media/*")
    assert [element.tag for element in silent] == ["video"]
    assert root.find(".//file[@id='file-1']/media/audio/channelcount") is not None


def test_channels_are_those_of_the_file(tmp_path: Path) -> None:
    """Mono stays mono, tracks stay tracks, and a link leads to the track and place that an item really has."""
    sounds = [(MONO,), (STEREO,), (MONO,) * 4, (SURROUND,), (), (STEREO, MONO), (MONO,)]
    clips = [
        known(0, 5, path=f"/films/{number}.mov", has_audio=bool(sound), audio=sound)
        for number, sound in enumerate(sounds)
    ]
    _, root, read = write(tmp_path, clips)
    stated = {
        file.get("id"): [int(audio.findtext("channelcount", "")) for audio in file.iterfind("media/audio")]
        for file in root.iter("file")
        if len(file)
    }
    assert list(stated.values()) == [[track.channels for track in sound] for sound in sounds]
    numbers = [
        int(each.text or "") for each in root.iterfind(".//file[@id='file-3']/media/audio/audiochannel/sourcechannel")
    ]
    assert numbers == [1, 2, 3, 4]
    assert [each.text for each in root.iterfind(".//file[@id='file-1']//channellabel")] == ["discrete"]
    assert [each.text for each in root.iterfind(".//file[@id='file-2']//channellabel")] == ["left", "right"]

    tracks = root.findall("sequence/media/audio/track")
    kinds = [(track.get("premiereTrackType"), track.get("totalExplodedTrackCount")) for track in tracks]
    mono, stereo = ("Mono", "1"), ("Stereo", "2")
    assert kinds == [mono, stereo, stereo, mono, mono, mono, *[(None, None)] * 6]
    assert [len(track.findall("clipitem")) for track in tracks] == [4, 2, 2, 1, 1, 1, *[1] * 6]
    assert [track.findtext("outputchannelindex") for track in tracks] == [*"1", *"12", *"111", *"123456"]
    assert root.findtext("sequence/media/audio/numOutputChannels") == "6"
    sixth = [
        (item.get("id"), item.findtext("sourcetrack/trackindex"))
        for track in tracks
        for item in track
        if str(item.get("id")).startswith("clipitem-6-")
    ]
    assert sixth == [("clipitem-6-a3", "3"), ("clipitem-6-a1", "1"), ("clipitem-6-a2", "2")]
    places = {
        str(item.get("id")): (medium, str(index), str(at))
        for medium in ("video", "audio")
        for index, track in enumerate(root.iterfind(f"sequence/media/{medium}/track"), 1)
        for at, item in enumerate(track.iterfind("clipitem"), 1)
    }
    for link in root.iter("link"):
        place = tuple(link.findtext(tag) for tag in ("mediatype", "trackindex", "clipindex"))
        assert places[link.findtext("linkclipref", "")] == place
    assert len(list(read.video_tracks()[0].find_clips())) == 7
    # Mono and discrete tracks are one each to the adapter, the two halves of the stereo track are one.
    assert [len(list(track.find_clips())) for track in read.audio_tracks()] == [4, 2, 1, 1, 1, *[1] * 6]


@pytest.mark.parametrize(
    ("order", "dominance"), [("tff", "upper"), ("bff", "lower"), ("progressive", "none"), ("", "none")]
)
def test_fields_are_stated(order: Any, dominance: str, tmp_path: Path) -> None:
    _, root, _ = write(tmp_path, [known(0, 5, field_order=order)])
    assert [each.text for each in root.iter("fielddominance")] == [dominance] * 2


def test_the_reel_is_that_of_the_file(tmp_path: Path) -> None:
    _, root, _ = write(tmp_path, [known(0, 5, reel="A001C002_240506_R1ABC"), known(0, 5, path="/films/b.mp4")])
    assert [each.findtext("reel/name") for each in root.iterfind(".//file/timecode")] == ["A001C002_240506_R1ABC", None]


def test_a_variable_rate_is_counted_at_the_usual_one_beside_it(tmp_path: Path) -> None:
    clips = variable()
    written, _, read = write(tmp_path, clips)
    assert cuts(read.tracks[0]) == wanted(clips)
    assert "varies" in written.notes[0]


def test_mixed_rates_keep_their_own_counts(tmp_path: Path) -> None:
    clips = [
        known(0, 50),
        known(50, 100, Fraction(50), timecode="01:00:00:00"),
        known(48, 72, NTSC24),
        known(5, 50, Fraction(25, 2)),  # counted as 25: every frame twice
    ]
    written, root, _ = write(tmp_path, clips)
    items = root.findall("sequence/media/video/track/clipitem")
    values = [[int(item.findtext(tag, "")) for tag in ("in", "out", "start", "end")] for item in items]
    assert values == [[0, 50, 0, 50], [50, 100, 50, 75], [48, 72, 75, 100], [10, 100, 100, 190]]
    rates = [(item.findtext("rate/timebase"), item.findtext("rate/ntsc")) for item in items]
    assert rates == [("25", "FALSE"), ("50", "FALSE"), ("24", "TRUE"), ("25", "FALSE")]
    assert "clips 2 and 3 another rate (50, 23.976)" in written.notes[0]


def test_hostile_names_and_notes_come_back_whole(tmp_path: Path) -> None:
    clips = [known(0, 5, path=path, note=f"]]> <note> & \x00{path}") for path in HOSTILE]
    written, root, _ = write(tmp_path, clips, name="<b>\n&\x07")
    assert root.findtext("sequence/name") == "<b> &"
    items = root.findall("sequence/media/video/track/clipitem")
    for item, path in zip(items, HOSTILE, strict=True):
        url = item.findtext("file/pathurl")
        assert url is not None
        assert url.isascii()
        if path.startswith("/"):
            assert unquote_to_bytes(url.removeprefix("file://localhost")) == path.encode(errors="surrogateescape")
        assert item.findtext("marker/comment", "").startswith("]]> <note> & ")
    assert root.findtext(".//file[@id='file-9']/pathurl") == "file://localhost/C:/Users/Zo%C3%AB/My%20Films/a%231.mov"
    assert root.findtext(".//file[@id='file-11']/pathurl") == "file://server/share%20name/take%201%25.mxf"
    assert "clip 5: the file's name is not UTF-8" in written.notes[-1]
