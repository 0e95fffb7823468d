"""Journals of long jobs: what readers see while they are written, when they are torn, and when the process is gone."""

from __future__ import annotations

import dataclasses
import errno
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.compose import Settings
from app.jobs import journal, spawn
from app.jobs.jobs import JOB_VARIABLE, KEPT, SILENT_SECONDS, Job, Jobs, new_id
from app.jobs.process import is_alive, own_process_id, process_id_of
from app.jobs.spawn import settings_words
from app.jobs.state import LOG_FILE, MOST_FAILURES, START_FILE, STATE_FILE, STOP_FILE, JobState, write_state

RAW = os.fsdecode(b"/films/not \xff utf-8\n<script>.mp4") if sys.platform != "win32" else "/films/odd.mp4"


@pytest.fixture
def runs(tmp_path: Path) -> Jobs:
    (tmp_path / "library").mkdir()
    return Jobs(tmp_path / "library")


def until(true: Callable[[], bool], seconds: float = 60) -> None:
    """Wait for a condition; fails the test when it does not come."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.01)


def put(runs: Jobs, **changes: Any) -> JobState:
    """The journal of a run, written as its process would."""
    mark = own_process_id()
    fields: dict[str, Any] = {
        "id": new_id(), "kind": "index", "title": "films", "arguments": ("index", "--", "/films"), "pid": mark.pid,
        "create_time": mark.create_time, "host_id": mark.host_id, "started_at": time.time(), "updated_at": time.time(),
    }  # fmt: skip
    state = JobState(**{**fields, **changes})
    (runs.folder / state.id).mkdir(parents=True)
    write_state(runs.folder / state.id / STATE_FILE, state)
    return state


def test_a_run_is_seen_from_its_beginning_to_its_end(runs: Jobs) -> None:
    run = runs.begin("index", "films", ["index", "--", RAW])
    state = runs.get(run.id)
    assert (state.outcome, state.running, state.kind, state.arguments) == (None, True, "index", ("index", "--", RAW))
    run.tell(
        fraction=0.25, eta_seconds=12, speed=8.5, phase="index", text="x", files_done=1, files_total=4, current=[RAW]
    )
    run.fail(RAW, "The content is of no video format.")
    run.fail(RAW, "Told once more: the last reason counts.")
    until(lambda: runs.get(run.id).failed == 1)
    state = runs.get(run.id)
    assert (state.progress.fraction, state.progress.files_done, state.progress.current) == (0.25, 1, (RAW,))
    assert [(each.path, each.reason) for each in state.failures] == [(RAW, "Told once more: the last reason counts.")]
    run.end("done", {"added": 3}, "3 added, 1 failed")
    run.end("failed", {}, "too late")
    state = runs.get(run.id)
    assert (state.outcome, state.report, state.message) == ("done", {"added": 3}, "3 added, 1 failed")
    assert json.loads(json.dumps(dataclasses.asdict(state)))["progress"]["files_total"] == 4
    assert {path.name for path in (runs.folder / run.id).iterdir()} == {STATE_FILE}, "nothing temporary is left"


@pytest.mark.parametrize(
    ("raised", "outcome", "message"),
    [(None, "done", ""), (KeyboardInterrupt(), "stopped", ""), (ValueError("no\nroom"), "failed", "no room")],
)
def test_a_run_ends_itself(runs: Jobs, raised: BaseException | None, outcome: str, message: str) -> None:
    run = runs.begin("index", "films", [])
    try:
        with run:
            if raised is not None:
                raise raised
    except (KeyboardInterrupt, ValueError):
        pass
    assert (runs.get(run.id).outcome, runs.get(run.id).message) == (outcome, message)


def test_stopping_is_asked_for_by_a_file(runs: Jobs) -> None:
    run = runs.begin("index", "films", [])
    assert not run.stop_requested()
    assert not runs.get(run.id).stopping
    runs.stop(run.id)
    assert runs.get(run.id).stopping
    until(run.stop_requested)
    run.end("stopped")
    runs.stop(run.id)  # over already: nothing to do
    assert not runs.get(run.id).stopping


def test_what_is_written_is_bounded(runs: Jobs) -> None:
    run = runs.begin("index", "films", [])
    for number in range(MOST_FAILURES + 50):
        run.fail(f"/films/{number}", "x" * 10_000)
    run.tell(text="y" * 10_000, current=map(str, range(100)))
    run.end("done", {"failed": list(range(10_000)), "added": 7})
    state = runs.get(run.id)
    assert (len(state.failures), state.failed) == (MOST_FAILURES, MOST_FAILURES + 50)
    assert len(state.report["failed"]) == MOST_FAILURES
    assert state.report["left_out"] == {"failed": 10_000 - MOST_FAILURES}
    assert (runs.folder / run.id / STATE_FILE).stat().st_size < 2_000_000
    run.replace_failures([])


def test_readers_beside_a_writer_see_whole_states_only(runs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "WRITE_SECONDS", 0.0005)
    run = runs.begin("index", "films", ["x" * 20_000])
    wrong: list[object] = []
    seen: set[int] = set()
    over = threading.Event()

    def read() -> None:
        while not over.is_set():
            state = runs.get(run.id)
            seen.add(state.progress.files_done)
            if state.progress.text != str(state.progress.files_done or "") or not state.running:
                wrong.append(state)

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    number = 0
    while len(seen) < 30:
        number += 1
        run.tell(files_done=number, text=str(number))
    over.set()
    for reader in readers:
        reader.join()
    assert wrong == []
    run.end("done")
    assert runs.get(run.id).progress.files_done == number


def test_a_journal_cut_anywhere_is_read_as_something(runs: Jobs) -> None:
    state = put(runs, outcome="done")
    file = runs.folder / state.id / STATE_FILE
    whole = file.read_bytes()
    for length in range(0, len(whole), 7):
        file.write_bytes(whole[:length])
        [read] = runs.all()
        assert (read.id, read.outcome) == (state.id, "interrupted")
        assert "cannot be read" in read.message
    runs.forget(state.id)
    assert runs.all() == []


@pytest.mark.parametrize(
    "content",
    [
        b"", b"null", b"[]", b"{}", b'{"kind": 3}', b"\xff\xfe", b"[" * 100_000,
        b'{"kind": "index", "pid": "x", "progress": 7}',
        b'{"kind": "index", "pid": -5, "failures": [3, {"path": 1}, {"path": "a"}], "failed": "many"}',
        b'{"kind": "index", "arguments": [1, "b"], "report": {"speed": NaN, "clips": 1e999}}',
        b'{"kind": "index", "progress": {"fraction": NaN, "files_done": 1e400, "current": {}}, "outcome": "soon"}',
        b'{"kind": "index", "started_at": 1e300, "updated_at": [], "report": [], "message": null, "title": {}}',
    ],
)  # fmt: skip
def test_foreign_content_never_breaks_a_reader(runs: Jobs, content: bytes) -> None:
    state = put(runs)
    (runs.folder / state.id / STATE_FILE).write_bytes(content)
    read = runs.get(state.id)
    assert read.id == state.id
    assert all(isinstance(each, str) for each in read.arguments)
    assert json.dumps(dataclasses.asdict(read), allow_nan=False)


def test_only_folders_of_our_own_are_looked_at(runs: Jobs, tmp_path: Path) -> None:
    assert runs.all() == []
    kept = put(runs)
    (runs.folder / "notes.txt").write_text("x")
    (runs.folder / "20260101-000000-zzzzzz").mkdir()
    (runs.folder / new_id()).mkdir()  # just being made: no journal yet
    (runs.folder / new_id()).write_text("a file")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / STATE_FILE).write_text(json.dumps({"kind": "index"}))
    (runs.folder / new_id()).symlink_to(outside)
    assert [state.id for state in runs.all()] == [kept.id]
    for name in ("", ".", "..", "../../outside", "notes.txt", kept.id + "/", kept.id.upper() + "x"):
        for ask in (runs.get, runs.stop, runs.forget, runs.log):
            with pytest.raises(KeyError):
                ask(name)


def test_a_process_that_is_gone_or_another_one_reads_as_interrupted(runs: Jobs) -> None:
    alive = put(runs)
    assert runs.get(alive.id).running
    reused = put(runs, create_time=1.0)  # our own number, but created at another time
    gone = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    mark = process_id_of(gone.pid)
    dead = put(runs, pid=mark.pid, create_time=mark.create_time)
    assert is_alive(mark)
    assert runs.get(dead.id).running
    gone.communicate()
    for state in (reused, dead):
        read = runs.get(state.id)
        assert read.outcome == "interrupted"
        assert "kept" in read.message


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_child_whose_end_nobody_fetched_is_not_alive() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    mark = process_id_of(child.pid)
    assert child.stdin is not None
    child.stdin.close()
    until(lambda: is_alive(mark) is False)
    assert Path(f"/proc/{child.pid}").exists(), "it is a zombie"
    child.wait()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system keeps the time itself")
def test_a_clock_that_is_set_while_a_job_runs_does_not_end_it(monkeypatch: pytest.MonkeyPatch) -> None:
    import psutil

    mark, booted = own_process_id(), psutil.boot_time()
    for module in (psutil, psutil._pslinux):
        monkeypatch.setattr(module, "boot_time", lambda: booted + 86_400)
    assert psutil.Process().create_time() > time.time() + 3600, "psutil follows the clock"
    assert is_alive(mark)


def test_of_a_journal_of_an_earlier_version_the_heartbeat_decides(runs: Jobs) -> None:
    state = put(runs)
    file = runs.folder / state.id / STATE_FILE
    record = json.loads(file.read_text())
    del record["create_time"], record["host_id"]
    file.write_text(json.dumps({**record, "born": "4711", "where": "here"}))
    assert is_alive(runs.get(state.id).process) is None
    assert runs.get(state.id).running
    old = time.time() - 2 * SILENT_SECONDS
    os.utime(file, (old, old))
    assert runs.get(state.id).outcome == "interrupted"


def test_on_another_machine_the_heartbeat_decides(runs: Jobs) -> None:
    state = put(runs, host_id="elsewhere 1")
    assert is_alive(state.process) is None
    assert runs.get(state.id).running
    old = time.time() - 2 * SILENT_SECONDS
    os.utime(runs.folder / state.id / STATE_FILE, (old, old))
    assert runs.get(state.id).outcome == "interrupted"


def test_a_quiet_run_has_a_heartbeat(runs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "WRITE_SECONDS", 0.01)
    monkeypatch.setattr(journal, "BEAT_SECONDS", 0.02)
    run = runs.begin("index", "films", [])
    file = runs.folder / run.id / STATE_FILE
    until(lambda: not run._changed)
    os.utime(file, (1, 1))
    until(lambda: file.stat().st_mtime > 1)
    run.end("done")


def test_a_full_disk_neither_stops_a_run_nor_hides_how_it_ended(runs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    run = runs.begin("index", "films", [])
    reserve = runs.folder / run.id / journal._RESERVE
    assert reserve.stat().st_size >= 10_000

    def full(path: Path, state: JobState, *, durable: bool = False) -> None:
        if reserve.exists():
            raise OSError(errno.ENOSPC, "No space left on device")
        write_state(path, state, durable=durable)

    monkeypatch.setattr(journal, "write_state", full)
    run.tell(files_done=3)
    until(lambda: not run._changed)
    assert runs.get(run.id).progress.files_done == 0
    run.end("failed", {}, "the disk is full")
    assert (runs.get(run.id).outcome, runs.get(run.id).message) == ("failed", "the disk is full")


def test_without_a_place_nothing_is_kept_and_nothing_is_made(tmp_path: Path) -> None:
    run = Jobs(tmp_path / "no library").begin("index", "films", [])
    run.tell(files_done=1)
    run.fail("a", "b")
    run.end("done")
    assert not run.stop_requested()
    assert list(tmp_path.iterdir()) == []


def test_a_run_whose_folder_was_taken_away_goes_on(runs: Jobs) -> None:
    run = runs.begin("index", "films", [])
    for path in (runs.folder / run.id).iterdir():
        path.unlink()
    (runs.folder / run.id).rmdir()
    run.tell(files_done=1)
    run.end("done")
    assert runs.all() == []


def test_old_runs_are_forgotten_but_none_that_runs(runs: Jobs) -> None:
    oldest = put(runs, started_at=1.0)
    for number in range(KEPT + 10):
        put(runs, started_at=2.0 + number, outcome="done")
    run = runs.begin("index", "films", [])
    states = runs.all()
    assert len(states) == KEPT + 1
    assert states[0].id == run.id, "the newest first"
    assert states[-1].id == oldest.id, "it still runs"
    with pytest.raises(ValueError, match="under way"):
        runs.forget(run.id)
    run.end("done")
    runs.forget(run.id)
    with pytest.raises(KeyError):
        runs.get(run.id)


def test_a_started_process_keeps_the_journal_it_was_given(runs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    given = new_id()
    monkeypatch.setenv(JOB_VARIABLE, given)
    first, second = runs.begin("index", "films", []), runs.begin("index", "films", [])
    assert first.id == given
    assert second.id != given
    monkeypatch.setenv(JOB_VARIABLE, "../../elsewhere")
    assert ".." not in runs.begin("index", "films", []).id


def settings(runs: Jobs) -> Settings:
    return Settings(library=runs.folder.parent, encoder="demo", device="cpu")


def ended(runs: Jobs, run_id: str) -> JobState:
    until(lambda: not runs.get(run_id).running, 120)
    return runs.get(run_id)


def test_our_own_command_is_started_with_our_settings(
    runs: Jobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Where the person happens to stand there may be anything, even packages named as ours.
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "__init__.py").write_text("raise SystemExit('the wrong package')")
    monkeypatch.chdir(tmp_path)
    run_id = runs.start(["runs", "--json"], settings(runs), title="a look")
    begun = runs.get(run_id)
    assert (begun.kind, begun.title, begun.arguments) == ("runs", "a look", ("runs", "--json"))
    state = ended(runs, run_id)
    assert state.outcome == "done"
    assert json.loads(runs.log(run_id))[0]["id"] == run_id, "it looked into the same library"
    assert settings_words(settings(runs)) == [
        "--library", str(runs.folder.parent), "--device", "cpu", "--encoder", "videoprism_lvt_demo",
    ]  # fmt: skip


def test_a_command_that_is_refused_says_so_in_its_own_words(runs: Jobs) -> None:
    state = ended(runs, runs.start(["index", "--", "/no/such/folder"], settings(runs)))
    assert (state.outcome, state.message) == ("failed", "/no/such/folder: there is no such file or folder")
    old = state.id
    state = ended(runs, runs.start(["nonsense"], settings(runs), in_place_of=old))
    assert state.outcome == "failed"
    assert "nonsense" in state.message
    assert [each.id for each in runs.all()] == [state.id], "the old one made place"


def test_a_process_that_dies_before_its_journal_shows_what_it_printed(
    runs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spawn, "_CODE", "print('one'); print('\\x1b[31mno torch here\\x1b[0m'); raise SystemExit(3)")
    state = ended(runs, runs.start(["index", "--", RAW], settings(runs)))
    assert (state.outcome, state.message) == ("failed", "no torch here")
    assert runs.log(state.id).split() == ["one", "no", "torch", "here"]


def test_what_cannot_be_started_leaves_nothing(runs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="NUL"):
        runs.start(["index", "--", "a\0b"], settings(runs))
    monkeypatch.setattr(spawn.sys, "executable", "/no/such/python")
    with pytest.raises(OSError, match="no/such/python"):
        runs.start(["index", "--", "/films"], settings(runs))
    assert runs.all() == []
    assert list(runs.folder.iterdir()) == []


def test_a_log_is_read_from_its_end_whatever_is_in_it(runs: Jobs) -> None:
    state = put(runs)
    assert runs.log(state.id) == ""
    (runs.folder / state.id / LOG_FILE).write_bytes(b"x" * 70_000 + b"\n\xff\x00one\rtwo\x1b[K\n")
    assert runs.log(state.id).split() == ["\N{REPLACEMENT CHARACTER}one", "two"]


def test_before_its_process_has_a_number_a_run_is_starting(runs: Jobs) -> None:
    state = put(runs, pid=0, create_time=0.0, host_id="")
    folder = runs.folder / state.id
    (folder / STATE_FILE).rename(folder / START_FILE)
    assert runs.get(state.id).running
    old = time.time() - 2 * SILENT_SECONDS
    os.utime(folder / START_FILE, (old, old))
    assert runs.get(state.id).outcome == "failed"


def test_the_stop_file_is_all_it_takes(runs: Jobs) -> None:
    run: Job = runs.begin("index", "films", [])
    (runs.folder / run.id / STOP_FILE).write_bytes(b"")
    until(run.stop_requested)
    run.end("stopped")
