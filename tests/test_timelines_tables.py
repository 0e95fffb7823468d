"""The CSV and JSON lists, read back with the standard library."""

from __future__ import annotations

import csv
import json
from fractions import Fraction
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import pytest
from timeline_samples import (
    HOSTILE,
    MONO,
    NTSC24,
    STARTS,
    STEREO,
    Known,
    known,
    rate_of_opentimelineio,
    several,
    timeline,
    variable,
    wanted,
)

from app.timelines.table_file import csv_bytes
from app.timelines.writing import write_timeline

opentime = pytest.importorskip("opentimelineio.opentime", reason="OpenTimelineIO has no wheel for this system")


def as_csv(folder: Path, clips: list[Known], **more: Any) -> list[dict[str, str]]:
    written = write_timeline(timeline(clips, **more), "csv", folder, "selects")
    assert written.path.read_bytes().startswith(b"\xef\xbb\xbfstart_seconds,end_seconds,name,")
    with written.path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as stream:
        return list(csv.DictReader(stream))


def as_json(folder: Path, clips: list[Known], **more: Any) -> Any:
    return json.loads(write_timeline(timeline(clips, **more), "json", folder, "selects").path.read_bytes())


@pytest.mark.parametrize(("rate", "timecode", "label"), STARTS)
def test_every_cut_reads_back_to_the_frame(rate: Fraction, timecode: str, label: int, tmp_path: Path) -> None:
    clips = several(rate, timecode, label)
    rows, document = as_csv(tmp_path, clips), as_json(tmp_path, clips)
    assert Fraction(document["frame_rate"]) == rate
    for row, found, each, (first, last, at) in zip(rows, document["clips"], clips, wanted(clips), strict=True):
        assert (int(row["start_frame"]), int(row["end_frame"])) == (each.first, each.last)
        assert (found["start_frame"], found["end_frame"]) == (each.first, each.last)
        for values in (row, found):
            assert values["name"] == each.clip.name
            assert values["source"] == each.clip.path
            read_at = rate_of_opentimelineio(rate, values["start_timecode"])
            assert opentime.from_timecode(values["start_timecode"], read_at).value == first
            assert opentime.from_timecode(values["end_timecode"], read_at).value == last
            assert (";" in values["start_timecode"]) == (";" in timecode)
            assert int(values["record_start_frame"]) == at
            assert Fraction(values["frame_rate"]) == rate
            assert abs(Fraction(values["start_seconds"]) - each.clip.start_seconds) <= Fraction(1, 1_000_000)
        assert Fraction(found["start"]) == each.clip.start_seconds
        assert Fraction(found["end"]) == each.clip.end_seconds
        assert found["source_timecode_frames"] == label


def test_variable_and_mixed_rates(tmp_path: Path) -> None:
    clips = [*variable(), known(48, 72, NTSC24)]
    rows, document = as_csv(tmp_path, clips), as_json(tmp_path, clips)
    assert [(int(row["start_frame"]), int(row["end_frame"])) for row in rows] == [(e.first, e.last) for e in clips]
    assert [found["average_frame_rate"] for found in document["clips"]] == ["2987/100"] * 3 + ["24000/1001"]
    assert len(document["notes"]) == 2


def test_sound_tracks_fields_and_reel(tmp_path: Path) -> None:
    sound = (STEREO, MONO)
    clips = [
        known(0, 5, has_audio=True, audio=sound, field_order="tff", reel="A001"),
        known(0, 5),
        known(0, 5, has_audio=True),
    ]
    rows, found = as_csv(tmp_path, clips), as_json(tmp_path, clips)["clips"]
    stated = [tuple(row[name] for name in ("audio_channels", "field_order", "reel")) for row in rows]
    assert stated == [("2 1", "tff", "A001"), ("", "", ""), ("2", "", "")]
    assert [each["field_order"] for each in found] == ["tff", None, None]
    assert [[track["layout"] for track in each["audio"]] for each in found] == [["stereo", "mono"], [], []]


def test_json_has_every_text_as_it_was(tmp_path: Path) -> None:
    clips = [known(0, 5, path=path, name=f"={path}", note=f"\x00{path}\r\n") for path in HOSTILE]
    document = as_json(tmp_path, clips)
    for found, path in zip(document["clips"], HOSTILE, strict=True):
        assert (found["source"], found["name"], found["note"]) == (path, f"={path}", f"\x00{path}\r\n")
        if path.startswith("/"):
            assert unquote_to_bytes(found["url"].removeprefix("file://")) == path.encode(errors="surrogateescape")
    only = write_timeline(timeline([known(0, 5, name="Zoë \U0001f3ac")]), "json", tmp_path, "plain")
    assert "Zoë \U0001f3ac".encode() in only.path.read_bytes()


def test_scores_that_are_no_numbers_are_left_out(tmp_path: Path) -> None:
    clips = [known(0, 5, score=float("nan")), known(0, 5, score=-0.25, rank=2)]
    assert [found["score"] for found in as_json(tmp_path, clips)["clips"]] == [None, -0.25]
    assert [(row["score"], row["rank"]) for row in as_csv(tmp_path, clips)] == [("", ""), ("-0.25", "2")]


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "\r=1", '"=1', "'=1", "a;=1", "a\n=1", "a\t@x", "＝1", 'a; "+x'],
)
def test_no_cell_is_a_formula_in_any_spreadsheet(text: str, tmp_path: Path) -> None:
    row = as_csv(tmp_path, [known(0, 5, name="plain", note=text, path=f"/films/{text}")])[0]
    for part in row["note"].replace("\t", ";").replace("\n", ";").replace("\r", ";").split(";"):
        assert part.lstrip(' "')[:1] not in tuple("=+-@＝")
    assert row["note"].replace("'", "") == text.replace("'", "")
    assert as_json(tmp_path, [known(0, 5, note=text)])["clips"][0]["note"] == text


def test_what_is_no_formula_stays_as_it_is() -> None:
    texts = ["C:\\a-b.mov", "/films/a=b+c@d.mov", "3 - 1", "user@host", ""]
    content = csv_bytes([{"text": text, "number": -2} for text in texts], ["text", "number"])
    assert [row["text"] for row in csv.DictReader(content.decode("utf-8-sig").splitlines())] == texts
    assert {row["number"] for row in csv.DictReader(content.decode("utf-8-sig").splitlines())} == {"-2"}


def test_bytes_of_names_stay_and_other_lone_surrogates_do_not_break_the_table(tmp_path: Path) -> None:
    row = as_csv(tmp_path, [known(0, 5, path="/films/\udcff.mp4", note="cut \ud83d short\x00")])[0]
    assert row["source"] == "/films/\udcff.mp4"
    assert row["note"] == "cut \ufffd short"


def test_the_first_three_columns_are_segments_of_losslesscut(tmp_path: Path) -> None:
    row = as_csv(tmp_path, [known(25, 75, name="Anna, laughing")])[0]
    assert list(row.values())[:3] == ["1.0", "3.0", "Anna, laughing"]
