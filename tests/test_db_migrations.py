"""Libraries of every older format open with all their rows."""

from __future__ import annotations

from pathlib import Path

import pytest
from db_samples import add, make_video
from older_formats import to_format
from sqlalchemy import inspect

from db.library import Library
from db.schema import SCHEMA_VERSION


@pytest.mark.parametrize("version", range(2, SCHEMA_VERSION))
def test_a_library_of_an_older_format_keeps_its_videos_and_rows(tmp_path: Path, version: int) -> None:
    with Library.open(tmp_path) as library:
        for number in (1, 2):
            add(library, make_video(f"/f/{number}.mp4", f"a{number}"), seed=number)
        before = [(video.path, video.fingerprint, video.end_pts, video.id) for video in library.videos()]
        segments, stamp = library.segments(range(10)).keys(), library.stamp("enc")
        with library._database.writing_without_foreign_keys() as connection:
            to_format(connection, version)
            assert ("vanished_videos" in inspect(connection).get_table_names()) == (version >= 6)
            columns = [each["name"] for each in inspect(connection).get_columns("encoders")]
            assert ("former_id" in columns) == (version >= 7)
    with Library.open(tmp_path) as library:
        assert [(video.path, video.fingerprint, video.end_pts, video.id) for video in library.videos()] == before
        assert (library.segments(range(10)).keys(), library.stamp("enc")) == (segments, stamp)
        assert library.videos()[0].content_hash == library.videos()[0].volume == ""
        assert library.check() == []
