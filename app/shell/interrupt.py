"""Graceful handling of Ctrl-C: the first one requests a stop without losing work; a second one ends the program."""

from __future__ import annotations

import queue
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.shell.terminal import LiveLine


_PRINTED_SECONDS = 1.0  # for a line to be printed, unless standard error is blocked


@contextmanager
def ctrl_c_raises() -> Iterator[None]:
    """Let Ctrl-C raise KeyboardInterrupt inside `stop_on_interrupt`, for a question, which would wait on else."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)


@contextmanager
def stop_on_interrupt(line: LiveLine, stopping: str) -> Iterator[Callable[[], bool]]:
    """Turn the first SIGINT or SIGTERM into a flag, and print `stopping`. A second one raises KeyboardInterrupt.

    Yields:
        A function that returns whether the flag is set.
    """
    stop_requested = False
    say: queue.SimpleQueue[bool] = queue.SimpleQueue()  # its put() may be called at any moment, even within itself
    previous: dict[signal.Signals, object] = {}

    def on_signal(number: int, frame: object) -> None:
        nonlocal stop_requested
        if stop_requested:
            raise KeyboardInterrupt
        stop_requested = True
        say.put(True)

    def print_when_asked() -> None:
        if say.get():
            line.log(stopping)

    # Nothing may be printed in a signal handler: it may have interrupted a print, even one that waits for its reader.
    printer = threading.Thread(target=print_when_asked, name="stopping", daemon=True)
    printer.start()
    # Only the main thread can handle signals.
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            previous[number] = signal.signal(number, on_signal)
    try:
        yield lambda: stop_requested
    finally:
        say.put(False)
        printer.join(_PRINTED_SECONDS)
        for number, handler in previous.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
