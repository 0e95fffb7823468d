"""Distinction of files that were moved from copies of ones that may only be unreachable.

A missing file was moved if its folder is there, so that its name alone is gone, or if the new file has its number on
the same drive. A backup copy beside an unplugged drive is neither.
"""

from __future__ import annotations

import os

from db.records import KnownFile
from indexer.missing_files import find_missing, was_renamed_to
from indexer.scan import FoundFile


def was_moved(old_path: str, record: KnownFile, file: FoundFile) -> bool:
    """Return whether `file`, which has the content of the video at `old_path`, came from there.

    Args:
        old_path: Where the library has the content.
        record: The video there.
        file: A file that was found elsewhere.
    """
    if not was_renamed_to(old_path, file.path):
        return False
    if record.file_id and record.file_id == file.file_id and record.modified_ns == file.modified_ns:
        return True
    if os.path.lexists(old_path):  # under another spelling of this very name
        return True
    return bool(find_missing([old_path], {old_path: record.volume}).deleted)
