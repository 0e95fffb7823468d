"""The options that narrow a search, as typed: what they let through, and that all three commands know them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import cli_library
import pytest
from click.testing import CliRunner, Result
from fakes import ColourEncoder

from app import compose
from app.cli import main
from db.library import Library

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
    assert set(found("search", "red", "-k", "50", "--min-resolution", str(least))) == {
        name for name, side in short.items() if side >= least
    }
    assert found("search", "red", "--min-resolution", str(least + 1)) == []
    landscape = {name for name, (width, height) in shapes.items() if width > height}
    assert set(found("search", "red", "-k", "50", "--orientation", "landscape")) == landscape
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
    plain = found("search", "red", "-k", "4")
    assert plain.count("Rot und Röter.mp4") == 3
    once = found("search", "red", "-k", "4", "--per-video", "1")
    assert len(once) == len(set(once)) == 4
    assert once[0] == plain[0]
    assert run("search", "red", "--per-video", "0").exit_code == 2


def test_duplicates_are_hidden_for_search_and_similar() -> None:
    names = found("search", "red", "-k", "50", "--hide-duplicates")
    assert names.count("Rot und Röter.mp4") + names.count("red.mp4") < len(found("search", "red", "-k", "50"))
    assert len(names) == len(found("search", "red", "-k", "50", "--hide-duplicates", "--per-video", "9"))
    # The example's own segments are no hits, so they hide no copy of themselves either.
    like = found("similar", "films/red.mp4@0-2", "-k", "50", "--hide-duplicates")
    assert like[0] == "Rot und Röter.mp4"
    assert like.count("Rot und Röter.mp4") == 1


@pytest.mark.parametrize("command", ["search", "similar", "export"])
def test_every_command_that_searches_has_them(command: str) -> None:
    text = run(command, "--help").stdout
    for option in ("--named", "--min-resolution", "--orientation", "--per-video", "--hide-duplicates"):
        assert option in text
