"""Labels of frames in Python, against timecode_table.json.

The page is held to the same table by javascript/core/timecode.test.js.
"""

from __future__ import annotations

import json
import math
from fractions import Fraction
from typing import Any

import pytest
from timecode_table import TABLE, made, written

from app.exporting.survey import SAME_SECONDS
from app.timelines.model import frame_range
from app.timelines.timecode import format_timecode, frames_per_day, labels_per_frame, nominal_rate, parse_timecode
from app.times import format_timestamp, parse_seconds

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


def test_python_prints_the_start_of_a_frame_as_the_table_does() -> None:
    assert len(ROWS["times"]) > 80
    for row in ROWS["times"]:
        rate, seconds = Fraction(*row["rate"]), Fraction(*row["seconds"])
        assert format_timestamp(seconds) == format_timestamp(float(seconds)) == row["time"], row
        assert labels_per_frame(rate) == row["labels"], row
        assert frame_range(seconds, seconds + 1 / rate, rate) == (row["frame"], row["frame"] + 1), row
        nominal = nominal_rate(rate)
        first, drop = parse_timecode(row["start"], nominal)
        assert format_timecode(first + row["frame"] * row["labels"], nominal, drop) == row["code"], row


def test_a_time_that_is_typed_back_names_the_same_frame() -> None:
    for row in ROWS["times"]:
        rate, typed = Fraction(*row["rate"]), parse_seconds(row["time"])
        assert math.ceil((typed - SAME_SECONDS) * rate) == row["frame"], "as a start it begins with the frame"
        assert math.ceil(typed * rate) == row["frame"], "and no tolerance is needed for it"


def test_python_reads_labels_as_the_table_does() -> None:
    for row in ROWS["read"]:
        rate = Fraction(*row["rate"])
        if row["frames"] is None:
            with pytest.raises(ValueError):
                parse_timecode(row["text"], rate)
        else:
            assert parse_timecode(row["text"], rate) == (row["frames"], row["drop"]), row
