"""Distinction between deleted and unreachable files, so that an unplugged drive loses nothing from a library.

The rule: a file counts as deleted only if its folder exists, is readable, is not empty, and is on the volume that the
file was on, where that is known (`sweep` has more for roots of media). A missing folder may be an unplugged drive, and
so may an empty one, which is what an unmounted mount point looks like; and another card may be at the place of the one
before. Such videos are kept and reported as missing.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from db.names import comparison_key
from files.volumes import Volumes


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingFiles:
    """The paths that do not exist, sorted."""

    deleted: tuple[str, ...]  # from a folder that exists and is not empty
    unreachable: tuple[str, ...]  # from a folder that is missing, empty, unreadable or on another volume now


def find_missing(paths: Iterable[str], volumes: Mapping[str, str] | None = None) -> MissingFiles:
    """Return the `paths` that do not exist, separated into deleted and unreachable ones.

    Args:
        paths: Absolute paths of files.
        volumes: The identities of the volumes that files were on, by path, as far as they are known.
    """
    volumes, present = volumes or {}, Volumes()
    deleted: list[str] = []
    unreachable: list[str] = []
    folders: dict[str, bool] = {}
    for path in sorted(paths):
        if not exists(path):
            folder = os.path.dirname(path)
            if folder not in folders:
                folders[folder] = has_entries(folder)
            gone = folders[folder] and not is_other_volume(volumes.get(path, ""), present.identity(folder))
            (deleted if gone else unreachable).append(path)
    return MissingFiles(deleted=tuple(deleted), unreachable=tuple(unreachable))


def is_other_volume(before: str, now: str) -> bool:
    """Return whether two identities are of two volumes for certain; "" is one that is not known."""
    return bool(before and now) and before != now


def exists(path: str) -> bool:
    """Return False only if the system reports that the name does not exist; an inaccessible file counts as existing."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        return error.errno != errno.ENAMETOOLONG
    return True


def was_renamed_to(old: str, new: str) -> bool:
    """Return whether a file found at `new` may have been renamed from `old`, that is, nothing has the old name now.

    On systems that ignore case or Unicode form in names (macOS, Windows), the old name still resolves after a renaming
    that changes only those. There, the listing of the folder decides.
    """
    if not exists(old):
        return True
    if comparison_key(old) != comparison_key(new):
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
    """Return whether an absolute path is `folder` itself or is in it."""
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def is_empty_folder(folder: str) -> bool:
    """Return whether `folder` is readable and empty."""
    return _is_empty(folder) is True


def has_entries(folder: str) -> bool:
    """Return whether `folder` is readable and not empty."""
    return _is_empty(folder) is False


def _is_empty(folder: str) -> bool | None:
    """Return whether a folder is empty; None if it cannot be read."""
    try:
        with os.scandir(folder) as entries:
            return next(entries, None) is None
    except OSError:
        return None
