"""Process identity, to check whether the process named in a journal is still alive.

A pid alone is not enough: pids are reused, machines restart, and each container has its own pids.
"""

from __future__ import annotations

import os
import platform
import sys
from dataclasses import dataclass
from pathlib import Path

_SAME_SECONDS = 2.0
"""Tolerance of creation times of the same process: Linux reports the boot time in whole seconds."""


@dataclass(frozen=True, slots=True)
class ProcessId:
    """A process of this machine or another one.

    Attributes:
        pid: The process id; 0 if unknown.
        create_time: Seconds, comparable only with another reading on the same host; 0.0 if unknown.
        host_id: The machine, its boot and its pid namespace. The other two are meaningful only there.
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
    """Return whether that process is alive; None if unknown (it is on another machine)."""
    if not process.pid or not process.create_time or process.host_id != host_id():
        return None
    created = _create_time(process.pid)
    return created is not None and abs(created - process.create_time) < _SAME_SECONDS


def host_id() -> str:
    """Return an identifier of this machine, its current boot and its pid namespace."""
    parts = [platform.node()]
    if sys.platform == "linux":
        try:
            parts.append(Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip())
            parts.append(os.readlink("/proc/self/ns/pid"))
        except OSError:
            pass
    return " ".join(parts)


def _create_time(pid: int) -> float | None:
    """Return the creation time of a process; None if it does not exist or is a zombie."""
    import psutil

    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        created = process.create_time()
    except psutil.Error:
        return None
    # Linux counts from boot, and psutil adds the time of the boot, which changes when the clock is set.
    return float(created - psutil.boot_time() if sys.platform == "linux" else created)
