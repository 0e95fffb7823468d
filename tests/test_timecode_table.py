"""Labels of frames in Python and in the page, both against one table of values (timecode_table.json)."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import pytest
from browser_app import browser
from timecode_table import TABLE, made, written

from app.timelines.timecode import format_timecode, frames_per_day, parse_timecode
from app.web.http.static_files import STATIC

ROWS: dict[str, list[dict[str, Any]]] = json.loads(TABLE.read_text())


@pytest.fixture(scope="module")
def page() -> Iterator[Any]:
    """An empty page of a real browser, with the module as `timecode`. It imports nothing, so it needs no server."""
    source = base64.b64encode((STATIC / "core" / "timecode.js").read_bytes()).decode()
    with browser() as chromium:
        page = chromium.new_page()
        page.evaluate(f"async () => {{ window.timecode = await import('data:text/javascript;base64,{source}'); }}")
        yield page


def test_the_table_is_what_walking_through_a_day_makes() -> None:
    assert TABLE.read_text() == written(made())
    assert len(ROWS["labels"]) > 500


def test_python_labels_frames_as_the_table_does() -> None:
    wrong = []
    for row in ROWS["labels"]:
        rate = Fraction(*row["rate"])
        first, drop = parse_timecode(row["start"], rate) if row["start"] else (0, False)
        code = format_timecode(first + row["frame"], rate, drop)
        frame = parse_timecode(row["code"], rate)[0] - first
        if code != row["code"] or (frame - row["frame"]) % frames_per_day(rate, drop):
            wrong.append((row, code, frame))
    assert not wrong, wrong[:5]


def test_python_reads_labels_as_the_table_does() -> None:
    for row in ROWS["read"]:
        rate = Fraction(*row["rate"])
        if row["frames"] is None:
            with pytest.raises(ValueError):
                parse_timecode(row["text"], rate)
        else:
            assert parse_timecode(row["text"], rate) == (row["frames"], row["drop"]), row


def test_the_page_labels_frames_as_the_table_does(page: Any) -> None:
    wrong = page.evaluate(
        """(rows) => rows.flatMap((row) => {
          const rate = row.rate[0] / row.rate[1];
          const code = timecode.timecodeAt(row.frame, rate, row.start);
          const typed = timecode.frameFromText(row.code, { now: 0, rate, timecode: row.start });
          const again = timecode.timecodeAt(typed, rate, row.start);
          const last = `23:59:59${row.code[8]}${timecode.timebase(rate) - 1}`;
          const days = (typed - row.frame) / (timecode.parseTimecode(last, rate).frames + 1);
          const good = code === row.code && again === row.code && Number.isInteger(days);
          return good ? [] : [[row, code, typed, again]];
        })""",
        ROWS["labels"],
    )
    assert not wrong, wrong[:5]


def test_the_page_reads_labels_as_the_table_does(page: Any) -> None:
    read = page.evaluate(
        "(rows) => rows.map((row) => timecode.parseTimecode(row.text, row.rate[0] / row.rate[1]))", ROWS["read"]
    )
    expected = [
        None if row["frames"] is None else {key: row[key] for key in ("frames", "drop")} for row in ROWS["read"]
    ]
    assert list(zip(ROWS["read"], read, strict=True)) == list(zip(ROWS["read"], expected, strict=True))


@pytest.mark.parametrize(
    ("text", "frame"),
    [
        ("12:05", 12 * 25 + 5),
        ("1205", 12 * 25 + 5),
        ("5", 10 * 25 + 5),
        ("01:00:12:05", 12 * 25 + 5),
        ("00:59:59:24", 24 * 90000 - 1),  # of the next day
        ("+10", 260),
        ("-1:00", 225),
        ("#120", 120),
        ("120 f", 120),
        ("12:25", None),
        ("12:61:00", None),
        ("frame", None),
        ("", None),
    ],
)
def test_a_typed_frame_is_read_from_where_a_person_is(page: Any, text: str, frame: int | None) -> None:
    context = {"now": 250, "rate": 25, "timecode": "01:00:00:00"}
    assert page.evaluate("([text, context]) => timecode.frameFromText(text, context)", [text, context]) == frame


def test_a_start_code_that_is_no_label_counts_from_zero(page: Any) -> None:
    codes = page.evaluate("() => ['', 'tape 4', '25:00:00:00'].map((start) => timecode.timecodeAt(26, 25, start))")
    assert codes == ["00:00:01:01"] * 3
