"""Worker threads that each compute whole tasks with one-threaded torch operations.

By default, all threads of torch share every operation and synchronise at its end. A tower on a CPU has thousands of
operations per clip, and if other programs use the cores too, each synchronisation waits for the slowest thread.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import torch

Task = TypeVar("Task")


class Workers:
    """A pool of threads, as many as torch would use. They end when the object is released."""

    def __init__(self, count: int | None = None) -> None:
        """Start the threads. count: their number; None for torch's."""
        self.count = count or torch.get_num_threads()
        self._pool = ThreadPoolExecutor(self.count, "encoder")
        # OpenMP keeps the number of threads for an operation per thread, but torch also keeps the last number set for
        # new threads, so it is restored once all workers have started.
        shared = torch.get_num_threads()
        started = threading.Barrier(self.count)
        for future in [self._pool.submit(_use_one_thread, started) for _ in range(self.count)]:
            future.result()
        torch.set_num_threads(shared)

    def each(self, work: Callable[[Task], None], tasks: Iterable[Task]) -> None:
        """Call `work` for every task, without gradients, and wait.

        Raises:
            BaseException: The first error of a task, once no other task is running.
        """
        futures: list[Future[None]] = [self._pool.submit(_without_gradients, work, task) for task in tasks]
        try:
            for future in futures:
                future.result()
        except BaseException:
            for future in futures:
                future.cancel()
            for future in futures:
                if not future.cancelled():
                    future.exception()
            raise


def _use_one_thread(started: threading.Barrier) -> None:
    torch.set_num_threads(1)
    torch.get_num_threads()  # torch applies the number to a thread at its first query
    started.wait()


def _without_gradients(work: Callable[[Task], None], task: Task) -> None:
    with torch.inference_mode():
        work(task)
