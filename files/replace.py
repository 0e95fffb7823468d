"""Whole-file replacement: a reader sees the old content or the new, never a part of either."""

from __future__ import annotations

import os
import secrets
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from files.durability import create_empty, flush, flush_directory, remove

_WINDOWS = sys.platform == "win32"
_PAUSES_SECONDS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)


def move_over(source: Path, target: Path) -> None:
    """Move a file over another, as `os.replace` does.

    Windows refuses that while any program has either file open, which virus scanners and readers do for a moment:
    there, it is tried again for two seconds.

    Raises:
        OSError: The file cannot be moved.
    """
    for pause in _PAUSES_SECONDS if _WINDOWS else ():
        try:
            os.replace(source, target)
            return
        except PermissionError:
            time.sleep(pause)
    os.replace(source, target)


@contextmanager
def replacing(path: Path, *, durable: bool = False, draft: Path | None = None) -> Iterator[Path]:
    """Yield a temporary path to write to; move the file into place after the block, or remove it if the block raises.

    Args:
        path: The file to create or replace. Its folder must exist.
        durable: Flush the new file before the rename and the folder after it, so that the replacement survives a power
            cut once the block has ended.
        draft: The temporary path, in the folder of `path`, for callers whose sweep recognises it by name. By default, a
            unique hidden name.

    Raises:
        FileExistsError: There is something under the temporary path.
        OSError: The file could not be written, flushed or renamed. `path` is unchanged.
    """
    draft = draft or path.with_name(f".{path.name}-{secrets.token_hex(6)}")
    create_empty(draft)
    try:
        yield draft
        if durable:
            flush(draft)
        move_over(draft, path)
    except BaseException:
        remove(draft)
        raise
    if durable:
        flush_directory(path.parent)


def replace_file(path: Path, content: bytes, *, durable: bool = False, draft: Path | None = None) -> None:
    """Replace the content of a file with `content`; see `replacing` for the arguments.

    Raises:
        OSError: The file could not be replaced, or `draft` exists already. `path` is unchanged.
    """
    with replacing(path, durable=durable, draft=draft) as temporary, temporary.open("wb") as stream:
        stream.write(content)


def try_replace_file(path: Path, content: bytes) -> bool:
    """Replace a file that is only a convenience. Return False on failure, with the old file unchanged."""
    try:
        replace_file(path, content)
    except OSError:
        return False
    return True
