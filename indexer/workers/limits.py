"""Limits of a worker process, and its end with the process that started it."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass

GIB = 1024**3
# Loaded here, because between fork and exec another thread may hold the loader's lock.
_PRCTL = getattr(ctypes.CDLL(None), "prctl", None) if sys.platform == "linux" else None
_PROGRAM_BYTES = GIB // 2  # address space of the program itself: its libraries, and the stacks of threads


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerLimits:
    """Limits of each worker.

    Raises:
        ValueError: For a limit that is not positive.
    """

    stall_seconds: float = 60.0  # without any sign of progress, after which a task is given up
    memory_gib: float = 3.0  # beyond the program itself. Film of 8K in 10 bits takes 2
    on_device: bool = False  # decodes on a hardware device, whose driver reserves far more addresses than it uses

    def __post_init__(self) -> None:
        for name in ("stall_seconds", "memory_gib"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be above 0, got {getattr(self, name)}")

    @property
    def address_bytes(self) -> int | None:
        """The limit of a worker's address space, which the system enforces; None where memory in use is watched."""
        return None if self.on_device or sys.platform != "linux" else self.memory_bytes

    @property
    def memory_bytes(self) -> int:
        """The limit of a worker's memory, the program included."""
        return int(self.memory_gib * GIB) + _PROGRAM_BYTES


def limit_child(parent: int, address_bytes: int | None) -> None:
    """Limit this process, between fork and exec, as a program that a process starts to read media. Linux only."""
    die_with_parent(parent)
    if address_bytes is not None:
        limit_address_space(address_bytes)


def limit_address_space(size: int) -> None:
    """Make allocations of this process fail once its address space has `size` bytes. Linux only."""
    if sys.platform == "linux":
        import resource

        with suppress(ValueError, OSError):  # a lower limit holds already
            resource.setrlimit(resource.RLIMIT_AS, (size, size))


def die_with_parent(parent: int) -> None:
    """Let the system kill this process when the thread that started it ends, and if memory is short, it first.

    Elsewhere than on Linux, the end of the pipe from the parent has to do, which a decoder that hangs while it holds
    Python's lock does not see.
    """
    if sys.platform == "linux":
        if _PRCTL is not None:
            _PRCTL(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
        with suppress(OSError), open("/proc/self/oom_score_adj", "w") as score:
            score.write("500")
        if os.getppid() != parent:
            os._exit(1)
