"""The campaigns' own machinery: what a failing case says and keeps, seeds, children, the runner."""

from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import dev
from campaigns import __main__ as runner
from campaigns import _campaign
from campaigns._campaign import Case, Kind, Skip
from campaigns._children import Fault

ROOT = Path(__file__).resolve().parent.parent
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="campaigns need fork and /proc")


@pytest.fixture(autouse=True)
def cold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_campaign, "warm_up", lambda *modules: None)
    monkeypatch.setattr(_campaign.signal, "signal", lambda *_: None)
    for name in ("OMP_NUM_THREADS", "OMP_WAIT_POLICY", "OPENBLAS_NUM_THREADS"):
        monkeypatch.setenv(name, "1")
    monkeypatch.setattr(sys, "path", [*sys.path])


def fails_at_1(case: Case) -> None:
    case.count("turns")
    (case.folder / "evidence").write_text("here")
    if case.number == 1:
        raise Fault("it fell over")


def test_a_case_that_fails_says_how_to_run_it_again_and_keeps_its_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--minutes", "0", "--seed", "7", "--folder", str(tmp_path)]
    assert _campaign.main("kills", {"odd": Kind(fails_at_1, weight=1)}, [*words, "--only", "odd:1"], "") == 1
    *lines, last = capsys.readouterr().out.splitlines()
    assert "FAULT odd:1 (seed 7): it fell over" in lines[0]
    assert "again: python -m campaigns kills --seed 7 --only odd:1" in lines[2]
    assert (tmp_path / "kept" / "odd-1" / "evidence").read_text() == "here"
    record = json.loads(last)
    assert (record["faults"], record["failed"], record["kinds"]) == (
        1,
        ["odd:1"],
        {"odd": {"turns": 1, "faults": 1, "cases": 1}},
    )


def test_every_kind_has_a_turn_and_what_a_machine_lacks_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def skips(case: Case) -> None:
        raise Skip("no such thing here")

    kinds = {"sound": Kind(lambda case: case.count("turns"), 3), "absent": Kind(skips)}
    assert _campaign.main("any", kinds, ["--minutes", "0", "--folder", str(tmp_path)], "") == 0
    record = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert record["counts"] == {"cases": 1, "turns": 1}
    assert record["skipped"] == {"absent": "no such thing here"}


def test_a_case_depends_on_seed_kind_and_number_alone(tmp_path: Path) -> None:
    drawn: list[tuple[str, int, float]] = []
    kinds = {
        name: Kind(lambda case: drawn.append((case.kind, case.number, case.random.random()))) for name in ("a", "b")
    }
    for seed in ("1", "2"):
        _campaign.main("any", kinds, ["--minutes", "0", "--seed", seed, "--folder", str(tmp_path)], "")
    _campaign.main("any", kinds, ["--seed", "1", "--only", "b:0", "--folder", str(tmp_path)], "")
    assert len({value for _, _, value in drawn[:4]}) == 4
    assert drawn[4] == drawn[1]


CHILDREN = """
import signal, sys
from pathlib import Path
from campaigns._children import Fault, call, require_one_line, start

folder = Path(sys.argv[1])
assert call(lambda one, other: one + other, 3, 4, log=folder / "sum") == 7


def message(act, *arguments, **named):
    try:
        act(*arguments, **named)
    except Fault as fault:
        return str(fault)


assert "ended with 70: ZeroDivisionError" in message(call, lambda: 1 / 0, log=folder / "zero")
child = start(signal.pause, folder / "sleeper")
assert not child.ended()
child.kill(group=True)
assert child.code == -signal.SIGKILL
assert "raw: it was ended by signal 9" in message(require_one_line, child, "it", codes=[0])
for text in ("Traceback (most recent call last)", "an error in prismsearch itself (KeyError)"):
    child = start(lambda: sys.exit(print(text) or 3), folder / "raw")
    assert child.wait() == 3
    assert message(require_one_line, child, "it", codes=[0, 3]).startswith("raw: ")
child = start(lambda: sys.exit(print("the disk is full") or 3), folder / "told")
child.wait()
assert message(require_one_line, child, "it", codes=[0, 3]) is None
"""


def test_children_answer_fail_are_killed_and_judged(tmp_path: Path) -> None:
    """In a process of its own: pytest's threads have no business in a fork."""
    run = subprocess.run(
        [sys.executable, "-c", CHILDREN, tmp_path], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert run.returncode == 0, run.stderr


def test_the_runner_shares_the_time_and_adds_up(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given: list[tuple[str, float]] = []

    def follow(name: str, words: list[str]) -> tuple[int, dict[str, int]]:
        given.append((name, float(words[1])))
        return (1, {"faults": 2}) if name == "b" else (0, {"faults": 0})

    monkeypatch.setattr(runner, "follow", follow)
    assert runner.main(["--minutes", "4"], {"a": 3, "b": 1}) == 1
    assert [(name, round(minutes)) for name, minutes in given] == [("a", 3), ("b", 4)], "what a left is b's"
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["faults"] == 2
    for words in (["c"], ["--only", "x:1"]):
        with pytest.raises(SystemExit):
            runner.main(words, {"a": 3, "b": 1})


def test_every_program_is_run_and_documented() -> None:
    programs = {path.stem for path in (ROOT / "campaigns").glob("[a-z]*.py")}
    assert programs == set(runner.SHARES)
    assert programs == set(
        re.findall(r"^\| (\w+)\.py \|", (ROOT / "campaigns/README.md").read_text("utf-8"), re.MULTILINE)
    )
    for name in programs:
        assert importlib.import_module(f"campaigns.{name}").KINDS


def test_dev_campaign_hands_over_to_the_runner(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    handed: list[list[str]] = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(dev, "prepare", lambda place, extras: None)
    monkeypatch.setattr(dev, "hand_over", lambda command: handed.append(command) or 0)
    assert dev.main(["campaign", "kills", "--minutes", "1"]) == 0
    assert handed[0][1:] == ["-m", "campaigns", "kills", "--minutes", "1"]
