"""Markers in edit lists: at the frames of what is said, within the clip, in each format's own way."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from xml.etree import ElementTree

import pytest

from app.timelines.model import Marker, Timeline, TimelineClip
from app.timelines.placing import MOST_MARKERS
from app.timelines.writing import FORMATS, render_timeline

NTSC = Fraction(30000, 1001)
HOSTILE = 'a <b> & "q" ]]> \x07 {\\an8} =1+1\nsecond row ' + "x" * 300
CLIP = TimelineClip(
    name="",
    path="/films/a.mp4",
    start_seconds=Fraction(10),
    end_seconds=Fraction(20),
    video_seconds=Fraction(100),
    frame_rate=Fraction(25),
    timecode="01:00:00:00",
    has_audio=True,
    markers=(
        Marker(Fraction(10), Fraction("11.52"), "at the start"),
        Marker(Fraction("12.04"), Fraction("12.08"), HOSTILE),
        Marker(Fraction("19.99"), Fraction("20"), "at the end"),
    ),
)
FRAMES = [(250, 288), (301, 302), (499, 500)]


def render(form: str, *clips: TimelineClip) -> str:
    return render_timeline(Timeline(name="t", clips=clips or (CLIP,)), form, "t").content.decode("utf-8-sig")


def seconds(text: str) -> Fraction:
    return Fraction(text.removesuffix("s"))


def test_fcpxml_has_them_in_time_of_the_file() -> None:
    root = ElementTree.fromstring(render("fcpxml"))
    found = [
        (seconds(each.get("start", "")) * 25 - 90_000, seconds(each.get("duration", "")) * 25)
        for each in root.iter("marker")
    ]
    assert found == [(Fraction(first), Fraction(end - first)) for first, end in FRAMES]
    for clip in root.iter("asset-clip"):  # the order that the document type has
        order = [["note", "conform-rate", "marker"].index(each.tag) for each in clip]
        assert order == sorted(order)


def test_fcp7_has_them_in_frames_of_the_file_and_once() -> None:
    root = ElementTree.fromstring(render("fcp7"))
    markers = list(root.iter("marker"))
    assert [(int(each.findtext("in") or 0), int(each.findtext("out") or 0)) for each in markers] == FRAMES
    assert all(len(each.findtext("name") or "") <= 60 for each in markers)
    assert "second row" in (markers[1].findtext("comment") or "")


def test_otio_has_them_on_the_clip_of_the_video() -> None:
    otio = pytest.importorskip("opentimelineio")
    timeline = otio.adapters.read_from_string(render("otio"), "otio_json")
    (video,), (sound,) = timeline.video_tracks(), timeline.audio_tracks()
    found = [(each.marked_range.start_time.value, each.marked_range.duration.value) for each in video[0].markers]
    assert found == [(90_000 + first, end - first) for first, end in FRAMES]
    assert list(sound[0].markers) == []
    for marker in video[0].markers:
        assert video[0].source_range.contains(marker.marked_range.start_time)


def test_edl_has_them_as_comments_in_record_timecode() -> None:
    text = render("edl", replace(CLIP, markers=()), CLIP)
    locators = [line for line in text.split("\r\n") if line.startswith("* LOC: ")]
    assert [line[7:18] for line in locators] == ["00:00:10:00", "00:00:12:01", "00:00:19:24"]
    assert locators[0] == "* LOC: 00:00:10:00 WHITE   at the start"
    assert all(len(line) < 240 for line in locators)


def test_tables_have_the_texts() -> None:
    assert "at the start\na <b>" in render("csv")
    markers = json.loads(render("json"))["clips"][0]["markers"]
    assert markers[0] == {"start": "10", "end": "288/25", "text": "at the start"}


@pytest.mark.parametrize("form", FORMATS)
def test_no_text_breaks_a_list_and_none_is_missing_from_one(form: str) -> None:
    if form == "otio":
        pytest.importorskip("opentimelineio")
    texts = [render(form, replace(CLIP, markers=())), render(form)]
    assert all(each not in texts[0] and each in texts[1] for each in ("at the start", "at the end"))
    assert "\x07" not in texts[1] or form == "json"


def test_there_is_a_limit_and_it_is_said() -> None:
    many = tuple(Marker(Fraction(10), Fraction(11), str(number)) for number in range(MOST_MARKERS + 5))
    rendered = render_timeline(Timeline(name="t", clips=(replace(CLIP, markers=many),)), "fcp7", "t")
    assert rendered.content.count(b"<marker>") == MOST_MARKERS
    assert f"clip 1: only the first {MOST_MARKERS} markers were written" in rendered.notes


def test_markers_stay_within_a_clip_whatever_the_rates_are() -> None:
    clip = replace(CLIP, frame_rate=Fraction(25, 2), timecode="")
    other = replace(CLIP, frame_rate=NTSC, timecode="")
    root = ElementTree.fromstring(render("fcp7", clip, other))
    for item in root.iter("clipitem"):
        first, last = int(item.findtext("in") or 0), int(item.findtext("out") or 0)
        for marker in item.iter("marker"):
            assert first <= int(marker.findtext("in") or 0) < int(marker.findtext("out") or 0) <= last
