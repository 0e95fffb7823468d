"""`bench mine` as a person uses it, on a small library of colours."""

from __future__ import annotations

import csv
import io
import json
import os
from pathlib import Path
from typing import Any

import cli_library
import pytest
from click.testing import CliRunner, Result
from fakes import ColourEncoder

from app import compose
from app.cli import main
from app.evaluation.own_questions import QuestionLine
from app.evaluation.question_store import QuestionStore

QUESTIONS = "question,file,start,end\nred,red.mp4,0,2\nblue,films/red.mp4,2,4\ngreen,green.mp4,,\nplaid,,,\n"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    encoder = ColourEncoder()
    monkeypatch.setattr(compose, "open_encoder", lambda settings, sources=None, **_: encoder)
    monkeypatch.setenv("PRISMSEARCH_LIBRARY", str(cli_library.build(tmp_path, encoder)))
    monkeypatch.setenv("PRISMSEARCH_ENCODER", "demo")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.csv").write_text(QUESTIONS)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["bench", "mine", *arguments])


def record(*arguments: str) -> dict[str, Any]:
    result = run(*arguments, "--json")
    assert result.exit_code in (0, 1), result.stderr
    found: dict[str, Any] = json.loads(result.stdout)
    return found


@pytest.mark.usefixtures("root")
def test_every_question_is_ranked_and_measured() -> None:
    found = record("mine.csv")
    assert (found["questions"], found["with_answers"], found["without_answers"]) == (4, 3, 1)
    assert (found["shots"], found["videos"], found["encoder"]) == (5, 4, ColourEncoder().id)
    assert found["measures"]["shots_r1"] == {"value": 1.0, "interval": None, "questions": 3}
    first, *_, last = found["results"]
    assert (first["question"], first["shots"]) == ("red", {"rank": 1.0, "above": 0, "equal": 0})
    assert (os.path.basename(first["best_right"]["file"]), first["best_right"]["start"]) == ("red.mp4", 0.0)
    assert os.path.basename(first["best_wrong"]["file"]) == "red@home.mp4"
    assert (last["shots"], last["best_wrong"]) == (None, None)
    assert sum(found["levels"]["with_answers"].values()) == 3
    assert found["machine"]["cores"] >= 1
    assert set(found["seconds_per_question"]) == {"p50", "p95"}
    assert found["left_out"] == []


@pytest.mark.usefixtures("root")
def test_the_table_says_all_of_it_to_people() -> None:
    result = run("mine.csv")
    assert result.exit_code == 0, result.stderr
    assert result.stdout.startswith("3 questions with answers, 1 without; 5 shots of 4 videos\n")
    row = next(line for line in result.stdout.splitlines() if line.startswith("R@1 shots"))
    assert row.split("  ", 1)[1].split() == ["100.0", "%", "-", "3"]


def test_every_question_goes_into_a_table_and_questions_are_never_replaced(root: Path) -> None:
    assert run("mine.csv", "--questions", "each.csv").exit_code == 0
    rows = list(csv.DictReader(io.StringIO((root / "each.csv").read_text("utf-8-sig"))))
    assert [row["question"] for row in rows] == ["red", "blue", "green", "plaid"]
    assert (rows[1]["rank"], rows[1]["best_right_start"]) == ("1", "00:00:02.000")
    assert (rows[3]["rank"], rows[3]["best_right_file"]) == ("", "")
    refused = run("mine.csv", "--questions", "mine.csv")
    assert refused.exit_code == 2
    assert "would be replaced" in refused.stderr
    assert (root / "mine.csv").read_text() == QUESTIONS
    for place in ("films", "nowhere/each.csv"):
        refused = run("mine.csv", "--questions", place)
        assert (refused.exit_code, refused.stderr.count("\n")) == (2, 1)


def test_two_runs_are_compared(root: Path) -> None:
    (root / "before.json").write_text(json.dumps(record("mine.csv")))
    (root / "more.csv").write_text(QUESTIONS.replace("red,red.mp4,0,2", "red,gone.mp4,0,2"))
    found = record("more.csv", "--against", "before.json")
    against = found["against"]
    assert (against["questions"], against["differs_in"]) == (4, [])
    assert against["measures"]["shots_r1"]["value"] == pytest.approx(-1 / 3)
    shown = run("more.csv", "--against", "before.json").stdout
    assert "this run minus before.json" in shown
    rows = [line.split() for line in shown.splitlines() if line.startswith("R@1 shots")]
    assert rows[1][:3] == ["R@1", "shots", "-33.3"]
    assert "another number of shots" not in run("more.csv", "--against", "before.json").stderr
    (root / "before.json").write_text(json.dumps(record("mine.csv") | {"shots": 4}))
    assert "another number of shots" in run("mine.csv", "--against", "before.json").stderr
    for content in ("[]", "{", '{"evaluation": "mine"}', '{"evaluation": "mine", "results": [{"question": 3}]}'):
        (root / "odd.json").write_text(content)
        refused = run("mine.csv", "--against", "odd.json")
        assert refused.exit_code == 3, content
        assert refused.stderr.startswith("prismsearch: odd.json: ")
        assert refused.stderr.count("\n") == 1


def test_what_the_library_lacks_is_left_out_and_told(root: Path) -> None:
    (root / "mine.csv").write_text(QUESTIONS + "a boat,boat.mp4,,\nred,nowhere.mp4,,\n")
    result = run("mine.csv")
    assert result.exit_code == 1
    assert "line 6 is left out: boat.mp4 is not in the library" in result.stderr
    assert "line 7 is left out: nowhere.mp4" in result.stderr
    found = record("mine.csv")
    assert [(each["line"], each["question"]) for each in found["left_out"]] == [(6, "a boat"), (7, "red")]
    assert found["questions"] == 4, "a question with another answer is asked"
    (root / "mine.csv").write_text("question,file\na boat,boat.mp4\n")
    refused = run("mine.csv")
    assert refused.exit_code == 3
    assert "line 2: boat.mp4 is not in the library" in refused.stderr


def test_without_a_file_the_questions_of_the_page_are_asked(root: Path) -> None:
    refused = run()
    assert refused.exit_code == 3
    assert "write some on the Questions page" in refused.stderr
    store = QuestionStore(root / "library")
    store.add(QuestionLine("red", str(root / "films/red.mp4"), "0", "2"))
    assert record()["measures"]["shots_r1"]["value"] == 1.0


@pytest.mark.parametrize(
    ("content", "code", "told"),
    [
        (None, 3, "mine.csv: no such file"),
        (b"", 3, "mine.csv: it is empty"),
        (b"question,file\n", 3, "mine.csv has no questions"),
        (b"question,file\n\xff,b\n", 3, "mine.csv: line 2 is not in UTF-8"),
    ],
)
def test_a_bad_file_is_one_line(root: Path, content: bytes | None, code: int, told: str) -> None:
    (root / "mine.csv").unlink()
    if content is not None:
        (root / "mine.csv").write_bytes(content)
    result = run("mine.csv")
    assert result.exit_code == code
    assert told in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.usefixtures("root")
def test_one_seed_gives_one_interval() -> None:
    assert record("mine.csv", "--seed", "3")["measures"] == record("mine.csv", "--seed", "3")["measures"]
    assert record("mine.csv", "--seed", "3")["seed"] == 3


def test_help_has_the_evaluation_without_importing_it() -> None:
    shown = CliRunner().invoke(main, ["bench", "--help"]).stdout
    assert "mine" in shown
