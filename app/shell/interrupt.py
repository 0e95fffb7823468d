"""Signals that end a run: Ctrl-C, SIGTERM, and SIGHUP when the terminal is closed.

During a run, the first one requests a stop without losing work, and a second one ends the program. Elsewhere, each of
them raises KeyboardInterrupt. A signal that is ignored, as SIGHUP is under nohup, stays ignored.
"""

from __future__ import annotations

import errno
import os
import queue
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import click

from app.shell.exit_codes import INTERRUPTED, SIGNALLED

if TYPE_CHECKING:
    from app.shell.live_line import LiveLine

STOPPED = "stopped; what was finished is kept, and the same command continues from there"
NOTHING_FINISHED = "Stopped before anything was finished."

_SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
_HEARD = "prismsearch.signal"
_PRINTED_SECONDS = 1.0  # for a line to be printed, unless standard error is blocked


def stopped_code() -> int:
    """Return the exit code of a stopped command: 128 and the number of the signal; 130 where it was none."""
    context = click.get_current_context(silent=True)
    number = None if context is None else context.meta.get(_HEARD)
    return INTERRUPTED if number is None else SIGNALLED + int(number)


@contextmanager
def signals_raise() -> Iterator[None]:
    """Let every signal that ends a run raise KeyboardInterrupt, inside `stop_on_interrupt`, too.

    A question needs that, which would wait on else.
    """

    def on_signal(number: int, frame: object) -> None:
        _hear(number)
        raise KeyboardInterrupt

    with _handled_by(on_signal):
        yield


@contextmanager
def stop_on_interrupt(line: LiveLine, stopping: str) -> Iterator[Callable[[], bool]]:
    """Turn the first signal that ends a run into a flag, and print `stopping`. A second one raises KeyboardInterrupt.

    Yields:
        A function that returns whether the flag is set.
    """
    stop_requested = False
    say: queue.SimpleQueue[bool] = queue.SimpleQueue()  # its put() may be called at any moment, even within itself

    def on_signal(number: int, frame: object) -> None:
        nonlocal stop_requested
        _hear(number)
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
    try:
        with _handled_by(on_signal):
            yield lambda: stop_requested
    finally:
        say.put(False)
        printer.join(_PRINTED_SECONDS)


@contextmanager
def _handled_by(handler: Callable[[int, object], None]) -> Iterator[None]:
    previous: dict[signal.Signals, object] = {}
    if threading.current_thread() is threading.main_thread():  # only the main thread can handle signals
        for number in _SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                previous[number] = signal.signal(number, handler)
    try:
        yield
    finally:
        for number, before in previous.items():
            signal.signal(number, before)  # type: ignore[arg-type]


def _hear(number: int) -> None:
    """Remember a signal for the exit code. Once a terminal is closed, what is still printed goes nowhere."""
    context = click.get_current_context(silent=True)
    if context is not None:
        context.meta[_HEARD] = number
    if number == getattr(signal, "SIGHUP", None):
        _leave_closed_terminal()


def _leave_closed_terminal() -> None:
    import termios

    for descriptor in (1, 2):
        try:
            termios.tcgetattr(descriptor)
        except termios.error as error:
            if error.args[0] == errno.EIO:
                with suppress(OSError):
                    nowhere = os.open(os.devnull, os.O_WRONLY)
                    os.dup2(nowhere, descriptor)
                    os.close(nowhere)
