"""EDLs read back by OpenTimelineIO's CMX3600 adapter, and line by line."""

from __future__ import annotations

import re
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from timeline_samples import (
    HOSTILE,
    MONO,
    NTSC24,
    NTSC30,
    NTSC60,
    STARTS,
    STEREO,
    SURROUND,
    Known,
    cuts,
    known,
    rate_of_opentimelineio,
    several,
    timeline,
    variable,
    wanted,
)

from app.timelines.writing import WrittenList, write_timeline

otio = pytest.importorskip("opentimelineio", reason="OpenTimelineIO has no wheel for this system")

EVENT = re.compile(r"(\d+)  [A-Z0-9_]{1,8} +(\S+) +C        (\S+) (\S+) (\S+) (\S+)")


def write(folder: Path, clips: list[Known], **more: Any) -> tuple[WrittenList, str]:
    written = write_timeline(timeline(clips, **more), "edl", folder, "selects")
    content = written.path.read_bytes()
    assert content.count(b"\r\n") == content.count(b"\n")
    return written, content.decode()


def read(text: str, rate: Fraction) -> list[tuple[float, float, float]]:
    """What the adapter finds on the video track: first frame and one past the last in the file, then the place."""
    found = otio.adapters.read_from_string(text, "cmx_3600", rate=rate_of_opentimelineio(rate, text))
    track = next(track for track in found.tracks if track.name == "V")
    return cuts(track)


@pytest.mark.parametrize(("rate", "timecode", "label"), STARTS)
@pytest.mark.parametrize("drop", [False, True])
def test_every_cut_reads_back_to_the_frame(
    rate: Fraction, timecode: str, label: int, drop: bool, tmp_path: Path
) -> None:
    clips = several(rate, timecode, label)
    written, text = write(tmp_path, clips, drop_frame=drop)
    assert read(text, rate) == wanted(clips)
    dropping = drop and round(rate) in (30, 60)
    assert f"\r\nFCM: {'DROP FRAME' if dropping else 'NON-DROP FRAME'}\r\n" in text
    assert any("no drop-frame" in note for note in written.notes) == (drop and not dropping)
    for _, channels, start, end, first, last in EVENT.findall(text):
        assert (";" in start, ";" in end) == (";" in timecode, ";" in timecode)
        assert (";" in first, ";" in last) == (dropping, dropping)
        assert channels in ("V", "AA/V")
    assert [row[1] for row in EVENT.findall(text)] == ["AA/V" if each.clip.has_audio else "V" for each in clips]


def test_the_lines_themselves(tmp_path: Path) -> None:
    clips = [
        known(48, 73, timecode="01:00:00:00", name="Anna laughs", note="best one\n\nmind the boom", has_audio=True),
        known(0, 1, path="/films/b.mov"),
    ]
    written, text = write(tmp_path, clips, start_timecode="01:00:00:00")
    assert written.notes == ()
    assert written.path.name == "selects.edl"
    assert text.splitlines() == [
        "TITLE: Selects",
        "FCM: NON-DROP FRAME",
        "",
        "001  A        AA/V  C        01:00:01:23 01:00:02:23 01:00:00:00 01:00:01:00",
        "* FROM CLIP NAME: a.mp4",
        "* SOURCE FILE: /films/a.mp4",
        "* OTIO REFERENCE FROM: file:///films/a.mp4",
        "* COMMENT: Anna laughs",
        "* COMMENT: best one",
        "* COMMENT: mind the boom",
        "",
        "002  B        V     C        00:00:00:00 00:00:00:01 01:00:01:00 01:00:01:01",
        "* FROM CLIP NAME: b.mov",
        "* SOURCE FILE: /films/b.mov",
        "* OTIO REFERENCE FROM: file:///films/b.mov",
        "",
        "* REEL A IS: /films/a.mp4",
        "* REEL B IS: /films/b.mov",
    ]


def test_a_variable_rate_is_counted_at_the_usual_one_beside_it(tmp_path: Path) -> None:
    clips = variable()
    written, text = write(tmp_path, clips)
    assert read(text, NTSC30) == wanted(clips)
    assert len(written.notes) == 1
    assert written.notes[0].startswith("all clips: the frame rate of the file varies")


