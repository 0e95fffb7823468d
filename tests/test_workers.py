"""Worker processes: messages both ways, and what a crash, a hang or a lack of memory in one of them costs."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
import psutil
import pytest
import worker_tasks

from indexer.media.errors import Cancelled, UnreadableVideo
from indexer.workers import process
from indexer.workers.child import Preparation, TaskFailed
from indexer.workers.limits import WorkerLimits
from indexer.workers.pool import WorkerPool
from indexer.workers.process import Worker
from indexer.workers.task import WorkersUnavailable
from indexer.workers.wire import write_message

linux = pytest.mark.skipif(sys.platform != "linux", reason="by means of Linux")
posix = pytest.mark.skipif(os.name == "nt", reason="signals")


@pytest.fixture(scope="module")
def pool() -> Iterator[WorkerPool]:
    with WorkerPool() as shared:
        yield shared


@pytest.fixture(scope="module")
def impatient() -> Iterator[WorkerPool]:
    limits = WorkerLimits(stall_seconds=0.4, memory_gib=0.5)
    with WorkerPool(limits, prepare=worker_tasks.prepare) as shared:  # and so its module is imported by then
        yield shared


def gone(pid: int) -> bool:
    """Wait for the end of a process; return False if it goes on for 20 s."""
    for _ in range(2000):
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.01)
    return False


def test_messages_and_the_result_of_a_task(pool: WorkerPool) -> None:
    with pool.task(worker_tasks.spell, "abcdefg", path="a") as task:
        assert "".join(task) == "abcdefg"
    assert task.result == 7
    with pool.task(worker_tasks.spell, "", path="a") as task:
        assert list(task) == []
    assert task.result == 0


def test_a_task_follows_the_preparation_however_late_that_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine, the thread that starts a worker may be kept from going on in between."""

    def write_late(stream: BinaryIO, message: object) -> None:
        if isinstance(message, Preparation):
            time.sleep(0.3)
        write_message(stream, message)

    monkeypatch.setattr(process, "write_message", write_late)
    with WorkerPool() as pool, pool.task(worker_tasks.spell, "ab", path="a") as task:
        assert "".join(task) == "ab"


def test_questions_are_answered_in_order(pool: WorkerPool) -> None:
    with pool.task(worker_tasks.asks, [1, 2, 3], path="a") as task:
        for question in task:
            task.answer(question * 10)
    assert task.result == [10, 20, 30]


def test_arrays_arrive_as_they_were_and_can_be_written_to(pool: WorkerPool) -> None:
    with pool.task(worker_tasks.pictures, 5, path="a") as task:
        for expected, (number, picture) in enumerate(task):
            assert number == expected
            assert (picture == number).all()
            picture += 1
    rows = np.arange(12, dtype=np.uint8).reshape(3, 4)
    assert pool.call(worker_tasks.total, rows[:, ::2], path="a") == (int(rows[:, ::2].sum()), True)


def test_a_task_waits_while_two_of_its_messages_are_not_taken(pool: WorkerPool) -> None:
    with pool.task(worker_tasks.pictures, 9, path="a") as task:
        messages = iter(task)
        next(messages)
        time.sleep(0.2)
        assert task._worker.events.qsize() == 1, "one more than the one that is looked at"
        assert len(list(messages)) == 8


def test_a_worker_is_reused_also_after_an_error_of_the_file(pool: WorkerPool) -> None:
    first = pool.call(worker_tasks.process_id, path="a")
    with (
        pytest.raises(UnreadableVideo, match="It is broken") as error,
        pool.task(worker_tasks.raises, "a.mp4", path="a.mp4") as task,
    ):
        list(task)
    assert (error.value.path, error.value.kind) == ("a.mp4", "broken")
    with (
        pytest.raises(TaskFailed, match="_Unsendable: 1 and 2"),
        pool.task(worker_tasks.raises_oddly, path="a") as task,
    ):
        list(task)
    with pytest.raises(FileNotFoundError):
        pool.call(os.stat, "no such file", path="a")
    assert pool.call(worker_tasks.process_id, path="a") == first != os.getpid()


@posix
@pytest.mark.parametrize(
    ("task", "kind", "says"),
    [
        (worker_tasks.aborts, "crashed", "SIGABRT"),
        (worker_tasks.exits, "crashed", "exit code 3"),
        (worker_tasks.killed, "memory", "SIGKILL"),
    ],
)
def test_the_end_of_a_process_costs_one_file(pool: WorkerPool, task: object, kind: str, says: str) -> None:
    with pytest.raises(UnreadableVideo, match=says) as error, pool.task(task, path="a.mp4") as running:
        list(running)
    assert (error.value.path, error.value.kind) == ("a.mp4", kind)
    assert pool.call(worker_tasks.process_id, path="b.mp4") != os.getpid(), "another worker has taken its place"


@posix
@pytest.mark.parametrize("task", [worker_tasks.hangs, worker_tasks.hangs_with_the_lock])
def test_a_task_that_makes_no_progress_is_given_up(impatient: WorkerPool, task: object) -> None:
    with (
        pytest.raises(UnreadableVideo, match=r"No progress for 0\.4 s") as error,
        impatient.task(
            task,
            path="a.mp4",
        ) as running,
    ):
        assert len(list(running)) == 1
    assert error.value.kind == "stalled"
    assert gone(running._worker.pid or 0)


def test_signs_of_progress_keep_a_task_alive(impatient: WorkerPool) -> None:
    with impatient.task(worker_tasks.slowly, 0.9, path="a.mp4") as task:
        list(task)
    assert task.result == "done"
    assert isinstance(task.progress, float)


