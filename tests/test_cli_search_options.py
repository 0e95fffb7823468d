"""The options that narrow a search, as typed: what they let through, and that all three commands know them."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import cli_library
import pytest
from click.testing import CliRunner, Result
from fakes import ColourEncoder

from app import compose
from app.cli import main
from app.commands.export import export
from app.shell.given_options import given_options
from app.shell.search_options import SearchOptions, nothing_found
from db.library import Library
from db.media_facts import MediaFacts
from db.records import Filters

RED = (255, 0, 0)
SHAPES = {"portrait.mp4": (36, 64), "square.mp4": (48, 48)}


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    encoder = ColourEncoder()
    directory = cli_library.build(tmp_path, encoder)
    with Library.open(directory) as library:
        cli_library.add(library, encoder, tmp_path / "films" / "Rot und Röter.mp4", [(RED, n, n + 1) for n in range(3)])
        for name, size in SHAPES.items():
            cli_library.add(library, encoder, tmp_path / "shapes" / name, [(RED, 0, 2)], size=size)
        facts = MediaFacts(nominal_rate=Fraction(30_000, 1001), camera_make="Apple", camera_model="iPhone 15")
        path = tmp_path / "shapes" / "phone.mov"
        cli_library.add(library, encoder, path, [(RED, 0, 2)], codec="hevc", facts=facts, has_audio=True)
    monkeypatch.setattr(compose, "open_encoder", lambda settings, sources=None: encoder)
    monkeypatch.setenv("PRISMSEARCH_LIBRARY", str(directory))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def found(*arguments: str) -> list[str]:
    result = run(*arguments, "--json")
    assert result.exit_code in (0, 1), result.stderr
    return [os.path.basename(hit["path"]) for hit in json.loads(result.stdout)["hits"]]


def test_part_of_a_name_in_any_case() -> None:
    assert set(found("search", "red", "--named", "RÖTER")) == {"Rot und Röter.mp4"}
    assert set(found("search", "red", "--named", "gre")) == {"green.mp4"}
    assert found("search", "red", "--named", "films") == []


def test_shapes_and_sizes(root: Path) -> None:
    with Library.open(root / "library") as library:
        shapes = {os.path.basename(video.path): (video.width, video.height) for video in library.videos()}
    short = {name: min(shape) for name, shape in shapes.items()}
    least = max(short.values())
    assert set(found("search", "red", "-k", "50", "--show-duplicates", "--min-resolution", str(least))) == {
        name for name, side in short.items() if side >= least
    }
    assert found("search", "red", "--min-resolution", str(least + 1)) == []
    landscape = {name for name, (width, height) in shapes.items() if width > height}
    assert set(found("search", "red", "-k", "50", "--show-duplicates", "--orientation", "landscape")) == landscape
    result = run("search", "red", "--orientation", "round")
    assert result.exit_code == 2
    assert "landscape" in result.stderr


@pytest.mark.parametrize("shape", ["portrait", "square"])
def test_orientation_is_heeded_by_every_command_that_searches(shape: str) -> None:
    assert found("search", "red", "-k", "50", "--orientation", shape) == [f"{shape}.mp4"]
    assert found("similar", "films/red.mp4@0-2", "-k", "50", "--orientation", shape) == [f"{shape}.mp4"]
    exported = run("export", "red", "-k", "50", "--orientation", shape, "--to", "out", "--lists-only", "--list", "json")
    assert exported.exit_code == 0, exported.stderr
    clips = json.loads(Path("out/clips.json").read_text("utf-8"))["clips"]
    assert {os.path.basename(clip["source"]) for clip in clips} == {f"{shape}.mp4"}


def test_so_many_of_a_video_and_the_next_best_in_their_place() -> None:
    plain = found("search", "red", "-k", "4", "--show-duplicates")
    assert plain.count("Rot und Röter.mp4") == 3
    once = found("search", "red", "-k", "4", "--per-video", "1")
    assert len(once) == len(set(once)) == 4
    assert once[0] == plain[0]
    assert run("search", "red", "--per-video", "0").exit_code == 2


def test_duplicates_are_counted_behind_the_best_hidden_or_shown() -> None:
    shown = found("search", "red", "-k", "50", "--show-duplicates")
    names = found("search", "red", "-k", "50")
    assert names == found("search", "red", "-k", "50", "--hide-duplicates")
    assert len(set(names)) < len(names) + 1 <= len(shown)
    hits = json.loads(run("search", "red", "-k", "50", "--json").stdout)["hits"]
    assert sum(len(hit["alike"]) for hit in hits) == len(shown) - len(names)
    assert not any(
        hit["alike"] for hit in json.loads(run("search", "red", "--hide-duplicates", "--json").stdout)["hits"]
    )
    behind = next(hit for hit in hits if hit["alike"])
    line = run("search", "red", "-k", "50").stdout.splitlines()[behind["rank"] - 1]
    assert line.rstrip().endswith(f"(+{len(behind['alike'])} alike)")
    assert "alike" not in run("search", "red", "-k", "50", "--show-duplicates").stdout
    assert run("search", "red", "--hide-duplicates", "--show-duplicates").exit_code == 2
    # The example's own segments are no hits, so they hide no copy of themselves either.
    like = found("similar", "films/red.mp4@0-2", "-k", "50", "--hide-duplicates")
    assert like[0] == "Rot und Röter.mp4"
    assert like.count("Rot und Röter.mp4") == 1


@pytest.mark.parametrize("command", ["search", "similar", "export"])
def test_every_command_that_searches_has_them(command: str) -> None:
    text = run(command, "--help").stdout
    for option in (
        "--named",
        "--min-resolution",
        "--orientation",
        "--per-video",
        "--hide-duplicates",
        "--show-duplicates",
        "--takes",
    ):
        assert option in text


@pytest.mark.parametrize(
    "options",
    [
        ("--codec", "H.265"),
        ("--fps", "29.97"),
        ("--fps", "30000/1001"),
        ("--camera", "iphone"),
        ("--with-sound",),
    ],
)
def test_what_files_state_is_filtered_by_every_command(options: tuple[str, ...]) -> None:
    assert found("search", "red", "-k", "50", *options) == ["phone.mov"]
    assert found("similar", "films/red.mp4@0-2", "-k", "50", *options) == ["phone.mov"]
    assert run("export", "red", "--to", "out", "--lists-only", "--list", "json", *options).exit_code == 0
    (clip,) = json.loads(Path("out/clips.json").read_text("utf-8"))["clips"]
    assert os.path.basename(clip["source"]) == "phone.mov"


def test_without_sound_is_a_filter_too() -> None:
    names = found("search", "red", "-k", "50", "--show-duplicates", "--without-sound")
    assert "phone.mov" not in names
    assert len(names) == len(found("search", "red", "-k", "50", "--show-duplicates")) - 1


def test_an_export_asked_again_filters_alike() -> None:
    """A job is restarted with the options that were typed, maybe on another day and in another folder."""
    typed = [
        "red", "--to", "out", "--lists-only", "--in", "films", "--min-duration", "1m30s", "--since", "2025-01-01",
        "--until", "2025-01-02", "--recorded-since", "7d", "--fps", "30000/1001", "--camera", "sony ilce",
        "--without-sound",
    ]  # fmt: skip
    with export.make_context("export", typed) as context:
        first, words = context.params, given_options()
    with export.make_context("export", ["red", *words]) as context:
        again = context.params
    ends = again.pop("until"), first.pop("until")
    assert ends[0] // 1000 == ends[1] // 1000, "in microseconds"
    assert again.pop("folder") == os.path.abspath(first.pop("folder"))
    assert again.pop("directory") == os.path.abspath(first.pop("directory"))
    assert again == first
    with export.make_context("export", ["red", "--to", "out", "--with-sound"]):
        assert "--with-sound" in given_options()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--codec", "av1"), "no hits: no video has the codec av1; this library has h264, hevc"),
        (("--fps", "60"), "no hits: no video has the nominal frame rate 60; this library has 25, 29.97"),
        (("--camera", "sony"), "no hits: no video has the camera sony; this library has Apple iPhone 15"),
        (("--codec", "hevc", "--fps", "25"), "no hits: no shots match these filters"),
    ],
)
def test_a_value_that_no_video_has_is_named_with_those_that_there_are(options: tuple[str, ...], sentence: str) -> None:
    result = run("search", "red", *options)
    assert result.exit_code == 1
    assert sentence in result.stderr


def test_what_keeps_hits_out_is_told_apart(root: Path) -> None:
    with Library.open(root / "library") as library:

        def why(**given: Any) -> str:
            return nothing_found(library, SearchOptions(top_k=10, **{"threshold": None, "filters": Filters()} | given))

        hevc = Filters(codec="hevc")
        assert "no match is strong" in why(least_level="strong", filters=hevc)
        assert "no hits score 0.9 or more" in why(threshold=0.9, filters=hevc)
        assert "match these filters" in why(threshold=0.9, filters=replace(hevc, min_seconds=1e9))
        assert "only the examples" in why(filters=hevc)


@pytest.mark.parametrize("rate", ["fast", "0", "-25", "1/0", "nan"])
def test_a_frame_rate_is_a_positive_number(rate: str) -> None:
    result = run("search", "red", "--fps", rate)
    assert result.exit_code == 2
    assert "frame rate" in result.stderr or rate == "-25"
