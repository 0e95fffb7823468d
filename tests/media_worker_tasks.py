"""Stand-ins for functions that read media, which tests of the page run in worker processes."""

from __future__ import annotations

import os
import threading
from typing import Any

import numpy as np


def aborts(*_: Any, **__: Any) -> None:
    os.abort()


def hangs(*_: Any, **__: Any) -> None:
    threading.Event().wait()


def allocates(*_: Any, **__: Any) -> None:
    np.ones(1 << 32, np.uint8)


def reads_slowly(path: str) -> str:
    """Read a file for longer than a task may be silent, a little at a time."""
    with open(path, "rb") as file:
        for _ in range(12):
            file.seek(0)
            file.read(20_000)
            threading.Event().wait(0.1)
    return "read"
