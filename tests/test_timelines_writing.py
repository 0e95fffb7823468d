"""Names and places of edit lists, file URLs, and the values that a timeline refuses."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path, PureWindowsPath
from urllib.parse import unquote_to_bytes, urlsplit
from xml.etree import ElementTree

import pytest
from timeline_samples import HOSTILE, known, several, timeline

from app.timelines.model import Timeline, TimelineClip
from app.timelines.placing import place_clips
from app.timelines.plain_text import file_name, file_url
from app.timelines.writing import FORMATS, write_timeline

otio = pytest.importorskip("opentimelineio", reason="OpenTimelineIO has no wheel for this system")


def test_the_formats_have_the_names_that_options_and_routes_use() -> None:
    assert {name: kind.suffix for name, kind in FORMATS.items()} == {
        "edl": ".edl", "fcpxml": ".fcpxml", "fcp7": ".xml", "otio": ".otio", "csv": ".csv", "json": ".json",
    }  # fmt: skip
    assert all(kind.label for kind in FORMATS.values())


@pytest.mark.parametrize("name", FORMATS)
def test_nothing_is_ever_overwritten_and_nothing_else_is_left(name: str, tmp_path: Path) -> None:
    suffix = FORMATS[name].suffix
    first = write_timeline(timeline([known(0, 5)]), name, tmp_path, "selects").path
    content = first.read_bytes()
    second = write_timeline(timeline([known(7, 9)]), name, str(tmp_path), "selects").path
    assert (first.name, second.name) == (f"selects{suffix}", f"selects_2{suffix}")
    assert first.read_bytes() == content != second.read_bytes()
    assert set(tmp_path.iterdir()) == {first, second}


@pytest.mark.parametrize("name", FORMATS)
def test_the_same_timeline_gives_the_same_bytes(name: str, tmp_path: Path) -> None:
    made = [write_timeline(timeline(several(Fraction(25))), name, tmp_path, "a").path.read_bytes() for _ in range(2)]
    assert made[0] == made[1]


@pytest.mark.parametrize("name", FORMATS)
def test_a_folder_that_is_not_there_is_an_error_of_the_system(name: str, tmp_path: Path) -> None:
    with pytest.raises(OSError):
        write_timeline(timeline([known(0, 5)]), name, tmp_path / "gone", "selects")


@pytest.mark.parametrize("stem", [*HOSTILE, "", "..", "../../etc/passwd", "CON", "nul.tar", "-rf", "ä" * 300, "a.b."])
def test_any_stem_becomes_a_name_in_the_folder(stem: str, tmp_path: Path) -> None:
    path = write_timeline(timeline([known(0, 5)]), "edl", tmp_path, stem).path
    assert path.parent == tmp_path
    assert path.is_file()
    assert len(os.fsencode(path.name)) <= 255
    assert not PureWindowsPath(path.name.replace(".edl", "")).is_reserved()
    assert not path.name.startswith("-")


def test_the_user_is_told_what_is_wrong(tmp_path: Path) -> None:
    one = timeline([known(0, 5)])
    with pytest.raises(ValueError, match="no list format 'aaf'; choose among edl, fcpxml"):
        write_timeline(one, "aaf", tmp_path, "a")
    with pytest.raises(ValueError, match="there is no clip"):
        Timeline(name="empty", clips=())
    with pytest.raises(ValueError, match="no timecode 00:00:00:25"):
        write_timeline(timeline([known(0, 5)], start_timecode="00:00:00:25"), "edl", tmp_path, "a")
    for start, end in ((1, 1), (-1, 1), (3, 2)):
        with pytest.raises(ValueError, match="end after it starts"):
            TimelineClip(
                name="", path="/a", start_seconds=Fraction(start), end_seconds=Fraction(end),
                video_seconds=Fraction(9), frame_rate=Fraction(25),
            )  # fmt: skip
    for rate in (0, -25):
        with pytest.raises(ValueError, match="a frame rate is positive"):
            TimelineClip(
                name="", path="/a", start_seconds=Fraction(0), end_seconds=Fraction(1),
                video_seconds=Fraction(9), frame_rate=Fraction(rate),
            )  # fmt: skip
    assert list(tmp_path.iterdir()) == []


def test_the_timeline_has_the_size_of_most_clips_whose_size_is_known() -> None:
    unknown = known(0, 5, width=0, height=0)
    small, large = known(0, 5, width=640, height=360), known(0, 5, width=3840, height=2160)
    for clips, size in (
        ([unknown, unknown, small, large, large], (3840, 2160)),
        ([unknown, known(0, 5, width=0, height=360), known(0, 5, width=640, height=0), small], (640, 360)),
        ([unknown], (1920, 1080)),
    ):
        placed = place_clips(timeline(clips))
        assert (placed.width, placed.height) == size


def test_a_range_that_begins_between_frames_is_noted(tmp_path: Path) -> None:
    between = TimelineClip(
        name="", path="/a", start_seconds=Fraction(5, 2) / 25, end_seconds=Fraction(1), video_seconds=Fraction(9),
        frame_rate=Fraction(25),
    )  # fmt: skip
    notes = [
        write_timeline(Timeline(name="", clips=(clip,)), "csv", tmp_path, "a").notes
        for clip in (between, known(1234, 1300).clip)
    ]
    assert ["a frame off" in " ".join(each) for each in notes] == [True, False]


@pytest.mark.parametrize(
    ("path", "url"),
    [
        ("/films/a.mp4", "file:///films/a.mp4"),
        ("/films/a b#c?d%41&e.mp4", "file:///films/a%20b%23c%3Fd%2541%26e.mp4"),
        ("/films/ä.mp4", "file:///films/%C3%A4.mp4"),
        ("/films/a\u0308.mp4", "file:///films/a%CC%88.mp4"),  # not composed: the name stays as the disk has it
        ("/films/\udcff\n.mp4", "file:///films/%FF%0A.mp4"),
        ("/films/back\\slash", "file:///films/back%5Cslash"),
        ("C:\\My Films\\ä;b.mov", "file:///C:/My%20Films/%C3%A4%3Bb.mov"),
        ("c:/x/y.mov", "file:///c:/x/y.mov"),
        ("\\\\server\\share\\a b.mov", "file://server/share/a%20b.mov"),
        ("\\\\?\\D:\\deep\\a.mov", "file:///D:/deep/a.mov"),
        ("\\\\?\\UNC\\nas\\raw\\a.mov", "file://nas/raw/a.mov"),
    ],
)
def test_urls_of_files(path: str, url: str) -> None:
    assert file_url(path) == url
    assert file_url(path, "localhost") == (url if url[7] != "/" else f"file://localhost{url[7:]}")


@pytest.mark.parametrize("path", HOSTILE)
def test_urls_are_plain_and_read_back_to_the_path(path: str) -> None:
    url = file_url(path)
    parts = urlsplit(url)
    assert url.isascii()
    assert (parts.scheme, parts.query, parts.fragment) == ("file", "", "")
    if path.startswith("/"):
        assert os.fsdecode(unquote_to_bytes(parts.path)) == path
    assert "/" not in file_name(path)
    assert unquote_to_bytes(parts.path.rpartition("/")[2]) == file_name(path).encode(errors="surrogateescape")


def test_a_path_that_is_not_absolute_becomes_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert file_url("a.mp4") == (tmp_path / "a.mp4").as_uri()


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_takes_two_thousand_clips(name: str, tmp_path: Path) -> None:
    path = write_timeline(timeline([known(k, k + 2, has_audio=True) for k in range(2_000)]), name, tmp_path, "a").path
    if path.suffix in (".xml", ".fcpxml"):
        tag = "asset-clip" if path.suffix == ".fcpxml" else "clipitem"
        assert len(list(ElementTree.parse(path).getroot().iter(tag))) in (2_000, 6_000)


def test_lists_are_cheap_to_have_at_hand() -> None:
    """The command line imports them for its --help."""
    code = "import sys, app.timelines.writing; print('opentimelineio' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "False"


@pytest.mark.parametrize("format", FORMATS)
def test_frames_are_counted_at_the_rate_that_the_file_states(format: str, tmp_path: Path) -> None:
    """Three frames of 3000 are missing: programs go on counting 30 a second, and so do we. Nothing varies."""
    clip = known(2700, 2760, Fraction(30)).clip
    dropped = replace(clip, frame_rate=Fraction(2997, 100), nominal_rate=Fraction(30))
    written = write_timeline(Timeline(name="x", clips=(dropped,)), format, tmp_path, "dropped")
    same = write_timeline(Timeline(name="x", clips=(clip,)), format, tmp_path, "same")
    content, wanted = (each.path.read_text().replace("2997/100", "30") for each in (written, same))
    assert content == wanted
    assert written.notes == ()


def test_a_rate_that_the_file_states_but_nobody_counts_at_is_noted(tmp_path: Path) -> None:
    clip = replace(known(0, 60).clip, nominal_rate=Fraction(247, 10))
    assert clip.rate == 25
    written = write_timeline(Timeline(name="x", clips=(clip,)), "edl", tmp_path, "x")
    assert "varies or is unusual" in written.notes[0]
    with pytest.raises(ValueError, match="a frame rate is positive"):
        replace(clip, nominal_rate=Fraction(0))


def test_timecode_begins_anew_after_24_hours_and_positions_go_on(tmp_path: Path) -> None:
    """A clip over midnight: labels begin anew, and what counts seconds or frames from the start of the file goes on."""
    clip = known(10, 60, timecode="23:59:59:00", path="/films/night.mov")
    content = {
        name: write_timeline(timeline([clip]), name, tmp_path, name).path.read_text("utf-8-sig") for name in FORMATS
    }
    assert " 23:59:59:10 00:00:01:10 " in content["edl"]
    assert ",23:59:59:10,00:00:01:10," in content["csv"]
    (row,) = json.loads(content["json"])["clips"]
    assert (row["start_timecode"], row["end_timecode"]) == ("23:59:59:10", "00:00:01:10")
    begin = (24 * 3600 - 1) * 25
    (asset,), (shown,) = (list(ElementTree.fromstring(content["fcpxml"]).iter(tag)) for tag in ("asset", "asset-clip"))
    assert (asset.get("start"), shown.get("start")) == (f"{begin}/25s", f"{begin + 10}/25s")
    item = ElementTree.fromstring(content["fcp7"]).find(".//clipitem")
    assert item is not None
    stated = [item.findtext(tag) for tag in ("in", "out", "file/timecode/string", "file/timecode/frame")]
    assert stated == ["10", "60", "23:59:59:00", str(begin)]
    (read,) = otio.adapters.read_from_string(content["otio"], "otio_json").find_clips()
    assert read.media_reference.available_range.contains(read.source_range)
    assert (read.source_range.start_time.value, read.source_range.duration.value) == (begin + 10, 50)


def test_a_range_between_two_frames_is_noted_without_blaming_the_rate(tmp_path: Path) -> None:
    clip = known(285, 300, Fraction(60)).clip
    whole = replace(clip, frame_rate=Fraction(30), nominal_rate=Fraction(30))
    written = write_timeline(Timeline(name="x", clips=(whole,)), "edl", tmp_path, "x")
    assert written.notes == ("clip 1: the range begins between two frames; the list has the nearest one",)
    unknown = replace(whole, nominal_rate=None)  # then the rate may as well vary
    written = write_timeline(Timeline(name="x", clips=(unknown,)), "edl", tmp_path, "x")
    assert "varies or is unusual" in written.notes[0]
