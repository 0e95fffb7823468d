"""`bench moments` on small videos of three colours: a table of one's own, Charades-STA's format, multiple choice."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from fakes import ColourEncoder
from synthetic import make_video
from test_cli_bench_classify import HereWorkers

from app.cli import main
from app.evaluation.datasets.charades_sta import read_charades_sta
from app.evaluation.datasets.moment_table import read_moment_table
from app.evaluation.moment_questions import MomentQuestion
from app.text_files import TextFileError

TABLE = (
    "question,file,start,end\n"
    "red,AB1.mp4,0,1.2\nblue,AB1.mp4,1.2,2.2\ngreen,AB1.mp4,2.2,3.8\nyellow,CD2.mp4,0,1\npurple,CD2.mp4,1,2.6\n"
)
CHARADES = "AB1 0.0 1.2##red\nAB1 1.2 2.2##blue\nAB1 2.2 3.8##green\nCD2 0 1##yellow\nCD2 1.0 2.6##purple\n"


@pytest.fixture
def videos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    encoder = ColourEncoder()
    monkeypatch.setattr("app.commands.fetch_model.open_or_download_encoder", lambda *_, **__: encoder)
    monkeypatch.setattr("app.media_workers.MediaWorkers", HereWorkers)
    monkeypatch.setenv("PRISMSEARCH_LIBRARY", str(tmp_path / "library"))
    monkeypatch.setenv("PRISMSEARCH_ENCODER", "demo")
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "videos"
    (folder / "deeper").mkdir(parents=True)
    make_video(folder / "AB1.mp4", [("red", 30), ("blue", 25), ("green", 40)])
    make_video(folder / "deeper" / "CD2.mkv", [("yellow", 25), ("purple", 40)])
    return folder


def run(questions: str, *options: str, name: str = "questions.csv") -> Result:
    Path(name).write_text(questions)
    arguments = ["bench", "moments", "--videos", "videos", "--questions", name, "--work", "work", *options]
    return CliRunner().invoke(main, arguments)


def document(questions: str, *options: str) -> dict[str, Any]:
    result = run(questions, *options, "--json")
    assert result.exit_code in (0, 1), result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


@pytest.mark.usefixtures("videos")
def test_moments_within_one_shot_and_hits_alone() -> None:
    found = document(TABLE, "--one-shot", "--answers", "answers.csv")
    assert (found["task"], found["one_shot"], found["questions"]["asked"]) == ("moments", True, 5)
    assert found["moments"]["recall_at_1_iou_0.5"]["value"] == 1
    assert found["moments"]["mean_iou"]["value"] > 0.8
    assert found["hits"]["recall_at_1_iou_0.7"]["value"] == 0
    assert found["seconds_per_moment"]["p50"] >= 0
    rows = list(csv.DictReader(Path("answers.csv").read_text(encoding="utf-8-sig").splitlines()))
    assert [row["question"] for row in rows] == ["red", "blue", "green", "yellow", "purple"]
    assert float(rows[1]["start"]) == pytest.approx(1.2, abs=0.2)
    assert (rows[1]["true"], float(rows[1]["hit_end"])) == ("1.2-2.2", 3.8)


@pytest.mark.usefixtures("videos")
def test_videos_are_cut_as_the_product_cuts_them() -> None:
    found = document(TABLE)
    assert found["hits"]["recall_at_1_iou_0.7"]["value"] == 1
    assert found["moments"]["recall_at_1_iou_0.7"]["value"] == 1


@pytest.mark.usefixtures("videos")
def test_the_format_of_charades_sta_and_a_table_for_people() -> None:
    result = run(CHARADES, "--dataset", "charades-sta", "--one-shot")
    assert result.exit_code == 0, result.output
    assert "R@1 at 0.5" in result.stdout
    assert "hits alone" in result.stdout
    assert "A moment takes" in result.stdout


@pytest.mark.usefixtures("videos")
def test_multiple_choice_has_a_name_of_its_own() -> None:
    found = document(CHARADES, "--dataset", "charades-sta", "--choice", "--answers", "picked.csv")
    assert found["task"] == "multiple choice"
    assert "moments" not in found
    assert found["choice"]["accuracy"]["value"] == 1
    assert (found["choice"]["clips"], found["choice"]["alone"]) == (5, 0)
    rows = list(csv.DictReader(Path("picked.csv").read_text(encoding="utf-8-sig").splitlines()))
    assert [row["picked"] for row in rows] == ["red", "blue", "green", "yellow", "purple"]
    alone = document("AB1 0 1##red\nCD2 0 1##purple\nCD2 1 2##yellow\n", "--dataset", "charades-sta", "--choice")
    assert (alone["choice"]["clips"], alone["choice"]["alone"], alone["choice"]["accuracy"]["value"]) == (2, 1, 0)
    result = run(CHARADES, "--dataset", "charades-sta", "--choice")
    assert "MC Acc: 100.0" in result.stdout


@pytest.mark.usefixtures("videos")
def test_what_is_missing_is_named() -> None:
    result = run(TABLE + "white,EF3.mp4,0,1\nblack,AB1.mp4,3,3\n,AB1.mp4,0,1\n", "--one-shot")
    assert result.exit_code == 1, result.output
    assert "missing: EF3: no file" in result.stderr
    assert "1 line without" in result.stderr
    nothing = run("question,file,start,end\nwhite,EF3.mp4,0,1\n")
    assert nothing.exit_code == 3
    assert run("question,file,start,end\nwhite,,,\n").exit_code == 2
    assert run(CHARADES, "--dataset", "charades-sta", "--choice", "--one-shot").exit_code == 2


def test_lines_of_one_question_are_several_moments(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("question,file,start,end\nred,a/AB1.mp4,0:01,2s\nred,AB1.mov,5,6\nblue,AB1.mp4,0,1\n")
    assert read_moment_table(path).questions == (
        MomentQuestion("AB1", "red", ((1, 2), (5, 6))),
        MomentQuestion("AB1", "blue", ((0, 1),)),
    )
    path.write_text("question,file,start,end\nred,a.mp4,soon,2\n")
    with pytest.raises(TextFileError, match="line 2"):
        read_moment_table(path)


@pytest.mark.parametrize("line", ["AB1 0 1 red", "AB1 0##red", "AB1 0 x##red", "AB1 0 1##", "AB1 0 1 2##red"])
def test_lines_of_another_kind_are_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "charades_sta_test.txt"
    path.write_text(f"AB1 0.5 3.0##person sits.\n{line}\n")
    with pytest.raises(TextFileError, match="line 2"):
        read_charades_sta(path)


def test_moments_without_a_length_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "charades_sta_test.txt"
    path.write_text("AB1 3.0 3.0##a\nAB1 4 3##b\nAB1 0 inf##c\nAB1 nan 1##d\nAB1 -1 1##e\nAB1 0 1## two  words \n")
    found = read_charades_sta(path)
    assert found.left_out == 5
    assert found.questions == (MomentQuestion("AB1", "two words", ((0, 1),)),)
