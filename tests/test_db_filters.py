"""Filters by name and shape, and the small questions that pages ask."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from db_samples import add, ids_of, make_video

from db.library import Library
from db.records import Filters
from db.schema import videos
from db.sql import on_server

NAMES = [
    "Beach Day.MP4",
    "ÄRGER über Köln.mov",
    "straße.mkv",
    "cafe\u0301.mp4",
    "\udcff\udcfe.mp4",
    "100%_sure.mp4",
    "a'b\n.mp4",
]
SIZES = {"wide": (1920, 1080), "tall": (1080, 1920), "even": (720, 720), "small": (640, 360), "scope": (2048, 858)}


@pytest.fixture
def library(place: Path | str) -> Iterator[Library]:
    with Library.open(place) as opened:
        yield opened


def allowed(library: Library, **limits: Any) -> set[str]:
    found = library.segments(library.segment_ids(Filters(**limits), "enc"))
    return {video.path.rsplit("/", 1)[1] for _, video in found.values()}


@pytest.mark.parametrize(
    ("part", "wanted"),
    [
        ("beach", {"Beach Day.MP4"}),
        ("DAY.mp", {"Beach Day.MP4"}),
        ("ärger", {"ÄRGER über Köln.mov"}),
        ("KÖLN", {"ÄRGER über Köln.mov"}),
        ("STRASSE", {"straße.mkv"}),
        ("CAF\u00c9", {"cafe\u0301.mp4"}),
        ("\udcff", {"\udcff\udcfe.mp4"}),
        ("%", {"100%_sure.mp4"}),
        ("_", {"100%_sure.mp4"}),
        ("a'b\n", {"a'b\n.mp4"}),
        ("films", set()),  # the folder is not the name
        ("/", set()),
        ("", set(NAMES)),
        ("\ud800", set()),
    ],
)
def test_part_of_a_name(library: Library, part: str, wanted: set[str]) -> None:
    for number, name in enumerate(NAMES):
        add(library, make_video(f"/films beach/{name}", f"f{number}"))
    assert allowed(library, name=part) == wanted
    assert allowed(library, name=part, folder="/films beach") == wanted
    assert allowed(library, name=part, folder="/elsewhere") == set()


def test_a_name_that_thousands_have(library: Library) -> None:
    """More than one statement takes variables for."""
    add(library, make_video("/f/0.mp4"), count=1)
    columns = ", ".join(column.name for column in videos.columns if column.name not in ("id", "path"))
    numbers = "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 999) "
    with library._database.writing() as connection:  # at once: a thousand transactions take long
        path = (
            "convert_to('/f/' || n || '.mp4', 'UTF8')"
            if on_server(connection)
            else "CAST('/f/' || n || '.mp4' AS BLOB)"
        )
        for statement in (
            f"INSERT INTO videos (path, {columns}) {numbers}SELECT {path}, {columns} FROM videos, numbers WHERE id = 1",
            "INSERT INTO shots SELECT id, 0, 0, 9 FROM videos WHERE id > 1",
            "INSERT INTO segments (video_id, number, shot_number, start_pts, end_pts)"
            " SELECT id, 0, 0, 0, 9 FROM videos WHERE id > 1",
            "INSERT INTO embeddings SELECT 1, segments.id, row FROM segments, embeddings WHERE segments.id > 1",
        ):
            connection.exec_driver_sql(statement)
    assert library.segment_ids(Filters(name="MP4"), "enc").size == 1000
    assert library.segment_ids(Filters(name="11"), "enc").size == sum("11" in str(number) for number in range(1000))


@pytest.mark.parametrize(
    ("limits", "wanted"),
    [
        ({"min_short_side": 1080}, {"wide", "tall"}),
        ({"min_short_side": 1081}, set()),
        ({"min_short_side": 10**30, "since_ns": -(10**30)}, set()),
        ({"max_short_side": 10**30, "until_ns": 10**30}, set(SIZES)),
        ({"max_short_side": 720}, {"even", "small"}),
        ({"min_short_side": 720, "max_short_side": 858}, {"even", "scope"}),
        ({"orientation": "landscape"}, {"wide", "small", "scope"}),
        ({"orientation": "portrait"}, {"tall"}),
        ({"orientation": "square"}, {"even"}),
        ({"orientation": "landscape", "min_short_side": 800, "name": "W"}, {"wide"}),
    ],
)
def test_shapes(library: Library, limits: dict[str, Any], wanted: set[str]) -> None:
    for number, (name, (width, height)) in enumerate(SIZES.items()):
        add(library, make_video(f"/f/{name}", f"f{number}", width=width, height=height))
    assert allowed(library, **limits) == wanted


def test_filters_are_checked_and_true_when_they_limit() -> None:
    with pytest.raises(ValueError, match="landscape, portrait or square"):
        Filters(orientation="wide")  # type: ignore[arg-type]
    assert not Filters()
    every: list[dict[str, Any]] = [
        {"name": "x"},
        {"min_short_side": 1},
        {"max_short_side": 1},
        {"orientation": "square"},
    ]
    for limits in every:
        assert Filters(**limits)


def test_a_video_by_id_and_the_folders_that_hold_some(library: Library) -> None:
    first = add(library, make_video("/films/b/1.mp4", "aa", timecode="01:02:03;04"))
    add(library, make_video("/films/b/2.mp4", "bb"))
    add(library, make_video("/films/a/deep/\udcff/3.mp4", "cc"))
    add(library, make_video("/4.mp4", "dd"))
    assert library.video(first).path == "/films/b/1.mp4"
    assert library.video(first).timecode == "01:02:03;04"
    with pytest.raises(KeyError, match="99"):
        library.video(99)
    assert library.folders() == ["/", "/films/a/deep/\udcff", "/films/b"]


@pytest.mark.parametrize(
    ("at", "before", "after", "wanted"),
    [(5, 2, 1, [3, 4, 5, 6]), (0, 6, 6, [0, 1, 2, 3, 4, 5, 6]), (9, 1, 6, [8, 9]), (4, 0, 0, [4]), (4, -3, 1, [4, 5])],
)
def test_segments_around(library: Library, at: int, before: int, after: int, wanted: list[int]) -> None:
    add(library, make_video("/f/other.mp4", "ff"), count=4)
    video_id = add(library, count=10)
    add(library, make_video("/f/another.mp4", "ee"), count=4)
    around = library.segments_around(ids_of(library, video_id)[at], before, after)
    assert [segment.number for segment, _ in around] == wanted
    assert {video.id for _, video in around} == {video_id}
    with pytest.raises(KeyError, match="999"):
        library.segments_around(999)


def test_the_videos_of_segments(library: Library) -> None:
    one, two = add(library), add(library, make_video("/f/2.mp4", "bb"))
    ids = ids_of(library, two) + ids_of(library, one)
    assert library.video_ids([*ids, 999]) == dict.fromkeys(ids[:3], two) | dict.fromkeys(ids[3:], one)
    assert library.video_ids([]) == {}
