"""`prismsearch runs`, and the journals that `index` and `retry` keep in the shell."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from fakes import ColourEncoder
from synthetic import make_video

from app import compose
from app.cli import main
from app.commands.fetch_model import DownloadLine
from app.jobs.jobs import Jobs
from app.jobs.orders import DownloadOrder, IndexOrder, order_of
from app.jobs.state import JobState
from app.shell.live_line import LiveLine
from encoder.checkpoints import hub
from encoder.checkpoints.transfer import DownloadProgress

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def films(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    encoder = ColourEncoder()
    monkeypatch.setattr(compose, "open_encoder", lambda settings, sources=None: encoder)
    monkeypatch.setenv("PRISMSEARCH_LIBRARY", str(tmp_path / "library"))
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "films"
    folder.mkdir()
    make_video(folder / "first.mp4", [("red", 25), ("blue", 25)])
    (folder / "broken.mp4").write_bytes(b"no video at all" * 100)
    return folder


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def journals() -> list[JobState]:
    return Jobs(Path("library")).all()


def test_an_index_run_of_the_shell_keeps_a_journal(films: Path) -> None:
    assert run("index", "films").exit_code == 1
    [state] = journals()
    assert (state.kind, state.title, state.outcome, state.message) == (
        "index",
        "films",
        "done",
        "1 video added, 1 failed",
    )
    assert [(os.path.basename(each.path), bool(each.reason)) for each in state.failures] == [("broken.mp4", True)]
    assert (state.report["added"], state.report["clips"]) == (1, 2)
    assert (state.progress.phase, state.progress.files_total, state.progress.fraction) == ("done", 2, 1.0)


def test_its_words_do_the_same_from_anywhere(films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = ["--segment-seconds", "0.5s", "--overlap-seconds", "0", "--detector", "content", "-o", "threshold=20"]
    given += ["--exclude", "br*", "--exclude", "*/raw/*", "--redo", "--workers", "1"]
    assert run("--encoder", "demo", "index", "films", *given, "--json").exit_code == 0
    words = list(journals()[0].arguments)
    assert words[:3] == ["index", "--encoder", "videoprism_lvt_demo"]
    assert words[-2:] == ["--", str(films)]
    pairs = list(pairwise(words))
    assert ("--segment-seconds", "0.5") in pairs
    assert ("--overlap-seconds", "0") in pairs
    assert ("--detector-option", "threshold=20") in pairs
    assert [words[at + 1] for at, word in enumerate(words) if word == "--exclude"] == ["br*", "*/raw/*"]
    assert "--redo" in words
    assert "--json" not in words
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    assert run(*words).exit_code == 0
    monkeypatch.chdir(tmp_path)
    assert journals()[0].report["updated"] == 1
    assert list(journals()[0].arguments) == words
    order = order_of(journals()[0])
    assert isinstance(order, IndexOrder)
    assert (order.encoder, order.shaping.detector_options, order.exclude, order.workers, order.paths) == (
        "videoprism_lvt_demo", ("threshold=20",), ("br*", "*/raw/*"), 1, (str(films),),
    )  # fmt: skip


def test_retry_keeps_a_journal_that_names_what_was_asked_for(films: Path) -> None:
    run("index", "films")
    assert run("retry", "films").exit_code == 1
    state = journals()[0]
    assert (state.kind, state.title, state.outcome) == ("index", "1 failed file", "done")
    assert (state.arguments[0], state.arguments[-2:]) == ("retry", ("--", str(films)))


def test_a_run_that_cannot_go_on_says_why(films: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: ColourEncoder, clips: Any) -> Any:
        raise RuntimeError("the device is gone")

    monkeypatch.setattr(ColourEncoder, "encode_clips", broken)
    assert run("index", "films").exit_code == 3
    assert journals()[0].outcome == "failed"
    assert "the device is gone" in journals()[0].message


def test_runs_are_listed_for_people_and_for_scripts(films: Path) -> None:
    empty = run("runs")
    assert (empty.exit_code, empty.stdout, empty.stderr) == (0, "", "no runs yet\n")
    assert not Path("library").exists(), "looking makes nothing"
    assert json.loads(run("runs", "--json").stdout) == []
    run("index", "films")
    [state] = journals()
    first, second = run("runs").stdout.splitlines()
    assert first.split()[0] == state.id
    assert first.endswith("done  index  films")
    assert second == "  1 video added, 1 failed"
    [record] = json.loads(run("runs", "--json").stdout)
    assert (record["id"], record["outcome"], record["failures"][0]["path"]) == (
        state.id, "done", str(films / "broken.mp4"),
    )  # fmt: skip


def test_what_cannot_be_stopped_is_said(films: Path) -> None:
    run("index", "films")
    over = run("runs", "--stop", journals()[0].id)
    assert over.exit_code == 3
    assert "has already ended (done)" in over.stderr
    assert "there is no run" in run("runs", "--stop", "../../x").stderr
    run("index", "films")
    assert "2 runs begin with 20" in run("runs", "--stop", "20").stderr


BLEND = ("--detector", "blend")  # in a process of its own the default would be a network
SLOW_RUN = """
import sys, time
from app import compose
from fakes import ColourEncoder

