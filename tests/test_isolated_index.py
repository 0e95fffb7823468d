"""Indexing in worker processes: the library is that of threads, and what goes wrong in a decoder costs one file."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import pytest
import worker_tasks
from fakes import ColourEncoder
from pretend import snapshot
from synthetic import make_video
from test_learned_detector import ScriptedScorer

from db.library import Library
from indexer import scanning
from indexer.new_files import NewFile
from indexer.pipeline import index_folders
from indexer.report import IndexReport
from indexer.settings import IndexSettings, RunOptions

SHOTS = [("red", "blue"), ("green", "white"), ("yellow",), ("purple", "cyan")]
posix = pytest.mark.skipif(os.name == "nt", reason="signals")


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("footage")
    for number, colours in enumerate(SHOTS):
        make_video(root / f"{number}.mkv", [(colour, 18) for colour in colours], size=(48, 32))
    (root / "no video.mp4").write_bytes(b"something else" * 100)
    return root


def index(library: Path, root: Path, settings: IndexSettings | None = None, **options: Any) -> IndexReport:
    options.setdefault("isolated", True)
    named = {name: options.pop(name) for name in ("run_pass", "cancelled", "scorer", "on_progress") if name in options}
    with Library.open(library) as opened:
        return index_folders(
            opened, ColourEncoder(), [root], settings or IndexSettings(), RunOptions(**options), **named
        )


def contents(library: Path) -> dict[str, object]:
    with Library.open(library) as opened:
        assert opened.check() == []
        return snapshot(opened, ColourEncoder().id)


def test_the_library_is_that_of_threads(footage: Path, tmp_path: Path) -> None:
    reports = [index(tmp_path / str(isolated), footage, isolated=isolated) for isolated in (False, True)]
    assert contents(tmp_path / "True") == contents(tmp_path / "False")
    assert [(each.added, each.clips, each.frames) for each in reports] == [(4, 7, 126)] * 2
    assert reports[0].failed[0].reason == reports[1].failed[0].reason
    assert reports[1].video_seconds == pytest.approx(reports[0].video_seconds)
    assert index(tmp_path / "True", footage).unchanged == 4


def test_the_network_that_scores_frames_stays_in_this_process(tmp_path: Path) -> None:
    """More frames than a window, so that scores come while frames do, and with the same frame in both ways."""
    root = tmp_path / "footage"
    root.mkdir()
    make_video(root / "a.mp4", [("grey", 250)], size=(48, 32))
    settings = IndexSettings(detector="learned")
    for isolated in (False, True):
        scorer = ScriptedScorer({40: 0.9, 121: 0.9, 200: 0.9, 245: 0.9})
        report = index(tmp_path / str(isolated), root, settings, isolated=isolated, scorer=scorer)
        assert (report.added, report.clips) == (1, 5)
        assert len(scorer.seen) >= 250
    assert contents(tmp_path / "True") == contents(tmp_path / "False")


@posix
def test_a_crash_a_hang_and_a_lack_of_memory_cost_one_file_each(footage: Path, tmp_path: Path) -> None:
    root = tmp_path / "footage"
    root.mkdir()
    names = ["0.mkv", "abort.mkv", "hang.mkv", "memory.mkv", "3.mkv"]
    for number, name in enumerate(names):
        make_video(root / name, [("red", 10 + number)], size=(48, 32))
    library = tmp_path / "library"
    report = index(library, root, run_pass=worker_tasks.faulty_pass, stall_seconds=2.0, decode_memory_gib=1.5)
    assert (report.added, report.stopped, report.interrupted) == (2, "", False)
    failed = {Path(each.path).name: each for each in report.failed}
    assert {name: each.kind for name, each in failed.items()} == {
        "abort.mkv": "crashed",
        "hang.mkv": "stalled",
        "memory.mkv": "memory",
    }
    assert "SIGABRT" in failed["abort.mkv"].reason
    again = index(library, root)
    assert (again.unchanged, len(again.skipped_failed), again.failed) == (2, 3, ())
    assert index(library, root, retry_failed=True).added == 3


@posix
def test_a_run_is_stopped_whatever_a_decoder_does(tmp_path: Path) -> None:
    root = tmp_path / "footage"
    root.mkdir()
    make_video(root / "hang.mkv", [("red", 10)], size=(48, 32))
    decoding = threading.Event()

    def on_progress(progress: Any) -> None:
        if progress.phase == "index" and progress.current:
            decoding.set()

    report = index(
        tmp_path / "library",
        root,
        run_pass=worker_tasks.faulty_pass,
        on_progress=on_progress,
        cancelled=decoding.is_set,
        stall_seconds=10_000.0,
    )
    assert report.interrupted
    assert contents(tmp_path / "library") == {}


def test_a_folder_that_does_not_answer_costs_its_root(
    footage: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scanning, "_scan", worker_tasks.faulty_scan)
    silent = tmp_path / "drive" / "silent"
    silent.mkdir(parents=True)
    with Library.open(tmp_path / "library") as library:
        report = index_folders(
            library,
            ColourEncoder(),
            [footage / "0.mkv", tmp_path / "drive"],
            IndexSettings(),
            RunOptions(isolated=True, stall_seconds=2.0),
        )
    assert report.added == 1
    assert [problem.path for problem in report.problems] == [str(silent)]
    assert "is not responding" in report.problems[0].reason


def test_a_scan_whose_process_ends_is_done_by_another(
    footage: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scanning, "_scan", worker_tasks.dying_scan)
    report = index(tmp_path / "library", footage / "0.mkv", exclude=(str(tmp_path / "mark"),))
    assert (report.added, report.stopped) == (1, "")


def test_a_file_that_does_not_answer_while_contents_are_compared_is_given_up(
    footage: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(NewFile, "look", worker_tasks.faulty_look)
    root = tmp_path / "footage"
    root.mkdir()
    for name in ("0.mkv", "silent.mkv"):
        make_video(root / name, [("red", 10)], size=(48, 32))
    report = index(tmp_path / "library", root, stall_seconds=2.0)
    assert report.added == 1
    assert [(Path(each.path).name, each.kind) for each in report.failed] == [("silent.mkv", "stalled")]


@pytest.mark.parametrize("isolated", [True, False])
def test_a_run_is_stopped_while_contents_are_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, isolated: bool
) -> None:
    monkeypatch.setattr(NewFile, "look", worker_tasks.faulty_look)
    root = tmp_path / "footage"
    root.mkdir()
    make_video(root / "silent.mkv", [("red", 10)], size=(48, 32))
    comparing = threading.Event()

    def on_progress(progress: Any) -> None:
        if progress.phase == "fingerprint":
            comparing.set()

    assert index(
        tmp_path / "library", root, on_progress=on_progress, cancelled=comparing.is_set, isolated=isolated
    ).interrupted
    assert all(thread.daemon for thread in threading.enumerate() if thread.name == "read"), "not waited for at exit"


def test_workers_that_cannot_start_end_the_run_and_are_no_fault_of_the_files(
    footage: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.executable", "/no/such/python")
    report = index(tmp_path / "library", footage)
    assert "No process for decoding can be started" in report.stopped
    assert report.failed == ()
