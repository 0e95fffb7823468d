"""--progress: JSON lines on standard error, few and whole; plain lines; nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result
from fakes import ColourEncoder
from synthetic import make_video

from app import compose
from app.cli import main
from app.shell import live_line
from app.shell.live_line import LiveLine, Shown
from app.shell.progress_mode import MODES

FIELDS = {"stage", "done", "total", "unit", "fraction", "eta_seconds", "speed", "failed", "current", "text"}


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def lines(result: Result) -> list[dict[str, Any]]:
    """Every line of standard error, which is one JSON object each."""
    return [json.loads(line) for line in result.stderr.splitlines()]


@pytest.fixture
def films(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(compose.LIBRARY_VARIABLE, str(tmp_path / "library"))
    monkeypatch.setattr(compose, "open_encoder", lambda *_: ColourEncoder())
    folder = tmp_path / "films"
    folder.mkdir()
    for number in range(3):
        make_video(folder / f"a\n{number}.mp4", [("red", 12 + number), ("blue", 12)])
    return folder


@pytest.mark.usefixtures("films")
def test_an_index_run_tells_its_stages_in_json() -> None:
    result = run("index", "films", "--progress", "json", "--json", "--detector", "blend")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["added"] == 3
    progress = [line for line in lines(result) if "stage" in line]
    assert all(set(line) == FIELDS for line in progress)
    stages = list(dict.fromkeys(line["stage"] for line in progress))
    assert stages[0] == "scan"
    assert stages[2:5] == ["index", "words", "vectors"]
    last = [line for line in progress if line["stage"] == "index"][-1]
    assert (last["done"], last["total"], last["unit"], last["fraction"], last["failed"]) == (3, 3, "files", 1.0, 0)
    assert all({"note"} == set(line) for line in lines(result) if "stage" not in line)


@pytest.mark.usefixtures("films")
def test_an_export_tells_its_clips_in_json_and_an_error_is_a_note() -> None:
    words = ["export", *(f"films/a\n{number}.mp4@0-0.5" for number in range(3)), "--to", "out"]
    result = run("--progress", "json", *words)
    assert result.exit_code == 0, result.output
    progress = [line for line in lines(result) if "stage" in line]
    assert (progress[0]["done"], progress[0]["total"], progress[0]["unit"]) == (0, 3, "clips")
    assert (progress[-1]["done"], progress[-1]["fraction"]) == (3, 1.0)
    assert [*lines(run("--progress", "json", "export", "typo.mp4", "--to", "x"))[0]] == ["note"]


@pytest.mark.usefixtures("films")
def test_the_mode_after_the_command_counts() -> None:
    assert lines(run("--progress", "none", "index", "films", "--progress", "json"))
    silent = run("index", "films", "--redo", "--progress", "none", "--detector", "blend", "--yes")
    assert "looking for" not in silent.stderr
    assert "indexing" not in silent.stderr
    assert run("index", "films", "--progress", "loud").exit_code == 2


def in_mode(mode: str, capfd: pytest.CaptureFixture[str], every: list[Shown]) -> list[str]:
    """What a line prints of so much progress."""
    with click.Context(click.Command("x")) as context:
        context.meta["prismsearch.progress"] = mode
        with LiveLine(every_seconds=3600) as line:
            for shown in every:
                line.show(shown)
            line.log("a note")
    return capfd.readouterr().err.splitlines()


def test_json_lines_are_few_and_the_last_of_each_stage_is_never_left_out(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter(number * 0.01 for number in range(1000))
    monkeypatch.setattr(live_line.time, "monotonic", lambda: next(clock))
    every = [Shown(stage=stage, text=f"{done}", done=done, total=99) for stage in ("a", "b") for done in range(100)]
    printed = [json.loads(line) for line in in_mode("json", capfd, every)]
    seen = [(line["stage"], line["done"]) for line in printed if "stage" in line]
    assert seen == [("a", 0), ("a", 50), ("a", 99), ("b", 0), ("b", 50), ("b", 99)]
    assert {"note": "a note"} in printed


def test_each_mode_has_its_lines(capfd: pytest.CaptureFixture[str]) -> None:
    every = [
        Shown(stage="a", text="one\nline", current=("caf\udce9\n.mp4",)),
        Shown(stage="b", text="b", at_once=False),
    ]
    printed = {mode: in_mode(mode, capfd, every) for mode in MODES}
    assert printed["none"] == ["a note"]
    assert printed["plain"] == printed["auto"] == ["one\\nline", "a note"]
    assert json.loads(printed["json"][0])["current"] == ["caf\udce9\n.mp4"]
    assert printed["json"][0].isascii()
