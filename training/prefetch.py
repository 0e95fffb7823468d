"""Batches drawn ahead of the step that needs them, by threads or worker processes. Their content stays the same.

A batch depends on its number alone, so it does not matter who draws it, nor in which order they come to be ready.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from multiprocessing.process import BaseProcess
from typing import Generic, Literal, TypeVar

from training.batches import BatchSource

Drawn = TypeVar("Drawn")

_source: BatchSource[object] | None = None  # of a worker process: what it was given once, to draw from many times


class PrefetchedBatches(Generic[Drawn]):
    """A source of batches that draws ahead. `prefetched` makes one, and ends its workers."""

    def __init__(
        self, source: BatchSource[Drawn], executor: Executor, ahead: int, until: int, in_turns: bool = False
    ) -> None:
        self._source, self._executor, self._ahead, self._until = source, executor, ahead, until
        self._in_turns = in_turns
        self._in_processes = isinstance(executor, ProcessPoolExecutor)
        self._waiting: dict[int, Future[Drawn]] = {}

    def draw(self, number: int) -> Drawn:
        """Return batch `number`, and begin to draw those after it.

        Raises:
            OSError: It cannot be drawn, or a worker process ended.
            Exception: What the source raised.
        """
        for stale in [each for each in self._waiting if not number <= each <= number + self._ahead]:
            self._waiting.pop(stale).cancel()
        try:
            if self._in_turns and number in self._waiting:
                return self._waiting.pop(number).result()
            for each in range(number, max(number + 1, min(number + 1 + self._ahead, self._until))):
                if each not in self._waiting:
                    self._waiting[each] = self._submit(each)
            if self._in_turns:
                wait(self._waiting.values())
            return self._waiting.pop(number).result()
        except BrokenProcessPool as error:
            raise OSError(
                "a process that draws batches ended; if memory was short, use fewer workers or smaller batches"
            ) from error

    def _submit(self, number: int) -> Future[Drawn]:
        if self._in_processes:
            return self._executor.submit(_draw_here, number)  # type: ignore[arg-type]
        return self._executor.submit(self._source.draw, number)


@contextmanager
def prefetched(
    source: BatchSource[Drawn],
    *,
    ahead: int = 4,
    workers: int = 1,
    kind: Literal["threads", "processes"] = "threads",
    until: int,
    in_turns: bool = False,
) -> Iterator[PrefetchedBatches[Drawn]]:
    """Yield a source that draws ahead of the steps, within the block.

    Args:
        source: What to draw from. With threads and several workers, it is called by several threads at once; with
            processes, it is pickled, once for each.
        ahead: Most batches that are drawn and not yet used.
        workers: Threads or processes.
        kind: threads, for sources that wait for a disk or another process; processes, for those that compute.
        until: The number of batches; none from there on is drawn ahead.
        in_turns: Draw as many as may be ahead while the caller waits, then none until they are used. For a caller
            that computes on all cores: its threads wait for each other, so one that shares its core with a worker
            holds up the rest.

    Raises:
        ValueError: A count is out of range.
    """
    if ahead < 0 or workers < 1:
        raise ValueError(f"{workers} workers cannot draw {ahead} batches ahead")
    executor: Executor
    if kind == "threads":
        executor = ThreadPoolExecutor(workers, "batches")
    else:
        executor = ProcessPoolExecutor(workers, get_context("spawn"), _begin_worker, (source,))
    try:
        yield PrefetchedBatches(source, executor, ahead, until, in_turns)
    finally:
        executor.shutdown(cancel_futures=True)


def _begin_worker(source: BatchSource[object]) -> None:
    """Prepare a worker process: it lives through Ctrl-C, which a terminal sends to all, and ends when its parent does.

    Without the latter, workers of a killed process would wait for ever.
    """
    global _source
    _source = source
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if (parent := parent_process()) is not None:
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    if "torch" in sys.modules:
        import torch

        torch.set_num_threads(1)


def _end_with(parent: BaseProcess) -> None:
    parent.join()
    os._exit(1)


def _draw_here(number: int) -> object:
    assert _source is not None
    return _source.draw(number)
