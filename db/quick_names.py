"""Names in a library, read within milliseconds: for completion in a shell.

Nothing is created, migrated or waited for, and SQLAlchemy, which takes most of a second to import, is not used.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

FILE_NAME = "library.sqlite3"  # as in db.library, which imports SQLAlchemy
_WAIT_SECONDS = 0.1


def collection_names(directory: Path) -> list[str]:
    """Return the names of the shared collections of a library; none if it cannot be read at once."""
    query = "SELECT name FROM collections WHERE removed_at IS NULL AND owner IS NULL ORDER BY name"
    return [name for (name,) in _rows(directory, query)]


def saved_searches(directory: Path) -> list[tuple[str, str]]:
    """Return link and name of the saved searches of a library; none if it cannot be read at once."""
    query = "SELECT link, name FROM saved_searches WHERE owner IS NULL ORDER BY name"
    return [(link, name) for link, name in _rows(directory, query)]


def _rows(directory: Path, query: str) -> list[tuple[str, ...]]:
    try:
        address = f"{(directory / FILE_NAME).absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(address, uri=True, timeout=_WAIT_SECONDS)) as connection:
            return [row for row in connection.execute(query) if all(isinstance(each, str) for each in row)]
    except (sqlite3.Error, OSError, ValueError):
        return []
