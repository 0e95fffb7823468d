"""Ctrl-C as a request: long work stops where nothing is lost; a second Ctrl-C ends it at once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.shell.terminal import LiveLine


@contextmanager
def stop_on_interrupt(line: LiveLine, stopping: str) -> Iterator[Callable[[], bool]]:
    """Turn the first SIGINT or SIGTERM into a flag, and print `stopping`. A second one raises KeyboardInterrupt.

    Yields:
        A function that tells whether the flag is set.
    """
    asked = threading.Event()
    previous: dict[signal.Signals, object] = {}

    def on_signal(number: int, frame: object) -> None:
        if asked.is_set():
            raise KeyboardInterrupt
        asked.set()
        line.log(stopping)

    # Signals reach only the main thread; anywhere else there is nothing to take over.
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            previous[number] = signal.signal(number, on_signal)
    try:
        yield asked.is_set
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