def test_mixed_rates_keep_the_clock_of_each_file_and_say_so(tmp_path: Path) -> None:
    clips = [
        known(0, 50),
        known(50, 100, Fraction(50), timecode="01:00:00:00"),  # from 1 s to 2 s
        known(48, 72, NTSC24, timecode="02:00:00:00"),
        known(29, 59, NTSC30, timecode="00:01:00;02"),
        known(25, 50),
    ]
    written, text = write(tmp_path, clips)
    rows = EVENT.findall(text)
    assert [row[2:4] for row in rows] == [
        ("00:00:00:00", "00:00:02:00"),
        ("01:00:01:00", "01:00:02:00"),
        ("02:00:02:00", "02:00:03:00"),
        ("00:01:01:01", "00:01:02:01"),  # 00:01:01;01 at 30
        ("00:00:01:00", "00:00:02:00"),
    ]
    assert len(read(text, Fraction(25))) == 5  # the adapter refuses events whose two lengths differ
    assert (
        "the timeline has 25 frames per second, clips 2, 3 and 4 another rate (50, 23.976, 29.97)" in written.notes[0]
    )
    assert "clips 2, 3 and 4 keeps its hours" in written.notes[1]
    written, text = write(tmp_path, clips, frame_rate=NTSC60, drop_frame=True)
    assert EVENT.findall(text)[3][2:4] == ("00:01:01;02", "00:01:02;02")
    assert len(read(text, NTSC60)) == 5


def test_a_frame_that_rounds_up_to_a_second_becomes_one(tmp_path: Path) -> None:
    clips = [known(0, 24, Fraction(24)), known(49, 60, Fraction(50)), known(0, 24, Fraction(24))]
    _, text = write(tmp_path, clips)
    assert EVENT.findall(text)[1][2] == "00:00:01:00"  # frame 49 of 50 is 23.52 of 24


def test_hostile_names_stay_on_their_lines(tmp_path: Path) -> None:
    clips = [known(0, 5, path=path, name=path, note=f"001  AX V C\r\n{path}") for path in HOSTILE]
    _, text = write(tmp_path, clips, name="evil\nFCM: DROP FRAME\u2028001")
    assert len(read(text, Fraction(25))) == len(HOSTILE)
    lines = text.split("\r\n")
    assert lines[0] == "TITLE: evil FCM: DROP FRAME 001"
    assert all(line == "" or line[:2] == "* " or EVENT.fullmatch(line) for line in lines[2:])
    assert len(reels(text)) == len(HOSTILE)
    sources = [line.removeprefix("* SOURCE FILE: ") for line in lines if line.startswith("* SOURCE FILE: ")]
    assert sources[0] == HOSTILE[0]
    assert sources[1] == HOSTILE[1]
    assert sources[3] == "file:///films/line%0Abreak%0D%0Aand%09tab%01%1B%5B31m.mp4"
    assert sources[4] == "file:///films/not%20utf-8%20%FF%E9.mp4"


def reels(text: str) -> dict[str, str]:
    """The table at the end: paths by reel."""
    return dict(re.findall(r"^\* REEL (\S+) IS: (.*?)\r$", text, re.MULTILINE))


def test_sources_of_one_name_have_reels_of_their_own_with_a_table_and_a_note(tmp_path: Path) -> None:
    clips = [known(at, at + 5, path=path) for at, path in enumerate(("/a/C0001.mp4", "/b/C0001.mp4", "/a/C0001.mp4"))]
    written, text = write(tmp_path, clips)
    assert [line[5:13].rstrip() for line in text.split("\r\n") if EVENT.match(line)] == ["C0001", "C0001_2", "C0001"]
    assert reels(text) == {"C0001": "/a/C0001.mp4", "C0001_2": "/b/C0001.mp4"}
    assert written.notes == (
        "sources that share a reel name in an EDL (C0001) are numbered; comments at its end say which is which",
    )
    found = otio.adapters.read_from_string(text, "cmx_3600", rate=25).tracks[0]
    assert [clip.media_reference.target_url for clip in found.find_clips()] == [
        "file:///a/C0001.mp4", "file:///b/C0001.mp4", "file:///a/C0001.mp4"
    ]  # fmt: skip
    assert [clip.metadata["cmx_3600"]["reel"] for clip in found.find_clips()] == ["C0001", "C0001_2", "C0001"]


