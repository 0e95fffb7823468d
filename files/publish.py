"""Publishing of a finished file: a name of its own, never over another file."""

from __future__ import annotations

import errno
import os
from pathlib import Path

_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EINVAL, errno.EACCES}


def publish(draft: Path, directory: Path, name: str) -> Path:
    """Give a finished file its name, or the first free one after it (`..._2.mp4`), and return it.

    Never replaces a file: the name is taken by a hard link, which fails where there is one already. Where the file
    system has no links, the name is reserved by an empty file and replaced at once. Raises OSError (a full disk, a
    folder that went away); the draft is then still there.
    """
    with draft.open("rb+") as stream:
        os.fsync(stream.fileno())  # a name is a promise that the content is there, after a power cut too
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
