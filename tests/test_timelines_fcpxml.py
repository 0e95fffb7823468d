"""FCPXML read back by a small exact reader made from the format's description, and by OpenTimelineIO's adapter."""

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
    NTSC30,
    STARTS,
    STEREO,
    Known,
    known,
    several,
    timeline,
    variable,
    wanted,
)

from app.timelines.plain_text import file_url
from app.timelines.writing import WrittenList, write_timeline

otio = pytest.importorskip("opentimelineio", reason="OpenTimelineIO has no wheel for this system")

# Children in their order, and attributes, of the elements in use: as the 1.10 document type has them.
CHILDREN = {
    "fcpxml": ["resources", "library"],
    "library": ["event"],
    "event": ["project"],
    "project": ["sequence"],
    "sequence": ["note", "spine", "metadata"],
    "asset": ["media-rep", "metadata"],
    "metadata": ["md"],
    "asset-clip": ["note", "conform-rate", "marker", "metadata"],
}
ATTRIBUTES = {
    "fcpxml": {"version"},
    "event": {"name", "uid"},
    "project": {"name", "uid", "id", "modDate"},
    "format": {"id", "name", "frameDuration", "fieldOrder", "width", "height", "colorSpace"},
    "asset": {
        "id", "name", "uid", "start", "duration", "hasVideo", "format", "hasAudio", "videoSources", "audioSources",
        "audioChannels", "audioRate",
    },
    "media-rep": {"kind", "src", "sig", "suggestedFilename"},
    "md": {"key", "value", "editable", "type", "displayName", "description", "source"},
    "sequence": {"format", "duration", "tcStart", "tcFormat", "audioLayout", "audioRate"},
    "asset-clip": {
        "ref", "lane", "offset", "name", "start", "duration", "enabled", "srcEnable", "format", "tcStart", "tcFormat",
        "audioRole", "videoRole",
    },
    "conform-rate": {"scaleEnabled", "srcFrameRate", "frameSampling"},
}  # fmt: skip
REQUIRED = {"asset-clip": {"ref"}, "media-rep": {"src"}, "sequence": {"format"}, "asset": {"id"}, "format": {"id"}}


def write(folder: Path, clips: list[Known], **more: Any) -> tuple[WrittenList, ElementTree.Element]:
    written = write_timeline(timeline(clips, **more), "fcpxml", folder, "selects")
    content = written.path.read_bytes()
    assert content.startswith(b'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE fcpxml>\n')
    root = ElementTree.fromstring(content)
    check_structure(root)
    return written, root


def check_structure(root: ElementTree.Element) -> None:
    assert root.get("version") == "1.10"
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    for element in root.iter():
        tags = [child.tag for child in element]
        if element.tag in CHILDREN:
            assert tags == sorted(tags, key=CHILDREN[element.tag].index)
        elif element.tag == "resources":
            assert set(tags) <= {"asset", "format"}
        elif element.tag == "spine":
            assert set(tags) <= {"asset-clip"}
        else:
            assert tags == []
        assert set(element.attrib) <= ATTRIBUTES.get(element.tag, set())
        assert set(element.attrib) >= REQUIRED.get(element.tag, set())
        for name in ("ref", "format"):
            assert element.get(name, ids[0]) in ids


def seconds(text: str | None) -> Fraction:
    assert text is not None
    assert text.endswith("s")
    return Fraction(text[:-1])


def whole(value: Fraction) -> int:
    assert value.denominator == 1, f"{value} is no whole frame"
    return int(value)


class Reader:
    """The cuts as (first, one past the last, place), frames of the file from its timecode's zero; times stay exact."""

    def __init__(self, root: ElementTree.Element) -> None:
        self.resources = {element.get("id"): element for element in root.iterfind("resources/*")}
        sequence = root.find("library/event/project/sequence")
        assert sequence is not None
        self.sequence = sequence
        self.frame = self.frame_of(sequence)
        self.start = seconds(sequence.get("tcStart"))
        self.clips = root.findall("library/event/project/sequence/spine/asset-clip")

    def frame_of(self, element: ElementTree.Element) -> Fraction:
        return seconds(self.resources[element.get("format")].get("frameDuration"))

    def asset(self, clip: ElementTree.Element) -> ElementTree.Element:
        return self.resources[clip.get("ref")]

    def cuts(self) -> list[tuple[int, int, int]]:
        cuts, at = [], 0
        for clip in self.clips:
            frame = self.frame_of(clip)
            asset = self.asset(clip)
            assert self.frame_of(asset) == frame
            first = whole(seconds(clip.get("start")) / frame)
            length = whole(seconds(clip.get("duration")) / self.frame)
            place = whole((seconds(clip.get("offset")) - self.start) / self.frame)
            assert place == at
            at += length
            last = first + (length if frame == self.frame else round(length * self.frame / frame))
            begin = whole(seconds(asset.get("start")) / frame)
            assert begin <= first < last <= begin + whole(seconds(asset.get("duration")) / frame)
            cuts.append((first, last, place))
        assert whole(seconds(self.sequence.get("duration")) / self.frame) == at
        return cuts