@pytest.mark.parametrize(
    ("path", "stated", "reel"),
    [
        ("/films/A001.mov", "", "A001"),
        ("/films/x.mov", "A001C002_240506_R1ABC", "A001C002"),
        ("/films/x.mov", " tape 7/b ", "TAPE_7_B"),
        ("/films/my holiday.film.mp4", "", "MY_HOLID"),
        ("/films/Märchen.mp4", "", "MARCHEN"),
        ("/films/日本語.mp4", "", "CLIP"),
        ("/films/日本語.mp4", "--", "CLIP"),
        ("/films/bl.mp4", "", "BL_2"),  # BL means black
        ("/films/AX", "", "AX_2"),
        ("/films/.mov", "", "CLIP"),
        ("C:\\shots\\take 2.mxf", "", "TAKE_2"),
    ],
)
def test_a_reel_is_named_after_the_tape_or_the_file(path: str, stated: str, reel: str, tmp_path: Path) -> None:
    _, text = write(tmp_path, [known(0, 5, path=path, reel=stated)])
    assert list(reels(text)) == [reel]


def test_reels_are_unique_however_many_there_are(tmp_path: Path) -> None:
    paths = [f"/{number}/long recording.mp4" for number in range(120)] + ["/x/LONG_R_7.mp4"]
    _, text = write(tmp_path, [known(0, 5, path=path) for path in paths])
    assert list(reels(text).values()) == paths
    assert all(re.fullmatch("[A-Z0-9_]{1,8}", reel) for reel in reels(text))
    assert list(reels(text))[:2] == ["LONG_REC", "LONG_R_2"]


def test_an_event_has_as_many_channels_as_its_file(tmp_path: Path) -> None:
    sounds = [(), (MONO,), (STEREO,), (MONO, STEREO), (MONO,) * 4, (SURROUND,)]
    written, text = write(tmp_path, [known(0, 5, has_audio=bool(sound), audio=sound) for sound in sounds])
    lines = text.split("\r\n")
    found = [(line[14:19].rstrip(), below) for line, below in pairwise(lines) if EVENT.match(line)]
    assert [channels for channels, _ in found] == ["V", "B", "AA/V", "AA/V", "AA/V", "AA/V"]
    more = [below if below.startswith("AUD") else "" for _, below in found]
    assert more == ["", "", "", "AUD  3", "AUD  3    4", "AUD  3    4"]
    assert written.notes == ("an EDL names 4 sound channels at most: clip 6 has more",)
    tracks = otio.adapters.read_from_string(text, "cmx_3600", rate=25).tracks
    assert [len(list(track.find_clips())) for track in tracks] == [6, 5, 4]  # V, A1, A2: the adapter leaves AUD out


def test_more_than_999_events_are_written_and_noted(tmp_path: Path) -> None:
    written, text = write(tmp_path, [known(k, k + 2) for k in range(1001)])
    assert len(read(text, Fraction(25))) == 1001
    assert any("999 events and this one has 1001" in note for note in written.notes)


def test_only_the_end_of_the_last_clip_can_be_past_midnight(tmp_path: Path) -> None:
    for lengths, past in (((20, 25), True), ((20, 5), False)):
        clips = [known(0, length) for length in lengths]
        written, _ = write(tmp_path, clips, start_timecode="23:59:59:00")
        assert any("past 24 hours" in note for note in written.notes) is past


def test_past_midnight_labels_begin_anew(tmp_path: Path) -> None:
    clips = [known(0, 100, timecode="23:59:58:00")]
    written, text = write(tmp_path, clips, start_timecode="23:59:59:00")
    assert EVENT.findall(text)[0][2:] == ("23:59:58:00", "00:00:02:00", "23:59:59:00", "00:00:03:00")
    assert any("past 24 hours" in note for note in written.notes)


@pytest.mark.parametrize("rate", [Fraction(24), NTSC24, Fraction(25)])
def test_a_drop_frame_mark_where_nothing_is_dropped_does_not_lose_the_timecode(rate: Fraction, tmp_path: Path) -> None:
    written, text = write(tmp_path, [known(5, 10, rate, timecode="10:00:00;20")])
    first = 20 + 5 - round(rate)
    assert EVENT.findall(text)[0][2:4] == (f"10:00:01:{first:02}", f"10:00:01:{first + 5:02}")
    assert written.notes == ()


def test_a_timecode_that_is_none_is_left_out_and_noted(tmp_path: Path) -> None:
    clips = [known(0, 5), known(5, 9, timecode="01:00:00:59"), known(5, 9, timecode="noon")]
    written, text = write(tmp_path, clips)
    assert EVENT.findall(text)[1][2:4] == ("00:00:00:05", "00:00:00:09")
    assert written.notes == (
        "clips 2 and 3: the start timecode of the file is not valid at its frame rate and was left out",
    )
