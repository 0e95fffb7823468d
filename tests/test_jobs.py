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
from app.jobs.orders import DownloadOrder, IndexOrder, order_of
from app.jobs.process import is_alive, own_process_id, process_id_of
from app.jobs.state import LOG_FILE, MAX_FAILURES, START_FILE, STATE_FILE, STOP_FILE, JobState, write_state

RAW = os.fsdecode(b"/films/not \xff utf-8\n<script>.mp4") if sys.platform != "win32" else "/films/odd.mp4"


@pytest.fixture
def jobs(tmp_path: Path) -> Jobs:
    (tmp_path / "library").mkdir()
    return Jobs(tmp_path / "library")


def until(true: Callable[[], bool], seconds: float = 60) -> None:
    """Wait for a condition; fails the test when it does not come."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.01)


def put(jobs: Jobs, **changes: Any) -> JobState:
    """The journal of a job, written as its process would."""
    mark = own_process_id()
    fields: dict[str, Any] = {
        "id": new_id(), "kind": "index", "title": "films", "arguments": ("index", "--", "/films"), "pid": mark.pid,
        "create_time": mark.create_time, "host_id": mark.host_id, "started_at": time.time(), "updated_at": time.time(),
    }  # fmt: skip
    state = JobState(**{**fields, **changes})
    (jobs.folder / state.id).mkdir(parents=True)
    write_state(jobs.folder / state.id / STATE_FILE, state)
    return state


def test_a_job_is_seen_from_its_beginning_to_its_end(jobs: Jobs) -> None:
    order = IndexOrder(paths=(RAW,))
    job = jobs.begin("index", "films", order)
    state = jobs.get(job.id)
    assert order_of(state) == order
    assert (state.outcome, state.running, state.kind, state.arguments) == (None, True, "index", ("index", "--", RAW))
    job.report_progress(
        fraction=0.25, eta_seconds=12, speed=8.5, phase="index", text="x", files_done=1, files_total=4, current=[RAW]
    )
    job.add_failure(RAW, "Not a video file.")
    job.add_failure(RAW, "Told once more: the last reason counts.")
    until(lambda: jobs.get(job.id).failed == 1)
    state = jobs.get(job.id)
    assert (state.progress.fraction, state.progress.files_done, state.progress.current) == (0.25, 1, (RAW,))
    assert [(each.path, each.reason) for each in state.failures] == [(RAW, "Told once more: the last reason counts.")]
    job.finish("done", {"added": 3}, "3 added, 1 failed")
    job.finish("failed", {}, "too late")
    state = jobs.get(job.id)
    assert (state.outcome, state.report, state.message) == ("done", {"added": 3}, "3 added, 1 failed")
    assert json.loads(json.dumps(dataclasses.asdict(state)))["progress"]["files_total"] == 4
    assert {path.name for path in (jobs.folder / job.id).iterdir()} == {STATE_FILE}, "nothing temporary is left"


@pytest.mark.parametrize(
    ("raised", "outcome", "message"),
    [(None, "done", ""), (KeyboardInterrupt(), "stopped", ""), (ValueError("no\nroom"), "failed", "no room")],
)
def test_a_job_ends_itself(jobs: Jobs, raised: BaseException | None, outcome: str, message: str) -> None:
    job = jobs.begin("index", "films")
    try:
        with job:
            if raised is not None:
                raise raised
    except (KeyboardInterrupt, ValueError):
        pass
    assert (jobs.get(job.id).outcome, jobs.get(job.id).message) == (outcome, message)


def test_stopping_is_asked_for_by_a_file(jobs: Jobs) -> None:
    job = jobs.begin("index", "films")
    assert not job.stop_requested()
    assert not jobs.get(job.id).stopping
    jobs.stop(job.id)
    assert jobs.get(job.id).stopping
    until(job.stop_requested)
    job.finish("stopped")
    jobs.stop(job.id)  # over already: nothing to do
    assert not jobs.get(job.id).stopping


def test_what_is_written_is_bounded(jobs: Jobs) -> None:
    job = jobs.begin("index", "films")
    for number in range(MAX_FAILURES + 50):
        job.add_failure(f"/films/{number}", "x" * 10_000)
    job.report_progress(text="y" * 10_000, current=map(str, range(100)))
    job.finish("done", {"failed": list(range(10_000)), "added": 7})
    state = jobs.get(job.id)
    assert (len(state.failures), state.failed) == (MAX_FAILURES, MAX_FAILURES + 50)
    assert len(state.report["failed"]) == MAX_FAILURES
    assert state.report["left_out"] == {"failed": 10_000 - MAX_FAILURES}
    assert (jobs.folder / job.id / STATE_FILE).stat().st_size < 2_000_000
    job.replace_failures([])


def test_readers_beside_a_writer_see_whole_states_only(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "WRITE_SECONDS", 0.0005)
    job = jobs.begin("index", "films", arguments=["x" * 20_000])
    wrong: list[object] = []
    seen: set[int] = set()
    over = threading.Event()

    def read() -> None:
        while not over.is_set():
            state = jobs.get(job.id)
            seen.add(state.progress.files_done)
            if state.progress.text != str(state.progress.files_done or "") or not state.running:
                wrong.append(state)

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    number = 0
    while len(seen) < 30:
        number += 1
        job.report_progress(files_done=number, text=str(number))
    over.set()
    for reader in readers:
        reader.join()
    assert wrong == []
    job.finish("done")
    assert jobs.get(job.id).progress.files_done == number


def test_a_journal_cut_anywhere_is_read_as_something(jobs: Jobs) -> None:
    state = put(jobs, outcome="done")
    file = jobs.folder / state.id / STATE_FILE
    whole = file.read_bytes()
    for length in range(0, len(whole), 7):
        file.write_bytes(whole[:length])
        [read] = jobs.all()
        assert (read.id, read.outcome) == (state.id, "interrupted")
        assert "cannot be read" in read.message
    jobs.forget(state.id)
    assert jobs.all() == []


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
def test_foreign_content_never_breaks_a_reader(jobs: Jobs, content: bytes) -> None:
    state = put(jobs)
    (jobs.folder / state.id / STATE_FILE).write_bytes(content)
    read = jobs.get(state.id)
    assert read.id == state.id
    assert all(isinstance(each, str) for each in read.arguments)
    assert json.dumps(dataclasses.asdict(read), allow_nan=False)


def test_only_folders_of_our_own_are_looked_at(jobs: Jobs, tmp_path: Path) -> None:
    assert jobs.all() == []
    kept = put(jobs)
    (jobs.folder / "notes.txt").write_text("x")
    (jobs.folder / "20260101-000000-zzzzzz").mkdir()
    (jobs.folder / new_id()).mkdir()  # just being made: no journal yet
    (jobs.folder / new_id()).write_text("a file")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / STATE_FILE).write_text(json.dumps({"kind": "index"}))
    (jobs.folder / new_id()).symlink_to(outside)
    assert [state.id for state in jobs.all()] == [kept.id]
    for name in ("", ".", "..", "../../outside", "notes.txt", kept.id + "/", kept.id.upper() + "x"):
        for ask in (jobs.get, jobs.stop, jobs.forget, jobs.log):
            with pytest.raises(KeyError):
                ask(name)


def test_a_process_that_is_gone_or_another_one_reads_as_interrupted(jobs: Jobs) -> None:
    alive = put(jobs)
    assert jobs.get(alive.id).running
    reused = put(jobs, create_time=1.0)  # our own number, but created at another time
    gone = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    mark = process_id_of(gone.pid)
    dead = put(jobs, pid=mark.pid, create_time=mark.create_time)
    assert is_alive(mark)
    assert jobs.get(dead.id).running
    gone.communicate()
    for state in (reused, dead):
        read = jobs.get(state.id)
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
def test_a_clock_that_is_set_while_a_job_jobs_does_not_end_it(monkeypatch: pytest.MonkeyPatch) -> None:
    import psutil

    mark, booted = own_process_id(), psutil.boot_time()
    for module in (psutil, psutil._pslinux):
        monkeypatch.setattr(module, "boot_time", lambda: booted + 86_400)
    assert psutil.Process().create_time() > time.time() + 3600, "psutil follows the clock"
    assert is_alive(mark)


def test_of_a_journal_of_an_earlier_version_the_heartbeat_decides(jobs: Jobs) -> None:
    state = put(jobs)
    file = jobs.folder / state.id / STATE_FILE
    record = json.loads(file.read_text())
    del record["create_time"], record["host_id"]
    file.write_text(json.dumps({**record, "born": "4711", "where": "here"}))
    assert is_alive(jobs.get(state.id).process) is None
    assert jobs.get(state.id).running
    old = time.time() - 2 * SILENT_SECONDS
    os.utime(file, (old, old))
    assert jobs.get(state.id).outcome == "interrupted"


def test_on_another_machine_the_heartbeat_decides(jobs: Jobs) -> None:
    state = put(jobs, host_id="elsewhere 1")
    assert is_alive(state.process) is None
    assert jobs.get(state.id).running
    old = time.time() - 2 * SILENT_SECONDS
    os.utime(jobs.folder / state.id / STATE_FILE, (old, old))
    assert jobs.get(state.id).outcome == "interrupted"


def test_a_quiet_job_has_a_heartbeat(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "WRITE_SECONDS", 0.01)
    monkeypatch.setattr(journal, "HEARTBEAT_SECONDS", 0.02)
    job = jobs.begin("index", "films")
    file = jobs.folder / job.id / STATE_FILE
    until(lambda: not job._changed)
    os.utime(file, (1, 1))
    until(lambda: file.stat().st_mtime > 1)
    job.finish("done")


def test_a_full_disk_neither_stops_a_job_nor_hides_how_it_ended(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    job = jobs.begin("index", "films")
    reserve = jobs.folder / job.id / journal._RESERVE
    assert reserve.stat().st_size >= 10_000

    def full(path: Path, state: JobState, *, durable: bool = False) -> None:
        if reserve.exists():
            raise OSError(errno.ENOSPC, "No space left on device")
        write_state(path, state, durable=durable)

    monkeypatch.setattr(journal, "write_state", full)
    job.report_progress(files_done=3)
    until(lambda: not job._changed)
    assert jobs.get(job.id).progress.files_done == 0
    job.finish("failed", {}, "the disk is full")
    assert (jobs.get(job.id).outcome, jobs.get(job.id).message) == ("failed", "the disk is full")


def test_without_a_place_nothing_is_kept_and_nothing_is_made(tmp_path: Path) -> None:
    job = Jobs(tmp_path / "no library").begin("index", "films")
    job.report_progress(files_done=1)
    job.add_failure("a", "b")
    job.finish("done")
    assert not job.stop_requested()
    assert list(tmp_path.iterdir()) == []


def test_a_job_whose_folder_was_taken_away_goes_on(jobs: Jobs) -> None:
    job = jobs.begin("index", "films")
    for path in (jobs.folder / job.id).iterdir():
        path.unlink()
    (jobs.folder / job.id).rmdir()
    job.report_progress(files_done=1)
    job.finish("done")
    assert jobs.all() == []


def test_old_jobs_are_forgotten_but_none_that_runs(jobs: Jobs) -> None:
    oldest = put(jobs, started_at=1.0)
    for number in range(KEPT + 10):
        put(jobs, started_at=2.0 + number, outcome="done")
    job = jobs.begin("index", "films")
    states = jobs.all()
    assert len(states) == KEPT + 1
    assert states[0].id == job.id, "the newest first"
    assert states[-1].id == oldest.id, "it still runs"
    with pytest.raises(ValueError, match="in progress"):
        jobs.forget(job.id)
    job.finish("done")
    jobs.forget(job.id)
    with pytest.raises(KeyError):
        jobs.get(job.id)


def test_a_started_process_keeps_the_journal_it_was_given(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    given = new_id()
    monkeypatch.setenv(JOB_VARIABLE, given)
    first, second = jobs.begin("index", "films"), jobs.begin("index", "films")
    assert first.id == given
    assert second.id != given
    monkeypatch.setenv(JOB_VARIABLE, "../../elsewhere")
    assert ".." not in jobs.begin("index", "films").id


def settings(jobs: Jobs) -> Settings:
    return Settings(library=jobs.folder.parent, encoder="demo", device="cpu")


def ended(jobs: Jobs, job_id: str) -> JobState:
    until(lambda: not jobs.get(job_id).running, 120)
    return jobs.get(job_id)


def test_our_own_command_is_started_with_our_settings(
    jobs: Jobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Where the person happens to stand there may be anything, even packages named as ours.
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "__init__.py").write_text("raise SystemExit('the wrong package')")
    monkeypatch.chdir(tmp_path)
    order = IndexOrder(paths=(str(tmp_path / "no films"),))
    job_id = jobs.start(order, settings(jobs), title="a look")
    begun = jobs.get(job_id)
    assert (begun.kind, begun.title, order_of(begun)) == ("index", "a look", order)
    assert begun.arguments == ("index", "--", *order.paths)
    state = ended(jobs, job_id)
    assert (state.outcome, state.title) == ("failed", "a look")
    assert state.message == f"{order.paths[0]}: no such file or folder"
    assert jobs.log(job_id).strip() == f"prismsearch: {state.message}", "as the shell prints it"


def test_a_job_that_takes_the_place_of_another(jobs: Jobs) -> None:
    old = put(jobs, outcome="failed")
    state = ended(jobs, jobs.start(DownloadOrder(model="huge"), settings(jobs), in_place_of=old.id))
    assert state.outcome == "failed"
    assert "there is no model 'huge'" in state.message
    assert "(see prismsearch fetch-model --help)" in state.message
    assert [each.id for each in jobs.all()] == [state.id], "the old one made place"


def test_a_process_that_dies_before_its_journal_shows_what_it_printed(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spawn, "_CODE", "print('one'); print('\\x1b[31mno torch here\\x1b[0m'); raise SystemExit(3)")
    state = ended(jobs, jobs.start(IndexOrder(paths=(RAW,)), settings(jobs)))
    assert (state.outcome, state.message) == ("failed", "no torch here")
    assert jobs.log(state.id).split() == ["one", "no", "torch", "here"]


def test_what_cannot_be_started_leaves_nothing(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="NUL"):
        jobs.start(IndexOrder(paths=("/a\0b",)), settings(jobs))
    monkeypatch.setattr(spawn.sys, "executable", "/no/such/python")
    with pytest.raises(OSError, match="no/such/python"):
        jobs.start(IndexOrder(paths=("/films",)), settings(jobs))
    assert jobs.all() == []
    assert list(jobs.folder.iterdir()) == []


def test_a_log_is_read_from_its_end_whatever_is_in_it(jobs: Jobs) -> None:
    state = put(jobs)
    assert jobs.log(state.id) == ""
    (jobs.folder / state.id / LOG_FILE).write_bytes(b"x" * 70_000 + b"\n\xff\x00one\rtwo\x1b[K\n")
    assert jobs.log(state.id).split() == ["\N{REPLACEMENT CHARACTER}one", "two"]


def test_before_its_process_has_a_number_a_job_is_starting(jobs: Jobs) -> None:
    state = put(jobs, pid=0, create_time=0.0, host_id="")
    folder = jobs.folder / state.id
    (folder / STATE_FILE).rename(folder / START_FILE)
    assert jobs.get(state.id).running
    old = time.time() - 2 * SILENT_SECONDS
    os.utime(folder / START_FILE, (old, old))
    assert jobs.get(state.id).outcome == "failed"


def test_the_stop_file_is_all_it_takes(jobs: Jobs) -> None:
    job: Job = jobs.begin("index", "films")
    (jobs.folder / job.id / STOP_FILE).write_bytes(b"")
    until(job.stop_requested)
    job.finish("stopped")
