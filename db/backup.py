"""Copies of a library's database: snapshots made while others write, and checked before they get their final name."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from db.errors import LibraryDamaged, LibraryFull
from files.replace import replacing

_MARGIN = 1.1  # of the size, that must be free


def copy_database(source: Path, target: Path) -> None:
    """Copy a database into one file, which survives a power cut once this has returned.

    Args:
        source: The database. Other processes may write to it: the copy is of one moment.
        target: The file to create or replace, in an existing folder.

    Raises:
        LibraryFull: There is not enough space.
        LibraryDamaged: The copy is not sound, because the database is not.
        sqlite3.Error, OSError: It cannot be read or written. `target` is unchanged.
    """
    size = sum(part.stat().st_size for part in (source, source.with_name(source.name + "-wal")) if part.is_file())
    free = shutil.disk_usage(target.parent).free
    if free < size * _MARGIN:
        raise LibraryFull(
            f"A copy of the library's database needs {size / 1e6:,.0f} MB in {target.parent}, where {free / 1e6:,.0f} "
            "MB are free. Free some space and start again; nothing was changed."
        )
    with (
        replacing(target, durable=True) as draft,
        closing(sqlite3.connect(source, isolation_level=None)) as original,
        closing(sqlite3.connect(draft, isolation_level=None)) as copy,
    ):
        original.execute("BEGIN")  # the counts and the copy are of one moment
        counts = _counts(original)
        original.backup(copy)
        original.execute("ROLLBACK")
        copy.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it
        problems = check_database(copy)
        if problems or _counts(copy) != counts:
            reason = problems[0] if problems else "rows are missing"
            raise LibraryDamaged(f"{source} cannot be copied: it is damaged ({reason}). Nothing was changed.")


def check_database(connection: sqlite3.Connection) -> list[str]:
    """Return the problems that SQLite itself finds in a database; empty if it is sound."""
    found = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(5)") if row[0] != "ok"]
    broken = connection.execute("PRAGMA foreign_key_check").fetchmany(5)
    return found or [f"a row of {row[0]} refers to none of {row[2]}" for row in broken]


def _counts(connection: sqlite3.Connection) -> dict[str, int]:
    """Return the number of rows of each table, parts of full-text indexes included, but not of views of these."""
    stored = "SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL %'"
    names = [row[0] for row in connection.execute(stored)]
    return {
        name: connection.execute('SELECT count(*) FROM "' + name.replace('"', '""') + '"').fetchone()[0]
        for name in names
    }
