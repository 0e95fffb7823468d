"""The full-text indexes as a whole: whether SQLite has them, and whether they are those of the lines.

They are derived from `text_lines`, so damage to them is mended by making them again.
"""

from __future__ import annotations

import sqlite3

from sqlalchemy import Connection
from sqlalchemy.exc import DatabaseError

from db.errors import LibraryError

INDEXES = ("text_words", "text_trigrams")
_OLDEST = (3, 34, 0)  # has the trigram tokenizer


def require_support(connection: Connection) -> None:
    """Raise LibraryError unless this Python's SQLite has FTS5 with the trigram tokenizer."""
    modules = "SELECT count(*) FROM pragma_module_list WHERE name = 'fts5'"
    if sqlite3.sqlite_version_info < _OLDEST or not connection.exec_driver_sql(modules).scalar():
        raise LibraryError(
            f"SQLite {sqlite3.sqlite_version} of this Python lacks full-text search (FTS5 with trigrams), which "
            "libraries need. Use another Python, such as one from python.org, with SQLite 3.34 or later."
        )


def mend(connection: Connection, table: str) -> list[str]:
    """Check an index, and make it again if it is damaged or not that of the lines. Return a sentence then.

    Other writers wait, at a million lines for 3 to 12 s: SQLite's own check of an index is written as an INSERT. It
    compares the words with the lines; of trigrams, for which that takes 20 s, the lines are counted.

    Args:
        connection: In a write transaction.
        table: One of INDEXES.
    """
    compare = int(table == "text_words")
    counts = f"SELECT (SELECT count(*) FROM {table}_docsize) = (SELECT count(*) FROM text_lines)"
    try:
        connection.exec_driver_sql(f"INSERT INTO {table} ({table}, rank) VALUES ('integrity-check', {compare})")
        if connection.exec_driver_sql(counts).scalar():
            return []
    except DatabaseError as error:
        code = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF
        if code != sqlite3.SQLITE_CORRUPT and not str(error.orig).startswith("invalid fts5"):
            raise
    connection.exec_driver_sql(f"INSERT INTO {table} ({table}) VALUES ('rebuild')")
    return [f"The full-text index {table} was damaged. It has been made again from the lines of text."]