def test_the_time_in_which_nobody_takes_its_messages_does_not_count_against_a_task(impatient: WorkerPool) -> None:
    with impatient.task(worker_tasks.spell, "abcdef", path="a.mp4") as task:
        for _ in task:
            time.sleep(0.15)


@linux
def test_an_allocation_beyond_the_limit_fails_and_costs_one_file(impatient: WorkerPool) -> None:
    with (
        pytest.raises(UnreadableVideo, match=r"more memory than the 0\.5 GiB") as error,
        impatient.task(worker_tasks.allocates, 4 * 10**9, path="a.mp4") as task,
    ):
        list(task)
    assert error.value.kind == "memory"
    assert gone(task._worker.pid or 0)
    with impatient.task(worker_tasks.allocates, 10**6, path="a.mp4") as task:
        list(task)
    assert task.result == 10**6


def test_memory_in_use_is_watched_where_the_system_does_not_limit_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("indexer.workers.limits._PROGRAM_BYTES", 0)
    monkeypatch.setattr("indexer.workers.task._MEMORY_SECONDS", 0.0)
    limits = WorkerLimits(memory_gib=0.15, on_device=True)
    with (
        WorkerPool(limits) as pool,
        pytest.raises(UnreadableVideo, match="more memory") as error,
        pool.task(worker_tasks.fills, 200 * 1024**2, path="a.mp4") as task,
    ):
        list(task)
    assert error.value.kind == "memory"


@posix
def test_a_cancelled_task_ends_at_once_whatever_it_does(pool: WorkerPool) -> None:
    stop = threading.Event()
    with pool.task(worker_tasks.hangs_with_the_lock, path="a.mp4", cancelled=stop.is_set) as task:
        messages = iter(task)
        next(messages)
        stop.set()
        with pytest.raises(Cancelled):
            next(messages)
    assert gone(task._worker.pid or 0)


def test_closing_the_pool_cancels_tasks_of_other_threads() -> None:
    pool, begun, ended = WorkerPool(), threading.Event(), []

    def run() -> None:
        try:
            with pool.task(worker_tasks.hangs, path="a.mp4") as task:
                for _ in task:
                    begun.set()
        except Cancelled as error:
            ended.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    assert begun.wait(30)
    pool.close()
    thread.join(30)
    assert len(ended) == 1
    with pytest.raises(Cancelled):
        pool.call(worker_tasks.process_id, path="a.mp4")


def test_an_idle_worker_that_was_killed_is_no_fault_of_the_next_file(pool: WorkerPool) -> None:
    first = pool.call(worker_tasks.process_id, path="a")
    psutil.Process(first).kill()
    assert gone(first)
    worker = pool._idle[-1]
    while worker.events.empty():
        time.sleep(0.002)
    assert pool.call(worker_tasks.process_id, path="b") != first


def test_workers_are_prepared_before_their_first_task() -> None:
    with WorkerPool(prepare=worker_tasks.prepare) as pool:
        pool.start(1)
        pids = [worker.pid for worker in pool._idle]
        assert len(pids) == 1
        assert pool.call(worker_tasks.is_prepared, path="a")
    assert not worker_tasks.is_prepared(), "in this process"


def test_workers_that_cannot_start_are_no_fault_of_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        WorkerPool(prepare=worker_tasks.breaks_at_once) as pool,
        pytest.raises(WorkersUnavailable, match="a library is missing"),
    ):
        pool.call(worker_tasks.process_id, path="a")
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    with WorkerPool() as pool, pytest.raises(WorkersUnavailable, match="No such file"):
        pool.call(worker_tasks.process_id, path="a")


def test_a_worker_for_which_no_file_can_be_opened_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def full() -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr("indexer.workers.process.tempfile.TemporaryFile", full)
    worker = Worker(WorkerLimits(), None)
    assert worker.events.get(timeout=5) == ("unstarted", "Too many open files")
    worker.post("task")  # waits for nothing


def test_a_worker_has_neither_torch_nor_an_open_file_of_its_parent(tmp_path: Path) -> None:
    (tmp_path / "open").touch()
    descriptor = os.open(tmp_path / "open", os.O_RDONLY)
    os.set_inheritable(descriptor, True)
    try:
        with WorkerPool() as fresh, fresh.task(worker_tasks.modules, path="a") as task:
            list(task)
            assert {"torch", "av", "cv2", "sqlalchemy", "psutil"} & set(task.result) == set()
            if sys.platform == "linux":
                with fresh.task(worker_tasks.descriptors, path="a") as seen:
                    list(seen)
                assert [name for name in seen.result if str(tmp_path) in name or name.startswith("socket:")] == []
    finally:
        os.close(descriptor)


@posix
@pytest.mark.parametrize("task", ["hangs", "hangs_with_the_lock"])
def test_workers_die_with_their_parent(task: str) -> None:
    """Also where the parent is killed, and the worker holds Python's lock: by the system, on Linux."""
    if task == "hangs_with_the_lock" and sys.platform != "linux":
        pytest.skip("by means of Linux")
    code = (
        "import sys, time, worker_tasks\nfrom indexer.workers.pool import WorkerPool\npool = WorkerPool()\n"
        f"with pool.task(worker_tasks.{task}, path='a') as task:\n"
        "    for _ in task: print(task._worker.pid, flush=True)\n"
    )
    root = Path(__file__).resolve().parent
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(root), str(root.parent)])}
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, env=environment) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.send_signal(signal.SIGKILL)
    assert gone(pid)


def test_limits_that_cannot_be_are_refused() -> None:
    for name in ("stall_seconds", "memory_gib"):
        with pytest.raises(ValueError, match=name):
            WorkerLimits(**{name: 0})
