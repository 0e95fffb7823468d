"""Filters by what files state: codec, nominal frame rate, camera and sound, and the values to choose from."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from db_samples import add, make_video
from postgres import in_a_folder

from db.library import Library
from db.media_facts import MediaFacts, camera_name
from db.records import Facets, Filters
from db.video_facets import codec_key

NTSC = Fraction(30_000, 1001)
IPHONE, SONY, CANON = ("Apple", "iPhone 15"), ("SONY", "ILCE-7M4"), ("Canon", "Canon EOS R5")


@pytest.fixture
def library(place: Path | str) -> Iterator[Library]:
    with Library.open(place) as opened:
        yield opened


def put(library: Library, name: str, rate: Fraction, camera: tuple[str, str] = ("", ""), **values: Any) -> None:
    facts = MediaFacts(nominal_rate=rate, camera_make=camera[0], camera_model=camera[1])
    add(library, make_video(f"/f/{name}", name, facts=facts, **values), count=1)


def fill(library: Library) -> None:
    put(library, "phone", NTSC, IPHONE, codec="hevc", has_audio=True)
    put(library, "phone pro", Fraction(30), ("Apple", "iPhone 15 Pro"), codec="hevc", has_audio=True)
    put(library, "sony", Fraction(25), SONY, codec="h264")
    put(library, "canon", Fraction(24_000, 1001), CANON, codec="prores", has_audio=True)
    put(library, "screen", Fraction(25), codec="h264")
    add(library, make_video("/f/old", "old", codec="mpeg2video", frame_rate=NTSC), count=1)  # without facts


def allowed(library: Library, **limits: Any) -> set[str]:
    found = library.segments(library.segment_ids(Filters(**limits), "enc"))
    return {video.path.rsplit("/", 1)[1] for _, video in found.values()}


@pytest.mark.parametrize(
    ("limits", "wanted"),
    [
        ({"codec": "hevc"}, {"phone", "phone pro"}),
        ({"codec": "H.265"}, {"phone", "phone pro"}),
        ({"codec": "MPEG-2"}, {"old"}),
        ({"codec": "h26"}, set()),
        ({"codec": ""}, set()),
        ({"frame_rate": 29.97}, {"phone", "old"}),
        ({"frame_rate": 30_000 / 1001}, {"phone", "old"}),
        ({"frame_rate": 30.0}, {"phone pro"}),
        ({"frame_rate": 23.98}, {"canon"}),
        ({"frame_rate": 24.0}, set()),
        ({"camera": "apple"}, {"phone", "phone pro"}),
        ({"camera": "IPHONE apple"}, {"phone", "phone pro"}),
        ({"camera": "apple iphone 15"}, {"phone"}),  # a whole name means that camera
        ({"camera": "canon eos r5"}, {"canon"}),
        ({"camera": "sony canon"}, set()),
        ({"has_sound": True}, {"phone", "phone pro", "canon"}),
        ({"has_sound": False}, {"sony", "screen", "old"}),
        ({"codec": "h264", "frame_rate": 25.0, "has_sound": False, "camera": "sony"}, {"sony"}),
        ({"codec": "hevc", "min_seconds": 1e9}, set()),
        ({"codec": "hevc", "folder": "/f/phone"}, {"phone"}),
    ],
)
def test_what_files_state_is_filtered(library: Library, limits: dict[str, Any], wanted: set[str]) -> None:
    fill(library)
    assert Filters(**limits)
    assert allowed(library, **limits) == wanted


def test_the_values_to_choose_from_follow_the_library(library: Library) -> None:
    assert library.facets() == Facets()
    assert allowed(library, codec="h264") == set()
    fill(library)
    assert library.facets() == Facets(
        codecs=("h264", "hevc", "mpeg2video", "prores"),
        frame_rates=(23.976, 25.0, 29.97, 30.0),
        cameras=("Apple iPhone 15", "Apple iPhone 15 Pro", "Canon EOS R5", "SONY ILCE-7M4"),
    )
    for rate in library.facets().frame_rates:
        assert allowed(library, frame_rate=rate)
    put(library, "new", Fraction(50), SONY, codec="av1")
    assert "av1" in library.facets().codecs
    assert allowed(library, camera="SONY ILCE-7M4") == {"sony", "new"}


@in_a_folder
def test_damaged_facts_count_as_not_read(library: Library) -> None:
    fill(library)
    damaged: list[Any] = [
        None,
        "{",
        "[1, 2]",
        '{"nominal_rate": "1/0"}',
        '{"nominal_rate": {}, "camera_make": 7}',
        b"\xff",
    ]
    videos = sorted(library.videos(), key=lambda video: video.path)
    with library._database.writing() as connection:
        for video, facts in zip(videos, damaged, strict=True):
            connection.exec_driver_sql("UPDATE videos SET facts = ? WHERE id = ?", (facts, video.id))
        connection.exec_driver_sql("UPDATE videos SET frame_rate_den = 0, codec = x'00' WHERE id = ?", (videos[0].id,))
    assert library.facets().frame_rates == (29.97,), "the average"
    assert library.facets().cameras == ()
    assert len(library.segment_ids(Filters(frame_rate=29.97), "enc")) == len(videos) - 1


@in_a_folder
def test_facts_of_before_are_read_again_and_kept_until_then(library: Library) -> None:
    fill(library)
    with library._database.writing() as connection:
        connection.exec_driver_sql(
            "UPDATE videos SET facts = json_remove(facts, '$.camera_make', '$.camera_model') WHERE path = ?",
            (b"/f/sony",),
        )
        connection.exec_driver_sql(
            "UPDATE videos SET facts = json_set(facts, '$.reel', '\"camera_model\":') WHERE path = ?", (b"/f/canon",)
        )
    known = library.known_files("enc")
    assert {path for path, file in known.items() if not file.facts_read} == {"/f/sony", "/f/old"}
    video = library.video_at("/f/sony")
    assert video is not None
    assert video.facts == MediaFacts(nominal_rate=Fraction(25))
    assert allowed(library, frame_rate=25.0, codec="h264") == {"sony", "screen"}


def test_names_of_codecs_and_cameras() -> None:
    assert {codec_key(name) for name in ("HEVC", "h.265", "x265", "hvc1", "H265")} == {"hevc"}
    assert {codec_key(name) for name in ("AVC", "h.264", "avc1", "H264")} == {"h264"}
    assert codec_key("Apple-Thing") == "applething"
    assert camera_name("Canon", "Canon EOS R5") == "Canon EOS R5"
    assert camera_name("", "HERO9") == "HERO9"
    assert camera_name("DJI", "") == "DJI"
