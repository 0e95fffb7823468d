"""Opening of a library file: create it, migrate it to the current schema, or reject it with the reason.

A new library is created straight from `db.schema` and stamped with its version; alembic is imported only to migrate an
older one.
"""

from __future__ import annotations

import functools
import logging
import sqlite3
from pathlib import Path

from sqlalchemy import Connection, create_engine, select

from db import schema
from db.backup import copy_database
from db.connection import SqliteDatabase
from db.errors import LibraryDamaged, LibraryError, LibraryMissing
from db.file_checks import check_files, damage_advice
from db.migrating import LIBRARY_ID, add_identity, checked_version, run_migrations
from db.schema_check import ENTRIES, Entry, check_schema
from db.text import tables as text_tables
from db.text.full_text import require_support
from files.durability import remove
from files.filesystems import is_network

logger = logging.getLogger(__name__)

FILE_NAME = "library.sqlite3"
_BEFORE = ".before-"


def open_folder(
    directory: Path, *, create: bool, busy_seconds: float, copy_of: str | None = None
) -> tuple[SqliteDatabase, str]:
    """Open the database of the library in a folder.

    Returns:
        The database and the library's id.

    Raises:
        LibraryMissing: The library does not exist, and `create` is False.
        LibraryError: The folder cannot be used; also see `prepare`.
    """
    file = directory / FILE_NAME
    database = SqliteDatabase(file, busy_seconds)
    database.copy_of = copy_of
    try:
        if directory.exists() and not directory.is_dir():
            raise LibraryError(f"{directory} is not a folder. Choose another with --library.")
        check_files(file)
        if not create and not (file.is_file() and file.stat().st_size):
            raise LibraryMissing(
                f"There is no library in {directory} yet. Index a folder first: prismsearch index FOLDER"
            )
        warn_of_place(database)
        with database.translated():
            directory.mkdir(parents=True, exist_ok=True)
        return database, prepare(database)
    except OSError as error:
        raise LibraryError(
            f"{directory} cannot be used as a library ({error.strerror}). Choose another folder with --library."
        ) from error
    except BaseException:
        database.close()
        raise


def prepare(database: SqliteDatabase) -> str:
    """Create or migrate the library where needed, and return its id.

    Creation and migration are one transaction each, so a kill leaves the file unchanged.

    Args:
        database: Its file may be missing or empty; the folder must exist.

    Returns:
        The library's uuid.

    Raises:
        LibraryNewer: The file has a newer format than SCHEMA_VERSION.
        LibraryDamaged: The file is not a library, or a migration failed.
        LibraryError: SQLite has no full-text search, or see `Database.translated`.
    """
    with database.reading() as connection:
        require_support(connection)
        version = _version(connection, database)
    if database.read_only:
        if version != schema.SCHEMA_VERSION:
            raise LibraryError(
                f"The library {database.file.parent} has an older format and is read-only; copy it to a writable "
                "disk, and choose the copy with --library."
            )
    else:
        database.use_write_ahead_log()
    if version is None or version < schema.SCHEMA_VERSION:
        if version is None:
            with database.locked() as connection:
                if _version(connection, database) is None:  # else another process was faster
                    _create(connection)
        else:
            with database.writing_without_foreign_keys() as connection:
                if _version(connection, database) != schema.SCHEMA_VERSION:
                    _keep_copy(database.file)
                    _migrate(connection, database.file)
    with database.reading() as connection:
        ids = connection.scalars(select(schema.library.c.id).limit(2)).all()
    if len(ids) != 1 or not LIBRARY_ID.fullmatch(str(ids[0])):
        raise LibraryDamaged(f"{database.file} has no library id; put a backup in its place or index again.")
    return str(ids[0])


def warn_of_place(database: SqliteDatabase) -> None:
    """Log that the library can only be read, or that a new one would be on a network drive, and what to do."""
    folder = database.file.parent
    if database.read_only:
        _warn_once(f"the library {folder} is read-only: it can be searched, not changed")
    elif not database.file.exists() and is_network(folder):
        logger.warning(
            "%s is on a network drive: the processes that use a library share memory, so use it on one machine at a "
            "time, or keep it on a local disk (--library) and only the videos there",
            folder,
        )


@functools.cache
def _warn_once(text: str) -> None:
    """Log a warning the first time: a command may open its library several times."""
    logger.warning("%s", text)


def _keep_copy(file: Path) -> None:
    """Copy the database before a migration, in place of the copy before an earlier one. The caller holds the lock."""
    copy = file.with_name(f"{file.name}{_BEFORE}{schema.SCHEMA_VERSION}")
    copy_database(file, copy)
    for path in file.parent.glob(f"{file.name}{_BEFORE}*"):
        if path != copy:
            remove(path)
    logger.warning(
        "the library is brought to format %d; as it was before, it is kept in %s", schema.SCHEMA_VERSION, copy
    )


def _version(connection: Connection, database: SqliteDatabase) -> int | None:
    """Return the stored schema version, or None for a new file. Nothing in the file has run before this has checked it.

    A new file has no tables and at most one page: a file with more had tables, whose names were lost.
    """
    file = database.file
    entries: list[Entry] = [tuple(row) for row in connection.exec_driver_sql(ENTRIES)]
    if not entries:
        if (connection.exec_driver_sql("PRAGMA page_count").scalar() or 0) > 1:
            raise LibraryDamaged(f"{file} is not a valid library file: it lists no tables. {damage_advice()}")
        return None
    if not {"alembic_version", "library"} <= {name for kind, name, *_ in entries if kind == "table"}:
        raise LibraryDamaged(f"{file} is a database of another program, not a library; choose another with --library.")
    stored = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    version = checked_version(stored, database, file)
    check_schema(entries, file, version, entries_of)
    return version


def _create(connection: Connection) -> None:
    text_tables.create_all(connection)
    connection.execute(schema.alembic_version.insert().values(version_num=schema.revision_of(schema.SCHEMA_VERSION)))
    add_identity(connection)


def _migrate(connection: Connection, file: Path) -> None:
    """Run the missing migrations inside the caller's transaction."""
    run_migrations(connection, schema.revision_of(schema.SCHEMA_VERSION))
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    if broken is not None:
        raise LibraryDamaged(
            f"{file} could not be upgraded to format {schema.SCHEMA_VERSION}: {broken}. It was not changed."
        )


def entries_of(version: int) -> list[Entry]:
    """Return the schema of a version, made by the migrations in memory."""
    engine = create_engine("sqlite://", creator=lambda: sqlite3.connect(":memory:", isolation_level=None))
    with engine.begin() as connection:
        run_migrations(connection, schema.revision_of(version))
        found: list[Entry] = [tuple(row) for row in connection.exec_driver_sql(ENTRIES)]
    engine.dispose()
    return found
