"""Distinction of files that were moved from copies of ones that may only be unreachable.

A missing file was moved if its folder is there, so that its name alone is gone, or if the new file has its number on
the same drive. A backup copy beside an unplugged drive is neither. Below a root of media, where no numbers are stored,
its folders may have been renamed, too, if another video proves that the root is there, and the new file is on the drive
that the folder was on.
"""

from __future__ import annotations

import os

from db.media_roots import NO_ROOTS
from db.records import KnownFile
from indexer.media_roots import Reach
from indexer.missing_files import exists, find_missing, has_entries, was_renamed_to
from indexer.scan import FoundFile

_NO_REACH = Reach(NO_ROOTS)


def was_moved(old_path: str, record: KnownFile, file: FoundFile, reach: Reach = _NO_REACH) -> bool:
    """Return whether `file`, which has the content of the video at `old_path`, came from there.

    Args:
        old_path: Where the library has the content.
        record: The video there.
        file: A file that was found elsewhere.
        reach: Which roots of media are there.
    """
    if not reach.allows_move(old_path, file.path) or not was_renamed_to(old_path, file.path):
        return False
    if record.file_id and record.file_id == file.file_id and record.modified_ns == file.modified_ns:
        return True
    if os.path.lexists(old_path):  # under another spelling of this very name
        return True
    if find_missing([old_path], {old_path: record.volume}).deleted:
        return True
    return reach.allows_renamed_folders(old_path, file.path) and _was_renamed(os.path.dirname(old_path), file.path)


def _was_renamed(folder: str, file: str) -> bool:
    """Return whether a folder is missing from one that is there, is no empty mount point, and is on a file's drive.

    Else it may be the mount point of a drive that is away, beside the one with the file.
    """
    if exists(folder):
        return False
    while not exists(folder) and folder != os.path.dirname(folder):
        folder = os.path.dirname(folder)
    return has_entries(folder) and _device(folder) == _device(file)


def _device(path: str) -> int | None:
    try:
        return os.stat(path).st_dev
    except OSError:
        return None
