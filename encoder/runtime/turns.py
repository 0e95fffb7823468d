"""A lock whose waiting threads get it in the order in which they asked: no tab of the page waits for ever."""

from __future__ import annotations

import threading
from collections import deque


class Turns:
    """A fair lock, for `with`. A thread that has it may not ask again.

    A plain lock may go to the thread that has just released it, again and again.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._queue: deque[object] = deque()  # the first one has the lock

    def __enter__(self) -> None:
        mine = object()
        with self._changed:
            self._queue.append(mine)
            try:
                self._changed.wait_for(lambda: self._queue[0] is mine)
            except BaseException:  # such as a Ctrl-C: the others must not wait for it
                self._queue.remove(mine)
                self._changed.notify_all()
                raise

    def __exit__(self, *_error: object) -> None:
        with self._changed:
            self._queue.popleft()
            self._changed.notify_all()
