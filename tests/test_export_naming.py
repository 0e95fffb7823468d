"""Names from a person's own pattern: what they hold, and that no text in them can do harm."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from app.exporting.clip_writer import ensure_folder
from app.exporting.ffmpeg_binary import ExportError
from app.exporting.naming import FIELDS, MAX_NAME_BYTES, ClipFacts, check_pattern, clip_name, name_room


def facts(**values: Any) -> ClipFacts:
    plain = {
        "rank": 7,
        "total": 12,
        "source": "film",
        "start_seconds": Fraction(1248, 100),
        "end_seconds": Fraction(16),
    }
    return ClipFacts(**{**plain, **values})


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("{rank}_{name}_{start}-{end}", "007_take two_00h00m12.480s-00h00m16.000s.mp4"),
        ("{collection} {number}", "Reel 007.mp4"),
        ("{source}-{score}", "film-0.873.mp4"),
        ("{{{label}}}", "{take two}.mp4"),
        ("shot", "shot.mp4"),
        ("100% {name}", "100% take two.mp4"),
    ],
)
def test_patterns_are_filled(pattern: str, name: str) -> None:
    assert clip_name(facts(label="take two", collection="Reel", score=0.8731), ".mp4", pattern) == name


def test_what_is_not_known_leaves_no_gap() -> None:
    assert clip_name(facts(), ".mp4", "{rank}_{label}_{score}_{source}") == "007_film.mp4"
    assert clip_name(facts(), ".mp4", "{label}") == "clip.mp4"
    assert clip_name(facts(), ".mp4", "{name}") == "film.mp4"


@pytest.mark.parametrize(
    "pattern", ["{title}", "{}", "{0}", "{rank!r}", "{rank:04}", "{name.x}", "{name[0]}", "{", "a}"]
)
def test_a_pattern_that_cannot_be_used_says_which_fields_there_are(pattern: str) -> None:
    with pytest.raises(ValueError, match="cannot be used") as error:
        check_pattern(pattern)
    assert all(f"{{{field}}}" in str(error.value) for field in FIELDS)


@pytest.mark.parametrize("pattern", ["", "   ", "x" * 201])
def test_a_pattern_has_some_length(pattern: str) -> None:
    with pytest.raises(ValueError, match="1 to 200 characters"):
        check_pattern(pattern)


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("../../etc/passwd", "_.._etc_passwd.mp4"),
        ("<script>alert('x')</script>", "_script_alert('x')_script_.mp4"),
        ("-rf", "_-rf.mp4"),
        ("CON", "_CON.mp4"),
        ("com1.x", "_com1.x.mp4"),
        (".hidden", "hidden.mp4"),
        ("a\nb\x00c", "a_b_c.mp4"),
        ("{rank}", "{rank}.mp4"),
        (os.fsdecode(b"caf\xe9"), "caf_.mp4"),
        ("e\u0301", "\u00e9.mp4"),
    ],
)
def test_names_are_safe_whatever_people_write(label: str, name: str) -> None:
    assert clip_name(facts(label=label), ".mp4", "{label}") == name


def test_a_slash_in_a_pattern_makes_no_folder() -> None:
    assert clip_name(facts(collection="a/b"), ".mp4", "{collection}/{rank}") == "a_b_007.mp4"


@pytest.mark.parametrize("label", ["x" * 200, "\u6f22" * 200, "\U0001f3ac" * 200])
def test_long_texts_give_way_and_numbers_and_times_stay(label: str) -> None:
    name = clip_name(facts(label=label, collection=label), ".mp4", "{collection}_{name}_{rank}_{start}-{end}")
    assert name.endswith("_007_00h00m12.480s-00h00m16.000s.mp4")
    assert MAX_NAME_BYTES - 20 <= len(name.encode()) <= MAX_NAME_BYTES
    assert name.encode().decode() == name
    assert len(clip_name(facts(), ".mp4", "x" * 150 + "{rank}" + "\u6f22" * 40).encode()) <= MAX_NAME_BYTES


def test_names_fit_into_the_paths_of_windows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.exporting.naming._WINDOWS", True)
    folder = Path("/" + "f" * 149)
    room = name_room(folder)
    assert room == 259 - 151
    name = clip_name(facts(label="x" * 300), ".mp4", room=room)
    assert len(name) + len("_9999") <= room
    assert name.startswith("007_x"), "the numbers and times stay"
    assert name.endswith("_00h00m12.480s-00h00m16.000s.mp4")
    deep = tmp_path / ("f" * 200)
    with pytest.raises(ExportError, match="choose a shorter one"):
        ensure_folder(deep)
    assert not deep.exists()
