"""Labels of frames in Python, against timecode_table.json.

The page is held to the same table by javascript/core/timecode.test.js.
"""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any

import pytest
from timecode_table import TABLE, made, written

from app.timelines.timecode import format_timecode, frames_per_day, parse_timecode

ROWS: dict[str, list[dict[str, Any]]] = json.loads(TABLE.read_text())


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
