"""Threads that each compute alone, a task after the other: no thread waits for another within a task.

Torch's own way is that all threads share every operation, and meet at its end: a tower on a CPU has thousands of them a
clip, and where other programs want the cores as well each meeting waits for the slowest.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import torch

Task = TypeVar("Task")


class Workers:
    """As many threads as torch would use. They end when this object goes."""

    def __init__(self, count: int | None = None) -> None:
        """count: torch's number of threads unless given."""
        self.count = count or torch.get_num_threads()
        self._pool = ThreadPoolExecutor(self.count, "encoder")
        # How many threads an operation may use is each thread's own in OpenMP, but torch also keeps the last number for
        # threads to come, so it is put back once all of ours have begun.
        shared = torch.get_num_threads()
        met = threading.Barrier(self.count)
        for future in [self._pool.submit(_alone, met) for _ in range(self.count)]:
            future.result()
        torch.set_num_threads(shared)

    def each(self, work: Callable[[Task], None], tasks: Iterable[Task]) -> None:
        """Do `work` for every task, without gradients; raises the first error once no task is running any more."""
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


def _alone(met: threading.Barrier) -> None:
    torch.set_num_threads(1)
    torch.get_num_threads()  # a thread's first question is what makes torch take the number over
    met.wait()


def _without_gradients(work: Callable[[Task], None], task: Task) -> None:
    with torch.inference_mode():
        work(task)
