"""Several names of one file: links, mounts of one folder at two places, and spellings that a volume takes for equal.

macOS and Windows ignore case in names, and macOS their Unicode form.
"""

from __future__ import annotations

import os

from db.names import comparison_key


def file_keys(path: str) -> set[object]:
    """Return keys of a file, at least one of which every other name of it shares; hard links count as different files.

    A path that does not exist has only its own, with links resolved.
    """
    real = os.path.realpath(path)
    try:
        return {real, *inode_key(real, os.stat(path))}
    except OSError:
        return {real}


def inode_key(real: str, status: os.stat_result) -> tuple[object, ...]:
    """Return the key of a file by device and inode; none on file systems without inodes.

    A file with hard links is told from them by its folder and name.

    Args:
        real: Path of the file, links resolved.
        status: Its status.
    """
    if not status.st_ino:
        return ()
    if status.st_nlink <= 1:
        return ((status.st_dev, status.st_ino),)
    try:
        folder = os.stat(os.path.dirname(real))
    except OSError:
        return ()
    return ((folder.st_dev, folder.st_ino, comparison_key(os.path.basename(real))),)


def as_on_disk(path: str) -> str:
    """Return an absolute path with each name as its folder lists it; as it is where that cannot be known."""
    if not os.path.lexists(path):
        return path
    drive, rest = os.path.splitdrive(path)
    found = drive + os.sep
    for name in rest.split(os.sep):
        if name:
            found = os.path.join(found, _listed(found, name))
    return found


def _listed(folder: str, name: str) -> str:
    """Return the name of an entry of a folder as it is listed; that may differ in case and Unicode form."""
    try:
        names = os.listdir(folder)
    except OSError:
        return name
    if name in names:
        return name
    for other in names:
        same_key = comparison_key(other) == comparison_key(name)
        if same_key and _is_same(os.path.join(folder, name), os.path.join(folder, other)):
            return other
    return name


def _is_same(path: str, other: str) -> bool:
    try:
        return os.path.samestat(os.lstat(path), os.lstat(other))
    except OSError:
        return False