@pytest.mark.parametrize(("rate", "timecode", "label"), STARTS)
@pytest.mark.parametrize("drop", [False, True])
def test_every_cut_reads_back_to_the_frame(
    rate: Fraction, timecode: str, label: int, drop: bool, tmp_path: Path
) -> None:
    clips = several(rate, timecode, label)
    _, root = write(tmp_path, clips, drop_frame=drop, start_timecode="01:00:00:00")
    reader = Reader(root)
    assert reader.frame == 1 / rate
    assert reader.cuts() == wanted(clips)
    dropping = drop and round(rate) in (30, 60)
    assert reader.sequence.get("tcFormat") == ("DF" if dropping else "NDF")
    assert {clip.get("tcFormat") for clip in reader.clips} == {"DF" if ";" in timecode else "NDF"}
    hour = {30: 107_892, 60: 215_784}[round(rate)] if dropping else 3600 * round(rate)
    assert reader.start == hour / rate
    assert len([element for element in reader.resources.values() if element.tag == "asset"]) == 3
    for clip, each in zip(reader.clips, clips, strict=True):
        asset = reader.asset(clip)
        assert asset[0].get("src") == file_url(each.clip.path)
        assert (asset.get("hasAudio") == "1") == each.clip.has_audio
        assert clip.find("conform-rate") is None


@pytest.mark.parametrize("rate", [Fraction(25), Fraction(50), Fraction(60), Fraction(24)])
def test_opentimelineio_sees_the_same_cuts_at_whole_rates(rate: Fraction, tmp_path: Path) -> None:
    """Its adapter cuts 29.97 to 29 and truncates floating-point products, which can cost one frame."""
    clips = several(rate)
    written, _ = write(tmp_path, clips)
    tracks = otio.adapters.read_from_string(written.path.read_text(encoding="utf-8"), "fcpx_xml")[0].tracks
    found = list(tracks.find_clips())
    assert [clip.name for clip in found] == [each.clip.name for each in clips]
    for clip, each in zip(found, clips, strict=True):
        assert each.first - clip.source_range.start_time.value in (0, 1)
        assert each.last - each.first - clip.source_range.duration.value in (0, 1)


def test_a_variable_rate_is_counted_at_the_usual_one_beside_it(tmp_path: Path) -> None:
    clips = variable()
    written, root = write(tmp_path, clips)
    assert Reader(root).cuts() == wanted(clips)
    assert "varies" in written.notes[0]


def test_every_rate_that_can_be_conformed_is_named(tmp_path: Path) -> None:
    names = ["23.98", "24", "25", "29.97", "30", "47.95", "48", "50", "59.94", "60"]
    rates = [Fraction(round(float(name))) * (Fraction(1000, 1001) if "." in name else 1) for name in names]
    _, root = write(tmp_path, [known(0, 10, rate) for rate in rates], frame_rate=Fraction(90))
    assert [each.get("srcFrameRate") for each in root.iter("conform-rate")] == names


def test_mixed_rates_are_conformed_by_time(tmp_path: Path) -> None:
    clips = [
        known(0, 50),
        known(50, 100, Fraction(50), timecode="01:00:00:00", label=180_000),
        known(48, 72, NTSC24, width=1280, height=720),
        known(5, 50),
    ]
    written, root = write(tmp_path, clips)
    reader = Reader(root)
    assert reader.cuts() == [(0, 50, 0), (180_050, 180_100, 50), (48, 72, 75), (5, 50, 100)]
    conformed = [clip.find("conform-rate") for clip in reader.clips]
    assert [None if each is None else each.attrib for each in conformed] == [
        None,
        {"scaleEnabled": "0", "srcFrameRate": "50"},
        {"scaleEnabled": "0", "srcFrameRate": "23.98"},
        None,
    ]
    assert "clips 2 and 3 another rate (50, 23.976)" in written.notes[0]
    names = [element.get("name") for element in reader.resources.values() if element.tag == "format"]
    assert names == ["FFVideoFormat1080p25", "FFVideoFormat1080p50", "FFVideoFormat720p2398"]


