"""The runner of the benchmarks: which it runs, what it keeps, and that `dev.py bench` reaches it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import dev
from benchmarks import __main__ as runner
from benchmarks._index_process import PARTS

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    folder = tmp_path / "measures"
    folder.mkdir()
    (folder / "good.py").write_text(
        '"""What good measures."""\nimport sys\nif __name__ == "__main__":\n'
        '    print("a table")\n    print(\'{"asked": "%s"}\' % " ".join(sys.argv[1:]))\n'
    )
    (folder / "page.py").write_text('"""Wants a browser."""\nif __name__ == "__main__":\n    raise SystemExit(4)\n')
    (folder / "_part.py").write_text('"""A part."""\nif __name__ == "__main__":\n    raise SystemExit(5)\n')
    return folder


def test_without_names_those_run_that_need_nothing(programs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert runner.main([], programs) == 0
    assert "What good measures" in capsys.readouterr().out
    assert runner.main(["page"], programs) == 1
    assert runner.main(["good", "page"], programs) == 1
    assert "FAILED  page" in capsys.readouterr().out


def test_results_are_added_with_date_and_machine(programs: Path, tmp_path: Path) -> None:
    results = tmp_path / "results"
    for words in (["--keep", "good", "--", "--runs", "5"], ["good", "--keep"], ["good"]):
        assert runner.main(words, programs, results) == 0
    runs = json.loads((results / "good.json").read_text())
    assert [run["result"]["asked"] for run in runs] == ["--runs 5", ""]
    assert runs[0]["machine"]["cores"]
    assert runs[0]["date"] <= runs[1]["date"]


def test_a_last_line_that_is_no_json_is_not_kept(
    programs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (programs / "good.py").write_text('"""Prints."""\nif __name__ == "__main__":\n    print("done")\n')
    assert runner.main(["good", "--keep"], programs, tmp_path / "results") == 0
    assert "not JSON" in capsys.readouterr().err
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize("words", [["nothing"], ["good", "page", "--", "--runs", "5"], ["--", "--runs"]])
def test_wrong_words_are_refused(programs: Path, words: list[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        runner.main(words, programs)
    assert stopped.value.code == 2


def test_dev_bench_hands_over_to_the_runner(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    handed: list[list[str]] = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(dev, "prepare", lambda place, extras: None)
    monkeypatch.setattr(dev, "hand_over", lambda command: handed.append(command) or 0)
    assert dev.main(["bench", "--list"]) == 0
    assert handed[0][1:] == ["-m", "benchmarks", "--list"]
    listed = subprocess.run([sys.executable, *handed[0][1:]], capture_output=True, text=True, check=True).stdout
    assert {"parity", "startup"} <= {line.split()[0] for line in listed.splitlines()}


def test_every_program_says_what_it_prints() -> None:
    programs = runner.find_programs(ROOT / "benchmarks")
    assert all(runner.first_line(path).strip() for path in programs.values())


def test_the_parts_of_decoding_are_named_by_modules_that_exist() -> None:
    """A module that was renamed would be a part of its own in the table, without any error."""
    modules = {path.stem for room in ("indexer", "db") for path in (ROOT / room).rglob("*.py")}
    assert set(PARTS) <= modules
