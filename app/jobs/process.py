"""Which process keeps a journal, and whether it is still that process: numbers are used again, and machines restart.

Standard library only.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ProcessId:
    """A process: its number, when it was born as the system says it, and where these two mean something."""

    pid: int
    born: str  # empty: the system does not tell
    where: str


def own_process_id() -> ProcessId:
    """The mark of this process."""
    return process_id_of(os.getpid())


def process_id_of(pid: int) -> ProcessId:
    """The mark of a process of this machine that runs now."""
    return ProcessId(pid, _born(pid) or "", here())


def is_alive(mark: ProcessId) -> bool | None:
    """Whether that very process runs. None where it cannot be told from here: another machine, or a silent system."""
    if not mark.pid or not mark.born or mark.where != here():
        return None
    return _born(mark.pid) == mark.born


def here() -> str:
    """This machine since it was started, and the namespace that numbers of processes belong to."""
    parts = [platform.node()]
    if sys.platform == "linux":
        try:
            parts.append(Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip())
            parts.append(os.readlink("/proc/self/ns/pid"))
        except OSError:
            pass
    return " ".join(parts)


def _born(pid: int) -> str | None:
    """When a process was born; None where there is none (or only what its parent has not fetched yet)."""
    if sys.platform == "linux":
        try:
            # The name of the program may hold anything, and ends with the last bracket.
            words = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
            return None if words[0] in (b"Z", b"X") else words[19].decode("ascii")
        except (OSError, IndexError):
            return None
    if sys.platform == "win32":
        return None  # os.kill would end it there; that the journal is still touched has to do
    try:
        asked = subprocess.run(
            ["ps", "-o", "stat=,lstart=", "-p", str(pid)],
            env={**os.environ, "LC_ALL": "C", "TZ": "UTC"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=10,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    state, _, born = asked.stdout.decode("ascii", "replace").strip().partition(" ")
    return None if not state or state.startswith("Z") else " ".join(born.split())
