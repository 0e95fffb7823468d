"""Publishing of a finished file in a user's folder, under a free name, never replacing a file.

A file is written under a temporary name first, which begins with DRAFT_PREFIX. A killed process leaves at most such
drafts, hidden on most systems, and `sweep_drafts` removes them a day later.
"""

from __future__ import annotations

import errno
import itertools
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from files.durability import flush, remove
from files.replace import move_over
from files.sweep import sweep_files

DRAFT_PREFIX = ".prismsearch-draft-"
"""Prefix of temporary names. The rest is unique per draft; auxiliary files of a draft begin with its name."""

_STALE_SECONDS = 24 * 3600.0
_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EINVAL, errno.EACCES}


def new_draft(directory: Path) -> Path:
    """Return a unique temporary path in `directory`. Creates no file."""
    return directory / f"{DRAFT_PREFIX}{secrets.token_hex(6)}"


def publish(draft: Path, directory: Path, name: str) -> Path:
    """Give a finished file its name, or the first free one after it (`clip_2.mp4`, `clip_3.mp4` ...).

    Never replaces a file: the name is taken by a hard link, which fails if the name exists. On file systems without
    hard links, the name is reserved by an empty file, which is then replaced.

    Args:
        draft: The finished file, on the file system of `directory`. Its content is flushed to disk first, so that a
            named file is complete even after a power cut.
        directory: The folder to publish the file in.
        name: The desired name.

    Returns:
        The final path of the file.

    Raises:
        OSError: The disk is full, or the folder does not exist. The draft still exists.
    """
    flush(draft)
    for target in _names(directory, name):
        try:
            _take(draft, target)
        except FileExistsError:
            continue
        return target
    raise AssertionError("names never end")


def free_name(directory: Path, name: str) -> str:
    """Return the name that `publish` would give a file now; the folder need not exist."""
    return next(target.name for target in _names(directory, name) if not os.path.lexists(target))


def _names(directory: Path, name: str) -> Iterator[Path]:
    stem, suffix = os.path.splitext(name)
    yield directory / name
    for attempt in itertools.count(2):
        yield directory / f"{stem}_{attempt}{suffix}"


def publish_bytes(content: bytes, directory: Path, name: str) -> Path:
    """Write a whole new file under `name`, or the first free name after it, and return its path.

    Raises:
        OSError: The file could not be written. Nothing is left of it.
    """
    draft = new_draft(directory)
    try:
        with draft.open("xb") as stream:
            stream.write(content)
        return publish(draft, directory, name)
    finally:
        remove(draft)


def sweep_drafts(directory: Path) -> None:
    """Remove the drafts in a folder that are over a day old, which no process can still be writing. Never raises."""
    sweep_files(directory, DRAFT_PREFIX, older_than_seconds=_STALE_SECONDS)


def _take(draft: Path, target: Path) -> None:
    if os.name == "nt":
        os.rename(draft, target)  # never replaces on Windows
        return
    try:
        os.link(draft, target)
    except FileExistsError:
        raise
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        move_over(draft, target)
        return
    os.unlink(draft)
