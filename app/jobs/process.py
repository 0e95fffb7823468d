"""Process identity: tells whether the process that a journal names still runs.

A process number alone does not: numbers are reused, machines restart, and each container counts its own.
"""

from __future__ import annotations

import os
import platform
import sys
from dataclasses import dataclass
from pathlib import Path

_SAME_SECONDS = 2.0
"""Creation times that differ by less belong to one process: Linux tells the boot time in whole seconds."""


@dataclass(frozen=True, slots=True)
class ProcessId:
    """A process of this machine or another one.

    Attributes:
        pid: The process number; 0 where it is not known.
        create_time: Seconds, to be compared only with another reading on the same host; 0.0 where it is not known.
        host_id: The machine, its boot and its process namespace. The other two mean something only there.
    """

    pid: int
    create_time: float
    host_id: str


def own_process_id() -> ProcessId:
    """Return the identity of this process."""
    return process_id_of(os.getpid())


def process_id_of(pid: int) -> ProcessId:
    """Return the identity of a process that runs on this machine."""
    return ProcessId(pid, _create_time(pid) or 0.0, host_id())


def is_alive(process: ProcessId) -> bool | None:
    """Return whether that very process runs; None where this cannot be known from here (another machine)."""
    if not process.pid or not process.create_time or process.host_id != host_id():
        return None
    created = _create_time(process.pid)
    return created is not None and abs(created - process.create_time) < _SAME_SECONDS


def host_id() -> str:
    """Return what identifies this machine since it was started, and the namespace of its process numbers."""
    parts = [platform.node()]
    if sys.platform == "linux":
        try:
            parts.append(Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip())
            parts.append(os.readlink("/proc/self/ns/pid"))
        except OSError:
            pass
    return " ".join(parts)


def _create_time(pid: int) -> float | None:
    """Return when a process was created; None where there is none, or only a zombie that its parent has not reaped."""
    import psutil

    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        created = process.create_time()
    except psutil.Error:
        return None
    # Linux counts from the boot, and psutil adds the time of day of the boot, which moves when the clock is set.
    return float(created - psutil.boot_time() if sys.platform == "linux" else created)
