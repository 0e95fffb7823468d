"""The steps of `dev.py check` and `dev.py test`: several at once, each told as a whole when it has ended."""

# Standard library only, and syntax that a too old Python can still be told about.
from __future__ import annotations

import subprocess
import time
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TYPE_CHECKING

from bootstrap.place import say

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


def run_steps(
    root: Path, steps: Mapping[str, Sequence[str]], *, at_once: int, followed: Mapping[str, Sequence[str]]
) -> dict[str, tuple[int, float]]:
    """Run every step, also after one that fails. Ctrl-C ends those that run and begins no other.

    Args:
        root: Folder that the commands run in.
        steps: Commands by the name of the step, begun in this order. Each is silent until it has ended.
        at_once: Number of them that run at the same time.
        followed: Commands that run beside those, one after the other, with their output shown as it comes.

    Returns:
        Exit code and seconds by the name of the step: first those of `steps`, then those of `followed`.
    """

    def run(command: Sequence[str]) -> tuple[int, float]:
        started = time.monotonic()
        code = subprocess.run(command, cwd=root).returncode
        return code, time.monotonic() - started

    def run_silently(name: str, command: Sequence[str]) -> tuple[int, float]:
        started = time.monotonic()
        ran = subprocess.run(
            command, cwd=root, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        say(f"\n== {name}\n{ran.stdout.decode(errors='replace')}".rstrip())
        return ran.returncode, time.monotonic() - started

    with ThreadPoolExecutor(at_once) as pool:
        begun = {name: pool.submit(run_silently, name, command) for name, command in steps.items()}
        try:
            shown = {}
            for name, command in followed.items():
                say(f"\n== {name}")
                shown[name] = run(command)
            wait(begun.values())
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return {name: future.result() for name, future in begun.items()} | shown
