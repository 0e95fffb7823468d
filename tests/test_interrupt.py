"""Ctrl-C: the first one sets a flag at once, and what is printed about it is printed elsewhere."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from app.shell.interrupt import stop_on_interrupt
from app.shell.live_line import LiveLine

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals")


class BlockedLine(LiveLine):
    """A line whose reader has stopped reading, held while a signal comes."""

    def __init__(self) -> None:
        super().__init__()
        self.lock = threading.Lock()
        self.printed: list[tuple[str, str]] = []

    def log(self, text: str) -> None:
        with self.lock:
            self.printed.append((threading.current_thread().name, text))


def test_nothing_is_printed_in_the_handler_of_a_signal() -> None:
    line = BlockedLine()
    with stop_on_interrupt(line, "Stopping.") as stopped:
        assert not stopped()
        with line.lock:  # the main thread is in the middle of a print
            signal.raise_signal(signal.SIGINT)
            assert stopped()
            assert line.printed == []
    assert line.printed == [("stopping", "Stopping.")]


def test_a_second_one_interrupts_and_without_one_nothing_is_said() -> None:
    line = BlockedLine()
    handler = signal.getsignal(signal.SIGINT)
    with stop_on_interrupt(line, "Stopping."):
        signal.raise_signal(signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is handler
    quiet = BlockedLine()
    with stop_on_interrupt(quiet, "Stopping."):
        pass
    assert (len(line.printed), quiet.printed) == (1, [])
