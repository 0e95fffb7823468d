"""SIGHUP and SIGTERM end a run as Ctrl-C does: what was finished is kept, and the exit code tells which it was."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner
from synthetic import make_video

from app.cli import main
from app.jobs.jobs import Jobs
from app.shell.interrupt import signals_raise, stop_on_interrupt
from app.shell.live_line import LiveLine

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals")

ROOT = Path(__file__).resolve().parent.parent
SLOW_RUN = """
import sys, time
from app import compose
from fakes import ColourEncoder

class Slow(ColourEncoder):
    def encode_clips(self, clips):
        time.sleep(0.3)
        return super().encode_clips(clips)

compose.open_encoder = lambda settings, sources=None: Slow()
from app.cli import main
main(prog_name="prismsearch")
"""
INDEX = ("index", "films", "--batch-size", "1", "--workers", "1", "--detector", "blend")
VIDEOS = 12


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the library of a folder with some videos will be."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PRISMSEARCH_LIBRARY", str(tmp_path / "library"))
    monkeypatch.setenv("PYTHONPATH", f"{ROOT}{os.pathsep}{ROOT / 'tests'}")
    (tmp_path / "films").mkdir()
    for number in range(VIDEOS):
        make_video(tmp_path / "films" / f"{number:02}.mp4", [("purple", 3 + number)], size=(32, 24))
    return tmp_path / "library"


def started(words: Sequence[str] = INDEX, *, before: Sequence[str] = ()) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*before, sys.executable, "-c", SLOW_RUN, *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def videos() -> int:
    result = CliRunner().invoke(main, ["list", "--json"])
    return len(json.loads(result.stdout)) if result.exit_code == 0 else 0


def wait_for_videos(library: Path, least: int) -> None:
    deadline = time.monotonic() + 120
    while not ((library / "library.sqlite3").exists() and videos() >= least):
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGHUP, 129), (signal.SIGTERM, 143)])
def test_a_run_ends_in_order_and_the_code_names_the_signal(library: Path, number: signal.Signals, code: int) -> None:
    process = started()
    wait_for_videos(library, 2)
    process.send_signal(number)
    out, err = process.communicate(timeout=120)
    assert process.returncode == code, err
    assert "what was finished is kept" in err
    assert re.search(rf"^{videos()} videos? added", out, re.MULTILINE), "the report is printed"
    assert 2 <= videos() < VIDEOS
    [state] = Jobs(library).all()
    assert (state.outcome, state.failed) == ("stopped", 0), "what was in flight is no failure"


def test_under_nohup_a_closed_terminal_ends_nothing(library: Path) -> None:
    process = started(before=["sh", "-c", 'trap "" HUP; exec "$@"', "sh"])
    wait_for_videos(library, 1)
    process.send_signal(signal.SIGHUP)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert videos() == VIDEOS


def test_a_terminal_that_is_closed_loses_nothing(library: Path) -> None:
    """All that is printed afterwards has nowhere to go, which must not end the run in another way."""
    child, terminal = pty.fork()
    if child == 0:
        os.execv(sys.executable, [sys.executable, "-c", SLOW_RUN, *INDEX])
    deadline = time.monotonic() + 120
    while not ((library / "library.sqlite3").exists() and videos() >= 2):
        assert time.monotonic() < deadline
        os.set_blocking(terminal, False)
        try:
            os.read(terminal, 65_536)
        except BlockingIOError:
            time.sleep(0.05)
    os.close(terminal)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 129
    assert 2 <= videos() < VIDEOS
    [state] = Jobs(library).all()
    assert (state.outcome, state.report["added"], state.failed) == ("stopped", videos(), 0)


def test_a_run_that_is_stopped_early_says_so_in_runs(library: Path) -> None:
    process = started()
    deadline = time.monotonic() + 120
    while not Jobs(library).all():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 143, err
    assert "Stopped before anything was finished." in err
    listed = CliRunner().invoke(main, ["runs"]).stdout
    assert "Stopped before anything was finished." in listed
    assert "kept" not in listed


def test_outside_of_a_run_a_signal_is_one_line_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.commands.runs.Jobs", lambda *_: signal.raise_signal(signal.SIGTERM))
    result = CliRunner().invoke(main, ["runs", "--json"])
    assert result.exit_code == 143
    assert result.stderr.count("\n") == 1
    assert json.loads(result.stdout)["code"] == 143
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL, "and nothing stays of it"


def test_a_question_during_a_run_is_ended_by_any_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    with stop_on_interrupt(LiveLine(), "Stopping.") as stopped:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with signals_raise(), pytest.raises(KeyboardInterrupt):
                signal.raise_signal(number)
        assert not stopped()
