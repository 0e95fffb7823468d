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
from db.media_facts import AudioTrack, MediaFacts, facts_from_text, facts_to_text, kinds_from_text
from db.records import Video
from db.rows import SEGMENT, SHOT, SUBCLIP, VIDEO, DamagedRow, chunks, to_bytes, to_matrix
from db.schema import segments, shots, subclips, videos

FACTS = MediaFacts(
    nominal_rate=Fraction(30000, 1001),
    field_order="tff",
    sample_aspect=Fraction(64, 45),
    transfer="smpte2084",
    audio=(
        AudioTrack(codec="aac", channels=2, layout="stereo", language="eng", title="ü"),
        AudioTrack(codec="", channels=1),
    ),
    reel="A001",
    recorded_at="2024-05-06T07:08:09.000000Z",
)


@pytest.mark.parametrize(
    ("record", "table", "others"),
    [
        (VIDEO, videos, {"id", "media", "media_bytes", "checksum"}),
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
        facts=FACTS,
        kinds=frozenset(("hdr", "deep")),
        content_hash="c0ffee",
        file_id="2049:131",
        volume="1234-ABCD",
        recorded_at=1_715_000_000,
    )
    plain = {field.name: getattr(video, field.name) for field in fields(Video)}
    assert len({name for name, value in plain.items() if value is not None}) == len(plain) - 1, "all but the id"
    with Library.open(tmp_path) as library:
        video_id = add(library, video)
        assert library.video(video_id) == replace(video, id=video_id)


def test_facts_that_cannot_be_understood_are_as_if_never_read() -> None:
    text = facts_to_text(FACTS)
    assert text is not None
    assert facts_from_text(text) == FACTS
    assert facts_from_text(None) is facts_to_text(None) is None
    for damaged in ("", "[]", "{}", text[:-1], text.replace("tff", "sideways"), text.replace("64/45", "64/0"),
                    text.replace("30000/1001", "-25"), text.replace("reel", "tape")):  # fmt: skip
        assert facts_from_text(damaged) is None, damaged
    assert kinds_from_text("hdr later deep") == {"hdr", "deep"}, "a kind of a later version is left out"


def test_chunks() -> None:
    assert [len(each) for each in chunks(range(1900))] == [900, 900, 100]
    assert list(chunks([])) == []


def test_stored_rows_of_odd_lengths_are_no_numbers_even_where_their_sum_fits() -> None:
    rows = to_bytes(np.eye(2, 4, dtype=np.float32))
    np.testing.assert_array_equal(to_matrix(rows, 4), np.eye(2, 4))
    assert np.isnan(to_matrix([rows[0][:-2], rows[1] + b"\0\0"], 4)).all()
    damaged = to_matrix([rows[0], b"", rows[1]], 4)
    np.testing.assert_array_equal(damaged[[0, 2]], np.eye(2, 4))
    assert np.isnan(damaged[1]).all()


def test_a_fraction_of_a_float_is_damage_even_if_an_equal_one_was_read_before() -> None:
    columns = VIDEO.values(make_video("a"))
    assert VIDEO.load({"id": 1, **columns, "frame_rate_num": 25}).frame_rate == Fraction(25, 1001)  # type: ignore[arg-type]
    with pytest.raises(DamagedRow):
        VIDEO.load({"id": 1, **columns, "frame_rate_num": 25.0})  # type: ignore[arg-type]
