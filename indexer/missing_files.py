"""Tell deleted files from unreachable ones, so that an unplugged drive costs a library nothing.

The rule: a video is removed from the library only if its file is missing while the folder that held it exists, can be
read and holds something else. A missing folder may be an unplugged drive, and so may an empty one: that is how a mount
point looks with nothing mounted on it. Such videos are kept and reported as missing.

Standard library only.
"""

from __future__ import annotations

import errno
import os
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingFiles:
    """The paths that do not exist, sorted."""

    deleted: tuple[str, ...]  # from a folder that exists and holds something else
    unreachable: tuple[str, ...]  # together with their folder, or from one that is empty or cannot be read


def find_missing(paths: Iterable[str]) -> MissingFiles:
    """Return those of `paths` that do not exist, deleted and unreachable ones apart."""
    deleted: list[str] = []
    unreachable: list[str] = []
    folders: dict[str, bool] = {}
    for path in sorted(paths):
        if not exists(path):
            folder = os.path.dirname(path)
            if folder not in folders:
                folders[folder] = _is_empty(folder) is False
            (deleted if folders[folder] else unreachable).append(path)
    return MissingFiles(deleted=tuple(deleted), unreachable=tuple(unreachable))


def exists(path: str) -> bool:
    """Return False only if the system says that the name does not exist; an inaccessible file counts as existing."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        return error.errno != errno.ENAMETOOLONG
    return True


def was_renamed_to(old: str, new: str) -> bool:
    """Return whether a file found at `new` may have been renamed from `old`: nothing has the old name any more.

    Where names that differ only in case or Unicode form are one name (macOS, Windows), the old name still resolves
    after such a renaming. There the listing of the folder decides.
    """
    if not exists(old):
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
    """Return whether an absolute path is `folder` itself or lies in it."""
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def is_empty_folder(folder: str) -> bool:
    """Return whether `folder` can be read and holds nothing."""
    return _is_empty(folder) is True


def _is_empty(folder: str) -> bool | None:
    """None if it cannot be read."""
    try:
        with os.scandir(folder) as entries:
            return next(entries, None) is None
    except OSError:
        return None


def _folded(path: str) -> str:
    return unicodedata.normalize("NFC", path).casefold()