class Slow(ColourEncoder):
    def encode_clips(self, clips):
        time.sleep(0.2)
        return super().encode_clips(clips)

compose.open_encoder = lambda settings, sources=None: Slow()
from app.cli import main
main(prog_name="prismsearch")
"""


def test_another_process_sees_a_run_and_stops_it_with_nothing_lost(films: Path) -> None:
    for number in range(20):
        make_video(films / f"more {number:02}.mp4", [("purple", 3 + number)], size=(32, 24))
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW_RUN, "index", "films", "--batch-size", "1", "--workers", "1", *BLEND],
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 120
    current: set[str] = set()
    while not (journals() and journals()[0].progress.files_done >= 3 and current):
        current.update(*(state.progress.current for state in journals()))
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    [state] = journals()
    assert (state.outcome, state.pid, state.progress.phase) == (None, process.pid, "index")
    assert current <= set(map(str, films.iterdir()))
    assert [os.path.basename(each.path) for each in state.failures] == ["broken.mp4"], "told as it came"
    listed = run("runs").stdout
    assert "running" in listed
    assert "/22 videos" in listed
    assert run("runs", "--stop", state.id).exit_code == 0
    _, err = process.communicate(timeout=120)
    assert process.returncode == 130, err
    assert "what was finished is kept" in err
    [state] = journals()
    assert (state.outcome, state.report["interrupted"]) == ("stopped", True)
    finished = state.report["added"]
    assert 2 <= finished < 21
    assert run(*state.arguments).exit_code == 0
    assert (journals()[0].report["unchanged"], journals()[0].report["added"]) == (finished, 21 - finished)


def test_a_download_is_seen_and_can_be_stopped(tmp_path: Path) -> None:
    (tmp_path / "library").mkdir()
    jobs = Jobs(tmp_path / "library")
    job = jobs.begin("download", "model base", DownloadOrder(model="base"))

    def download() -> None:
        with LiveLine() as line, job:
            shower = DownloadLine(line, job)
            shower.show(DownloadProgress("weights.npz", 250, 1000))
            assert not job.stop_requested()
            jobs.stop(job.id)
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline:
                shower.show(DownloadProgress("weights.npz", 500, 1000))

    with pytest.raises(KeyboardInterrupt):
        download()
    state = jobs.get(job.id)
    assert (state.outcome, state.progress.fraction, state.progress.current) == ("stopped", 0.5, ("weights.npz",))


def test_the_model_that_is_here_already_is_a_run_that_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRISMSEARCH_LIBRARY", str(tmp_path / "library"))
    monkeypatch.setattr(hub, "fetch", lambda published, **_: tmp_path / published.file)
    assert run("fetch-model", "--yes").exit_code == 0
    assert not (tmp_path / "library").exists(), "a download makes no library"
    (tmp_path / "library").mkdir()
    assert run("fetch-model", "large", "--yes").exit_code == 0
    [state] = Jobs(tmp_path / "library").all()
    assert (state.kind, state.title, state.outcome) == ("download", "model large", "done")
    assert state.arguments == ("fetch-model", "large", "--yes")
