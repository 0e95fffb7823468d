"""Dates of recording: what header and name state, stored with the video and filtered by."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import pytest
from db_samples import add, make_video
from older_formats import to_format

from db.library import Library
from db.media_facts import MediaFacts
from db.recording_date import recorded_at
from db.records import Filters

UTC_SECONDS = int(datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC).timestamp())
LOCAL = int(datetime(2024, 5, 6, 7, 8, 9).timestamp())
LOCAL_DAY = int(datetime(2024, 5, 6).timestamp())


@pytest.mark.parametrize(
    ("stated", "name", "date"),
    [
        ("2024-05-06T07:08:09.000000Z", "20200101_000000.mp4", UTC_SECONDS),
        ("2024-05-06T09:08:09+0200", "a.mov", UTC_SECONDS),
        ("2024-05-06 07:08:09", "a.mkv", LOCAL),
        ("2024-05-06", "a.avi", LOCAL_DAY),
        ("2024-13-45T00:00:00Z", "VID_20240506_070809.mp4", LOCAL),
        ("1970-01-01T00:00:00Z", "PXL_20240506_070809123.mp4", LOCAL),
        ("", "2024-05-06 07.08.09.mov", LOCAL),
        ("", "WhatsApp Video 2024-05-06 at 07.08.09.mp4", LOCAL),
        ("", "VID-20240506-WA0001.mp4", LOCAL_DAY),
        ("", "20241399 then 20240506.mp4", LOCAL_DAY),
        ("", "1234567820240506.mp4", None),
        ("", "GX010203.MP4", None),
        ("yesterday", "IMG_1234.MOV", None),
    ],
)
def test_the_header_counts_before_the_name(stated: str, name: str, date: int | None) -> None:
    assert recorded_at(stated, f"/20010203/{name}") == date


def test_videos_are_filtered_by_it_and_those_without_one_are_left_out(tmp_path: Path) -> None:
    with Library.open(tmp_path) as library:
        for name, date in (("early", 1_000), ("late", 2_000), ("never", None)):
            add(library, replace(make_video(f"/f/{name}.mp4", name), recorded_at=date))

        def found(**limits: int) -> set[str]:
            ids = library.segment_ids(Filters(**limits), "enc")
            return {Path(video.path).stem for _, video in library.segments(ids).values()}

        assert found(recorded_since=1_001) == {"late"}
        assert found(recorded_since=-5) == {"early", "late"}
        assert found(recorded_until=1_000) == {"early"}
        assert found(recorded_since=1_000, recorded_until=2_000) == {"early", "late"}
        assert found() == {"early", "late", "never"}


def test_facts_that_are_read_later_and_libraries_of_before_have_it(tmp_path: Path) -> None:
    facts = MediaFacts(nominal_rate=Fraction(25), recorded_at="2024-05-06T07:08:09Z")
    with Library.open(tmp_path) as library:
        add(library, replace(make_video("/f/1.mp4", "aa"), facts=facts))
        add(library, make_video("/f/VID_20240506_070809.mp4", "bb"))
        add(library, make_video("/f/3.mp4", "cc"))
        with library._database.writing_without_foreign_keys() as connection:
            to_format(connection, 5)
    with Library.open(tmp_path) as library:
        dates = {video.path: video.recorded_at for video in library.videos()}
        assert dates == {"/f/1.mp4": UTC_SECONDS, "/f/VID_20240506_070809.mp4": LOCAL, "/f/3.mp4": None}
        third = library.video_at("/f/3.mp4")
        assert third is not None
        assert third.id is not None
        library.set_facts(third.id, timecode="", facts=facts, kinds=frozenset())
        assert library.video(third.id).recorded_at == UTC_SECONDS
