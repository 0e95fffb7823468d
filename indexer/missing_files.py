"""Whether a file is gone, or only out of reach: an unplugged drive must not cost a library anything.

The rule of the sweep: a video is forgotten only if its file is not there while the folder that held it is there, can be
read and holds something else. A folder that is missing may be an unplugged drive, and so may one that is empty: that
is what a mount point looks like with nothing mounted on it. Such videos are kept, and said to be missing.

Standard library only.
"""

from __future__ import annotations

import errno
import os
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Absent:
    """Those of some paths that are not there."""

    gone: tuple[str, ...]  # from a folder that is there: deleted
    out_of_reach: tuple[str, ...]  # with their folder, or from one that is empty or cannot be read


def absent(paths: Iterable[str]) -> Absent:
    """Tell what was deleted from what cannot be reached; paths that are there are left out."""
    gone: list[str] = []
    out_of_reach: list[str] = []
    folders: dict[str, bool] = {}
    for path in sorted(paths):
        if not is_there(path):
            folder = os.path.dirname(path)
            if folder not in folders:
                folders[folder] = _entries(folder) == 1
            (gone if folders[folder] else out_of_reach).append(path)
    return Absent(gone=tuple(gone), out_of_reach=tuple(out_of_reach))


def is_there(path: str) -> bool:
    """False only if the system says that nothing has that name; a file that cannot be looked at is there."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        return error.errno != errno.ENAMETOOLONG
    return True


def was_left_for(old: str, new: str) -> bool:
    """Whether a file now found at `new` can have been renamed from `old`: nothing has that name any more.

    Where names that differ only in case or unicode form are one name (macOS, Windows), the old name still answers after
    such a renaming; then the folder's own listing decides.
    """
    if not is_there(old):
        return True
    if _folded(old) != _folded(new):
        return False
    old_parts, new_parts = old.split(os.sep), new.split(os.sep)
    for depth, (old_name, new_name) in enumerate(zip(old_parts, new_parts, strict=True)):
        if old_name != new_name:
            try:
                return old_name not in os.listdir(os.sep.join(old_parts[:depth]) or os.sep)
            except OSError:
                return False
    return False


def is_below(path: str, folder: str) -> bool:
    """Whether an absolute path is that folder or in it."""
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def is_empty(folder: str) -> bool:
    """Whether it is a folder that can be read and holds nothing."""
    return _entries(folder) == 0


def _entries(folder: str) -> int | None:
    """0 for none, 1 for some, None if it cannot be read."""
    try:
        with os.scandir(folder) as entries:
            return 0 if next(entries, None) is None else 1
    except OSError:
        return None


def _folded(path: str) -> str:
    return unicodedata.normalize("NFC", path).casefold()
