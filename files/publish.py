"""Publishing a finished file in a folder of the user's: under a free name, never over another file.

A file is written under a temporary name first, which begins with DRAFT_PREFIX. A killed process leaves at most such
drafts, hidden on most systems, and `sweep_drafts` removes them a day later.
"""

from __future__ import annotations

import errno
import os
import secrets
from pathlib import Path

from files.durability import flush, remove
from files.sweep import sweep_files

DRAFT_PREFIX = ".prismsearch-draft-"
"""Temporary names begin with this. What follows tells drafts apart; auxiliary files of a draft begin with its name."""

_STALE_SECONDS = 24 * 3600.0
_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EINVAL, errno.EACCES}


def new_draft(directory: Path) -> Path:
    """Return a temporary path in `directory` that no other writer has. Makes no file."""
    return directory / f"{DRAFT_PREFIX}{secrets.token_hex(6)}"


def publish(draft: Path, directory: Path, name: str) -> Path:
    """Give a finished file its name, or the first free one after it (`clip_2.mp4`, `clip_3.mp4` ...).

    Never replaces a file: the name is taken by a hard link, which fails where the name exists. Where the file system
    has no links, the name is reserved by an empty file and replaced at once.

    Args:
        draft: The finished file, in the file system of `directory`. Its content is flushed to the disk first: a name
            is a promise that the content is there, after a power cut too.
        directory: The folder that the file is to have its name in.
        name: The name wanted.

    Returns:
        The path that the file has now.

    Raises:
        OSError: The disk is full, or the folder is gone. The draft still exists.
    """
    flush(draft)
    stem, suffix = os.path.splitext(name)
    attempt = 1
    while True:
        target = directory / (name if attempt == 1 else f"{stem}_{attempt}{suffix}")
        try:
            _take(draft, target)
        except FileExistsError:
            attempt += 1
            continue
        return target


def publish_bytes(content: bytes, directory: Path, name: str) -> Path:
    """Write a whole new file under `name`, or the first free name after it, and return its path.

    Raises:
        OSError: The file could not be written. Nothing is left of it.
    """
    draft = new_draft(directory)
    try:
        draft.write_bytes(content)
        return publish(draft, directory, name)
    finally:
        remove(draft)


def sweep_drafts(directory: Path) -> None:
    """Remove the drafts in a folder that are older than a day, so that nobody can be writing them. Never raises."""
    sweep_files(directory, DRAFT_PREFIX, older_than_seconds=_STALE_SECONDS)


def _take(draft: Path, target: Path) -> None:
    if os.name == "nt":
        os.rename(draft, target)  # refuses to replace, there
        return
    try:
        os.link(draft, target)
    except FileExistsError:
        raise
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        os.replace(draft, target)
        return
    os.unlink(draft)
