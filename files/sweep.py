"""Sweeping: removal of temporary files and folders left behind by killed processes.

Age decides: an entry younger than the limit may belong to a process that is still writing it. A sweep never raises;
an entry that cannot be removed stays for the next one.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Container
from pathlib import Path

from files.durability import remove


def sweep_files(
    directory: Path, prefix: str, *, older_than_seconds: float | None, keep: Container[str] = frozenset()
) -> None:
    """Remove the files (and symbolic links) in a folder whose names begin with `prefix`. Never raises.

    Args:
        directory: The folder. It is not searched recursively, and may be missing.
        prefix: The beginning of the names.
        older_than_seconds: Files modified less than this ago stay. None removes files of any age, for a caller that
            knows that no one else writes there.
        keep: Names to keep regardless of age.
    """
    for entry in _entries(directory, prefix, keep):
        path = Path(entry.path)
        if not entry.is_dir(follow_symlinks=False) and is_older(path, older_than_seconds):
            remove(path)


def sweep_folders(
    directory: Path, prefix: str, *, older_than_seconds: float | None, keep: Container[str] = frozenset()
) -> None:
    """Remove the folders in a folder whose names begin with `prefix`, with their content. Never raises.

    Args:
        directory: The folder to look in. It may be missing.
        prefix: The beginning of the names.
        older_than_seconds: Folders in which an entry was added or removed less than this ago stay. None removes
            folders of any age.
        keep: Names to keep regardless of age.
    """
    for entry in _entries(directory, prefix, keep):
        path = Path(entry.path)
        if entry.is_dir(follow_symlinks=False) and is_older(path, older_than_seconds):
            shutil.rmtree(path, ignore_errors=True)


def is_older(path: Path, seconds: float | None) -> bool:
    """Return whether a path was last modified more than `seconds` ago; False if it does not exist. None: any age.

    A symbolic link has its own age, not that of its target.
    """
    try:
        modified = path.lstat().st_mtime
    except OSError:
        return False
    return seconds is None or time.time() - modified > seconds


def _entries(directory: Path, prefix: str, keep: Container[str]) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(directory) as entries:
            return [entry for entry in entries if entry.name.startswith(prefix) and entry.name not in keep]
    except OSError:
        return []
