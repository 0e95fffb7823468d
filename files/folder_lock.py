"""Locks on folders, which show other processes that their owner lives: the system releases them when it ends.

Where there are no such locks (Windows, some network drives), nothing is known about the owner.
"""

from __future__ import annotations

import os
from pathlib import Path


class NoLocks(OSError):
    """The system or the file system has no locks on folders."""


def lock_folder(folder: Path) -> int:
    """Lock a folder until the returned descriptor is closed, or this process ends.

    Raises:
        BlockingIOError: Another process (or another descriptor of this one) has locked it.
        NoLocks: Folders cannot be locked there.
        FileNotFoundError: The folder does not exist, or was removed meanwhile.
        OSError: It cannot be opened.
    """
    try:
        import fcntl
    except ImportError as error:  # Windows
        raise NoLocks("folders cannot be locked") from error
    descriptor = os.open(folder, os.O_RDONLY | os.O_NOFOLLOW | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise
        except OSError as error:
            raise NoLocks(*error.args) from error
        if not os.path.samestat(os.fstat(descriptor), os.stat(folder)):
            raise FileNotFoundError(f"{folder} was replaced")
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor
