"""Checks of a library's files before SQLite opens them.

A library may come from somebody else, and a disk may lose the content of a file. SQLite takes an empty file for a new
database, and follows what a journal names.
"""

from __future__ import annotations

import os
from pathlib import Path

from db.errors import LibraryDamaged
from files.links import is_link

FOLDERS = ("media", "vectors", "map", "calibration", "proxies", "examples", "exports", "runs", "claims", "moments")
"""The folders of a library."""
_CONTENT = ("media", "vectors", "map", "calibration")
"""Folders that only a library with rows has. (`runs` may be older than the database: it has the job that makes it.)"""

_SMALLEST_BYTES = 512
"""A page of SQLite's smallest size. It takes a shorter file for a new database, and refuses any other that is none."""
_JOURNAL = b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7"
"""Ends a journal that names another one, as only a transaction over several databases writes. SQLite would read that
file, and remove it: a library has one database."""


def check_files(file: Path) -> None:
    """Check the files of the library in the folder of `file`, which need not exist.

    Raises:
        LibraryDamaged: One of its names is a link, the database is no database, or it is empty while other files show
            that it was not.
        OSError: A file cannot be read.
    """
    folder = file.parent
    sidecars = [file.with_name(file.name + suffix) for suffix in ("-wal", "-shm", "-journal")]
    for path in (file, *sidecars, *(folder / name for name in FOLDERS)):
        if is_link(path):
            raise LibraryDamaged(
                f"{path} is a link. Links in a library are not followed, because one made by somebody else could "
                "point anywhere on this machine. Replace it with what it points to, or move the whole library and "
                "choose it with --library."
            )
    if _names_another_journal(sidecars[2]):
        raise LibraryDamaged(
            f"{sidecars[2]} names another file, which SQLite would remove. prismsearch did not write it: move it "
            "aside, and check who made this library."
        )
    # The database is never opened here: closing it would end SQLite's locks on it, if this process has it open already,
    # and another process would then remove the log that is in use (sqlite.org/howtocorrupt.html, 2.2).
    try:
        size = file.stat().st_size
    except FileNotFoundError:
        return
    if 0 < size < _SMALLEST_BYTES:
        raise LibraryDamaged(f"{file} is not a valid library file: it is incomplete. {damage_advice()}")
    if not size:
        left = [folder / name for name in _CONTENT] + sidecars[:1]
        kept = next((path for path in left if _has_content(path)), None)
        if kept is not None:
            raise LibraryDamaged(
                f"{file} is empty, but {kept.name} beside it shows that it once had contents. {damage_advice()}"
            )


def damage_advice() -> str:
    """Return what to do about a damaged library, as a sentence."""
    return "Put a backup in its place, or move the folder aside and index again: your videos are untouched."


def _names_another_journal(journal: Path) -> bool:
    try:
        with journal.open("rb") as stream:
            size = stream.seek(0, os.SEEK_END)
            stream.seek(max(0, size - len(_JOURNAL)))
            return size > 4 * len(_JOURNAL) and stream.read() == _JOURNAL
    except FileNotFoundError:
        return False


def _has_content(path: Path) -> bool:
    try:
        return any(path.iterdir()) if path.is_dir() else path.stat().st_size > 0
    except OSError:
        return False
