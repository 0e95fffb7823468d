"""A small disk that can be filled, freed and made read-only: a tmpfs, which needs root; skipped elsewhere."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

from campaigns._campaign import Skip

ROOMY = 256 << 20


class SmallDisk:
    """A mounted tmpfs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filler = folder / "filler"

    def resize(self, size: int) -> None:
        _mount("-o", f"remount,size={size}", self.folder)

    def read_only(self, *, on: bool) -> None:
        _mount("-o", f"remount,{'ro' if on else 'rw'}", self.folder)

    def used(self) -> int:
        found = os.statvfs(self.folder)
        return (found.f_blocks - found.f_bfree) * found.f_frsize

    def leave(self, size: int) -> None:
        """Leave this many bytes free."""
        self.resize(max(4096, self.used() + size))

    def free(self) -> None:
        self.resize(ROOMY)


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[SmallDisk]:
    """Mount a disk at a folder for the duration of a `with` block. Raises Skip where that is not allowed."""
    folder.mkdir(parents=True, exist_ok=True)
    if os.geteuid() != 0:
        raise Skip("mounting a small disk needs root")
    try:
        _mount("-t", "tmpfs", "-o", f"size={ROOMY}", "prismsearch-campaign", folder)
    except (OSError, subprocess.CalledProcessError) as error:
        raise Skip(f"no small disk can be mounted here: {error}") from error
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", "-l", folder], check=False, stderr=subprocess.DEVNULL)


def _mount(*words: str | Path) -> None:
    subprocess.run(["mount", *words], check=True, stderr=subprocess.DEVNULL)
