"""Records and tables: every field has its columns, and a value comes back as it was."""

from __future__ import annotations

from dataclasses import fields, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from db_samples import add, make_video
from sqlalchemy import Table

from db.library import Library
from db.records import Video
from db.rows import SEGMENT, SHOT, SUBCLIP, VIDEO, chunks, to_bytes, to_matrix
from db.schema import segments, shots, subclips, videos


@pytest.mark.parametrize(
    ("record", "table", "others"),
    [
        (VIDEO, videos, {"id", "media", "media_bytes"}),
        (SHOT, shots, {"video_id"}),
        (SEGMENT, segments, {"id", "video_id"}),
        (SUBCLIP, subclips, {"id", "position", "removed_at"}),
    ],
)
def test_every_field_has_its_columns(record: Any, table: Table, others: set[str]) -> None:
    assert {*record.columns} | others == {column.name for column in table.c}
    assert not {*record.columns} & others


def test_a_video_comes_back_with_every_value_that_it_had(tmp_path: Path) -> None:
    video = make_video("/f/1.mp4", "aa", timecode="01:00:00;02")
    video = replace(
        video,
        time_base=Fraction(1001, 30000),
        frame_rate=Fraction(30000, 1001),
        rotation=270,
        has_audio=True,
        damaged=3,
    )
    plain = {field.name: getattr(video, field.name) for field in fields(Video)}
    assert len({name for name, value in plain.items() if value is not None}) == len(plain) - 1, "all but the id"
    with Library.open(tmp_path) as library:
        video_id = add(library, video)
        assert library.video(video_id) == replace(video, id=video_id)


def test_chunks() -> None:
    assert [len(each) for each in chunks(range(1900))] == [900, 900, 100]
    assert list(chunks([])) == []


def test_stored_rows_of_odd_lengths_are_refused_even_where_their_sum_fits() -> None:
    rows = to_bytes(np.eye(2, 4, dtype=np.float32))
    np.testing.assert_array_equal(to_matrix(rows, 4), np.eye(2, 4))
    with pytest.raises(ValueError, match="not 8 bytes long"):
        to_matrix([rows[0][:-2], rows[1] + b"\0\0"], 4)
