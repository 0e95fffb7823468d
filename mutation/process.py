"""Processes of tests: bounded in time and memory, and ended with all the processes that they started."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path

import psutil

MAX_BYTES = 8 << 30
"""Memory of a process: a mutant may append for ever."""


@dataclass
class Processes:
    """The running ones, so that Ctrl-C can end them."""

    stopped: bool = False
    _running: set[int] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def run(
        self, command: list[str], folder: Path, environment: dict[str, str], seconds: float
    ) -> tuple[int | None, str]:
        """Return the exit code, None if time ran out, and the output."""
        with self._lock:
            if self.stopped:
                raise KeyboardInterrupt
            process = subprocess.Popen(
                command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, text=True, errors="replace", start_new_session=True,
            )  # fmt: skip
            self._running.add(process.pid)
        try:
            _limit_memory(process.pid)
            try:
                output, _ = process.communicate(timeout=seconds)
            except subprocess.TimeoutExpired:
                end_family(process.pid)
                output, _ = process.communicate()
                return None, output
        finally:
            with self._lock:
                self._running.discard(process.pid)
        if self.stopped:
            raise KeyboardInterrupt
        return process.returncode, output

    def stop(self) -> None:
        with self._lock:
            self.stopped = True
            running = list(self._running)
        for pid in running:
            end_family(pid)


def busyness() -> float:
    """How many processes want each core, at least 1: times that are allowed grow with it."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1)) if hasattr(os, "getloadavg") else 1.0


def end_family(pid: int) -> None:
    """Kill a process and its descendants."""
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        for member in [process, *process.children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                member.kill()


def _limit_memory(pid: int) -> None:
    if sys.platform == "linux":
        import resource

        with contextlib.suppress(OSError):
            resource.prlimit(pid, resource.RLIMIT_DATA, (MAX_BYTES, MAX_BYTES))
