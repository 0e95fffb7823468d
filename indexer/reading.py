"""Reading of files by functions that may hang, so that neither a dead drive nor a damaged file holds up a run.

In worker processes a read that hangs is given up. In threads it is only no longer waited for: they are daemons, so that
the program can end.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, wait
from typing import Any, TypeVar

from indexer.media.errors import Cancelled
from indexer.workers.pool import WorkerPool

_WAIT_SECONDS = 0.1  # between checks whether to stop

Item = TypeVar("Item")
T = TypeVar("T")


class Reading:
    """Calls functions that read files, and hears within a tenth of a second that it is to stop."""

    def __init__(self, pool: WorkerPool | None, *, workers: int, cancelled: Callable[[], bool]) -> None:
        """Prepare to read.

        Args:
            pool: Worker processes to read in; None to read in threads of this one.
            workers: Files read at the same time.
            cancelled: Polled in the calling thread; True raises Cancelled there.
        """
        self._pool = pool
        self._workers = workers
        self._cancelled = cancelled

    def each(
        self, function: Callable[[Item], T], items: Sequence[Item], path_of: Callable[[Item], str]
    ) -> Iterator[tuple[Item, Future[T]]]:
        """Call a function for each item and yield the items in order, with a future that is done.

        Args:
            function: An importable function. UnreadableVideo in its future says that its worker was given up.
            items: Whatever can be pickled.
            path_of: Returns the path that an item is read from.

        Raises:
            Cancelled: If `cancelled()` returns True.
        """
        futures: list[Future[T]] = [Future() for _ in items]
        numbers = iter(range(len(items)))
        lock, stop = threading.Lock(), threading.Event()

        def work() -> None:
            while not stop.is_set():
                with lock:
                    number = next(numbers, None)
                if number is None:
                    return
                item, future = items[number], futures[number]
                _settle(future, lambda item=item: self._read(function, item, path_of(item), stop))  # type: ignore[misc]

        for _ in range(min(self._workers, len(items))):
            threading.Thread(target=work, name="read", daemon=True).start()
        try:
            for item, future in zip(items, futures, strict=True):
                self._wait_for(future)
                yield item, future
        finally:
            stop.set()

    def wait(self, function: Callable[[], T]) -> T:
        """Call a function in a thread of this process and return its result. Raise Cancelled if told to stop."""
        future: Future[T] = Future()
        threading.Thread(target=_settle, args=(future, function), name="read", daemon=True).start()
        self._wait_for(future)
        return future.result()

    def _read(self, function: Callable[[Item], T], item: Item, path: str, stop: threading.Event) -> T:
        if self._pool is None:
            return function(item)
        return self._pool.call(function, item, path=path, cancelled=stop.is_set)

    def _wait_for(self, future: Future[Any]) -> None:
        while True:
            if self._cancelled():
                raise Cancelled
            if wait([future], timeout=_WAIT_SECONDS).done:
                return


def _settle(future: Future[Any], function: Callable[[], Any]) -> None:
    try:
        future.set_result(function())
    except BaseException as error:  # noqa: BLE001  the waiting caller must learn of it
        future.set_exception(error)
