"""A pool of worker processes, which are started when needed and lent to one task at a time."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from indexer.workers import child
from indexer.workers.limits import WorkerLimits
from indexer.workers.process import Worker
from indexer.workers.task import Task

T = TypeVar("T")


def _never() -> bool:
    return False


class WorkerPool:
    """Worker processes. Any number of threads may run tasks, each in a worker of its own; a context manager."""

    def __init__(self, limits: WorkerLimits | None = None, *, prepare: Callable[[], None] | None = None) -> None:
        """Make a pool; no process is started yet.

        Args:
            limits: What each worker may use.
            prepare: Called first in each worker, such as to import libraries: time that counts against no file. An
                importable function.
        """
        self._limits = limits or WorkerLimits()
        self._prepare = prepare
        self._lock = threading.Lock()
        self._workers: set[Worker] = set()
        self._idle: list[Worker] = []
        self._closed = False

    def __enter__(self) -> WorkerPool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self, count: int) -> None:
        """Have `count` workers idle, or starting, so that the next tasks need not wait for them."""
        with self._lock:
            while len(self._idle) < count and not self._closed:
                self._idle.append(self._new())

    @contextmanager
    def task(
        self, function: Callable[..., Any], *arguments: Any, path: str, cancelled: Callable[[], bool] = _never
    ) -> Iterator[Task]:
        """Run a function in a worker and follow it: see `Task`. A worker that is left before the end is killed.

        Args:
            function: An importable function. It gets a `Link`, by which it sends messages and signs of progress, and
                the arguments.
            arguments: Whatever can be pickled.
            path: The file that is read, for errors.
            cancelled: Polled ten times a second while waiting; True kills the worker.
        """
        worker = self._take()
        task = Task(worker, path, self._limits, lambda: self._closed or cancelled())
        worker.post("task", pickle.dumps((function, arguments)))
        try:
            yield task
        finally:
            self._give_back(worker, free=task.finished)

    def call(self, function: Callable[..., T], *arguments: Any, path: str, cancelled: Callable[[], bool] = _never) -> T:
        """Call an importable function in a worker and return its result; see `task`. Raises as Task does."""
        with self.task(child.call, function, arguments, path=path, cancelled=cancelled) as task:
            for _ in task:
                pass
        result: T = task.result
        return result

    def close(self) -> None:
        """Kill all workers, without waiting. Tasks in other threads raise Cancelled."""
        with self._lock:
            self._closed = True
            workers, self._workers = self._workers, set()
            self._idle.clear()
        for worker in workers:
            worker.kill()

    def _new(self) -> Worker:
        worker = Worker(self._limits, self._prepare)
        self._workers.add(worker)
        return worker

    def _take(self) -> Worker:
        with self._lock:
            while self._idle:
                worker = self._idle.pop()
                if worker.events.empty():
                    return worker
                self._workers.discard(worker)  # it has ended meanwhile, which is no fault of the next file
            return self._new()

    def _give_back(self, worker: Worker, *, free: bool) -> None:
        with self._lock:
            if free and not self._closed:
                self._idle.append(worker)
                return
            self._workers.discard(worker)
        worker.kill()