@pytest.mark.parametrize(
    ("rate", "size", "order", "name", "fields"),
    [
        (Fraction(25), (1920, 1080), "tff", "FFVideoFormat1080i50", "upper first"),
        (NTSC30, (1920, 1080), "tff", "FFVideoFormat1080i5994", "upper first"),
        (Fraction(30), (1920, 1080), "tff", "FFVideoFormat1080i60", "upper first"),
        (Fraction(25), (1920, 1080), "bff", None, "lower first"),
        (Fraction(25), (1024, 576), "tff", None, "upper first"),
        (Fraction(24), (1920, 1080), "tff", None, "upper first"),
        (Fraction(25), (1920, 1080), "progressive", "FFVideoFormat1080p25", None),
        (Fraction(25), (1080, 1920), "", None, None),
    ],
)
def test_fields_are_stated_and_named_where_final_cut_has_a_name(
    rate: Fraction, size: tuple[int, int], order: Any, name: str | None, fields: str | None, tmp_path: Path
) -> None:
    width, height = size
    _, root = write(tmp_path, [known(0, 5, rate, width=width, height=height, field_order=order)])
    (found,) = root.iterfind("resources/format")
    assert (found.get("name"), found.get("fieldOrder")) == (name, fields)
    assert (found.get("width"), found.get("height")) == (str(width), str(height))


def test_a_file_without_square_pixels_is_of_no_named_format(tmp_path: Path) -> None:
    """HDV stores 1440 pixels a line for the 1920 that are shown."""
    _, root = write(tmp_path, [known(0, 5), known(0, 5, path="/films/hdv.mxf", field_order="tff", square_pixels=False)])
    formats = [(each.get("name"), each.get("width")) for each in root.iterfind("resources/format")]
    assert formats == [("FFVideoFormat1080p25", "1920"), (None, "1920")]


def test_the_reel_is_that_of_the_file(tmp_path: Path) -> None:
    _, root = write(
        tmp_path, [known(0, 5, reel="A001C002_R1"), known(0, 5, path="/films/b.mov"), known(9, 12, reel="A001C002_R1")]
    )
    found = [[md.attrib for md in asset.iter("md")] for asset in root.iterfind("resources/asset")]
    assert found == [[{"key": "com.apple.proapps.studio.reel", "value": "A001C002_R1"}], []]


def test_sound_is_stated_by_tracks_and_channels(tmp_path: Path) -> None:
    sounds = [(), (MONO,), (MONO,) * 4, (STEREO, MONO)]
    clips = [
        known(0, 5, path=f"/films/{number}.mov", has_audio=bool(sound), audio=sound)
        for number, sound in enumerate(sounds)
    ]
    _, root = write(tmp_path, clips)
    stated = [(asset.get("audioSources"), asset.get("audioChannels")) for asset in root.iterfind("resources/asset")]
    assert stated == [(None, None), ("1", "1"), ("4", "4"), ("2", "3")]


def test_hostile_names_and_notes_come_back_whole(tmp_path: Path) -> None:
    note = '<note> & "quotes" ]]>\x00\x1b\nsecond line \udcff\ufffe'
    clips = [known(0, 5, path=path, note=note) for path in HOSTILE]
    written, root = write(tmp_path, clips, name="a\n<b> &\x07")
    reader = Reader(root)
    assert [clip.findtext("note") for clip in reader.clips] == ['<note> & "quotes" ]]>\nsecond line \ufffd'] * len(
        clips
    )
    for clip, path in zip(reader.clips, HOSTILE, strict=True):
        source = reader.asset(clip)[0].get("src")
        assert source is not None
        assert source.isascii()
        if path.startswith("/"):
            assert unquote_to_bytes(source.removeprefix("file://")) == path.encode(errors="surrogateescape")
    project = root.find("library/event/project")
    assert project is not None
    assert project.get("name") == "a <b> &"
    assert "clip 5: the file's name is not UTF-8" in written.notes[-1]


def test_what_is_not_known_is_not_said(tmp_path: Path) -> None:
    _, root = write(tmp_path, [known(0, 5, Fraction(120), width=0, height=0, video_seconds=Fraction(0))])
    reader = Reader(root)
    clip_format = reader.resources[reader.clips[0].get("format")]
    assert clip_format.attrib == {"id": "r2", "frameDuration": "1/120s"}
    assert reader.resources[reader.sequence.get("format")].get("width") == "1920"
    assert reader.asset(reader.clips[0]).get("duration") == "5/120s"
