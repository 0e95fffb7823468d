"""`index --quick` and what the other commands say of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from fakes import ColourEncoder
from synthetic import make_video

from app import compose
from app.cli import main
from app.jobs.command_line import words_of
from app.jobs.orders import IndexOrder, OrderError, order_from_json, order_to_json


@pytest.fixture
def films(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    encoder = ColourEncoder(frames=8)
    monkeypatch.setattr(compose, "open_encoder", lambda settings, sources=None: encoder)
    monkeypatch.setenv("PRISMSEARCH_LIBRARY", str(tmp_path / "library"))
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "films"
    folder.mkdir()
    make_video(folder / "first.mp4", [("red", 25), ("blue", 25)], options={"g": "20"})
    make_video(folder / "second.mp4", [("green", 25)])
    return folder


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def record(*arguments: str) -> dict[str, Any]:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_quick_then_full(films: Path) -> None:
    first = run("index", "films", "--quick")
    assert first.exit_code == 0, first.output
    lines = first.stdout.splitlines()
    assert lines[0] == "2 videos added"
    waits = "2 videos wait for their full pass (prismsearch index FOLDER, without --quick)"
    assert f"quick so far: {waits}" in lines
    assert "shots are coarse" in first.stderr

    held = record("stats")
    [quick] = held["encoders"]
    assert (held["quick_videos"], quick["segments"]) == (2, held["segments"])
    assert quick["id"] == f"{quick['quick_of']}:quick4f"
    assert ["quick", waits] in [line.split(maxsplit=1) for line in run("stats").stdout.splitlines()]
    assert "2 of them quick so far: 0 full and" in run("doctor").stdout
    assert record("info", "films/first.mp4")["quick"] is True
    makes = "indexed by its key frames; prismsearch index FOLDER makes the full pass"
    assert ["quick", makes] in [line.split(maxsplit=1) for line in run("info", "films/first.mp4").stdout.splitlines()]

    planned = record("index", "films", "--dry-run")
    assert (len(planned["deepened"]), planned["again"]) == (2, [])
    assert "2 videos after a quick one" in run("index", "films", "--dry-run").stdout

    second = run("index", "films")
    assert second.exit_code == 0, second.output
    assert second.stdout.splitlines()[0] == "2 videos indexed in full after a quick pass"
    assert "quick so far" not in second.stdout
    held = record("stats")
    assert held["quick_videos"] == 0
    assert "quick encoder" not in run("stats").stdout
    assert record("info", "films/first.mp4")["quick"] is False
    assert "key frames" not in run("info", "films/first.mp4").stdout
    assert {each["quick_of"] is None: each["segments"] for each in held["encoders"]} == {True: 3, False: 0}
    assert run("index", "films", "--quick").stdout.splitlines()[0] == "2 videos unchanged"


def test_a_quick_run_changes_neither_encoder_nor_cuts(films: Path) -> None:
    assert run("index", "films", "--quick", "--detector", "content").exit_code == 0  # a new library
    result = run("index", "films", "--quick", "--detector", "adaptive")
    assert result.exit_code == 2
    assert "quick passes keep the library's encoder and cuts" in result.output
    assert run("index", "films", "--quick").exit_code == 0


@pytest.mark.parametrize("option", ["--redo", "--renew"])
def test_what_would_replace_full_passes_is_refused(films: Path, option: str) -> None:
    result = run("index", "films", "--quick", option)
    assert result.exit_code == 2
    assert "--quick leaves what is indexed in full" in result.output


def test_an_order_of_quick_passes_is_read_and_shown() -> None:
    order = IndexOrder(quick=True, paths=("/films",))
    assert order_from_json(order_to_json(order)) == order
    assert words_of(order) == ["index", "--quick", "--", "/films"]
    with pytest.raises(OrderError, match="exclude each other"):
        order_from_json({**order_to_json(order), "redo": True})


def test_a_read_only_library_is_refused(films: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from db.library import Library

    assert run("index", "films", "--quick").exit_code == 0
    monkeypatch.setattr(Library, "read_only", property(lambda self: True))
    result = run("index", "films", "--quick")
    assert result.exit_code == 3
    assert "read-only: nothing was indexed" in result.output
