"""Opening of a library on a server: create it, migrate it to the current format, or say what is missing."""

from __future__ import annotations

import logging
from pathlib import Path

from sqlalchemy import Connection, select
from sqlalchemy.exc import DBAPIError

from db import schema
from db.errors import LibraryDamaged, LibraryError, LibraryMissing
from db.migrating import LIBRARY_ID, add_identity, checked_version, run_migrations
from db.server.address import ServerAddress
from db.server.connection import ServerDatabase
from db.server.tables import STATEMENTS
from db.text import tables as text_tables

logger = logging.getLogger(__name__)

_OLDEST_SERVER = 14
_OLDEST_PGVECTOR = (0, 7)  # has halfvec
_EXTENSION = (
    "SELECT extversion, nspname, CAST(to_regtype(quote_ident(nspname) || '.halfvec') AS OID) FROM pg_extension"
    " JOIN pg_namespace ON pg_namespace.oid = extnamespace WHERE extname = 'vector'"
)
_READ_ONLY = "SELECT pg_is_in_recovery() OR NOT has_table_privilege('library_changes', 'UPDATE')"


def open_server(
    address: ServerAddress, *, create: bool, busy_seconds: float, copy_of: str | None = None
) -> tuple[ServerDatabase, str]:
    """Open the database of a library on a server, and find its media.

    Returns:
        The database and the library's id.

    Raises:
        ValueError: The address names no folder for work.
        LibraryMissing: There is no library, and `create` is False.
        LibraryNewer: A newer version of prismsearch wrote it.
        LibraryError: The driver or pgvector is missing, the server cannot be reached, or the folder of media is not
            there.
    """
    if address.work is None:
        raise ValueError(f"a library on a server needs a folder for this machine's work: {address}")
    media = address.media
    if media is None:
        raise LibraryError(
            f"The library {address} needs a folder for posters and previews that all its machines share: add "
            "?media=FOLDER to its address, or set PRISMSEARCH_MEDIA."
        )
    if not media.is_dir():
        raise LibraryError(
            f"{media}, the folder of posters and previews of {address}, is not there. Mount it, make it, or name "
            "another: ?media=FOLDER in the address."
        )
    database = ServerDatabase(address, address.work, busy_seconds)
    database.copy_of = copy_of
    try:
        library_id = _prepare(database, media, create)
        database.folder = media / library_id
        if not database.folder.is_dir() and not database.read_only:
            raise LibraryError(
                f"{media} has no posters of the library {address}. Mount the folder that has its {library_id}, and "
                f"name it with ?media=FOLDER; if they are lost: mkdir {database.folder}, and index again."
            )
        address.work.mkdir(parents=True, exist_ok=True)
    except BaseException:
        database.close()
        raise
    return database, library_id


def _prepare(database: ServerDatabase, media: Path, create: bool) -> str:
    """Create or migrate the library where needed, and return its id. Its folder in `media` is made with it."""
    with database.reading() as connection:
        _check_server(database, connection)
        version = _version(database, connection)
        if version is not None:
            _use_vectors(database, connection)
            database.read_only = bool(connection.exec_driver_sql(_READ_ONLY).scalar())
    if version is None:
        if not create:
            raise LibraryMissing(
                f"There is no library in {database.name} yet. Index a folder first: prismsearch index FOLDER"
            )
        with database.locked() as connection:
            if _version(database, connection) is None:  # else another process was faster
                _create(database, connection)
                (media / _library_id(database, connection)).mkdir(parents=True, exist_ok=True)
        with database.reading() as connection:
            _use_vectors(database, connection)
    elif version < schema.SCHEMA_VERSION:
        _migrate(database)
    with database.reading() as connection:
        return _library_id(database, connection)


def _library_id(database: ServerDatabase, connection: Connection) -> str:
    ids = connection.scalars(select(schema.library.c.id).limit(2)).all()
    if len(ids) != 1 or not LIBRARY_ID.fullmatch(str(ids[0])):
        raise LibraryDamaged(f"{database.name} has no library id; restore a backup or index again.")
    return str(ids[0])


def _check_server(database: ServerDatabase, connection: Connection) -> None:
    version = int(connection.exec_driver_sql("SELECT current_setting('server_version_num')").scalar_one()) // 10_000
    if version < _OLDEST_SERVER:
        raise LibraryError(
            f"{database.name} runs PostgreSQL {version}; a library needs {_OLDEST_SERVER} or later. Update the server."
        )
    encoding = connection.exec_driver_sql("SHOW server_encoding").scalar()
    if encoding != "UTF8":
        raise LibraryError(
            f"{database.name} stores text as {encoding}; a library needs a database in UTF8: createdb -E UTF8 -T "
            "template0 NAME"
        )


def _version(database: ServerDatabase, connection: Connection) -> int | None:
    """Return the stored format, or None if there is no library."""
    named = f'"{database.address.schema}".alembic_version'
    if connection.exec_driver_sql("SELECT to_regclass(%s) IS NULL", (named,)).scalar():
        return None
    stored = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return checked_version(stored, database, database.name)


def _create(database: ServerDatabase, connection: Connection) -> None:
    name = database.address.schema
    connection.exec_driver_sql(f'CREATE SCHEMA IF NOT EXISTS "{name}"')
    _make_extension(database, connection)
    connection.exec_driver_sql(f'SET LOCAL search_path = "{name}", {_extension_schema(connection)}')
    text_tables.create_all(connection)
    for statement in STATEMENTS:
        connection.exec_driver_sql(statement)
    connection.execute(schema.alembic_version.insert().values(version_num=schema.revision_of(schema.SCHEMA_VERSION)))
    add_identity(connection)


def _make_extension(database: ServerDatabase, connection: Connection) -> None:
    if connection.exec_driver_sql(_EXTENSION).first() is not None:
        return
    try:
        connection.exec_driver_sql("CREATE EXTENSION IF NOT EXISTS vector SCHEMA public")
    except DBAPIError as error:
        said = str(error.orig).splitlines()[0]
        raise LibraryError(
            f"The server of {database.name} lacks pgvector, which keeps the vectors ({said}). Install it there (its "
            "package is called postgresql-NN-pgvector), and let an administrator run in this database: CREATE "
            "EXTENSION vector"
        ) from error


def _extension_schema(connection: Connection) -> str:
    name = str(connection.exec_driver_sql(_EXTENSION).one()[1])
    return '"' + name.replace('"', '""') + '"'


def _use_vectors(database: ServerDatabase, connection: Connection) -> None:
    """Let connections use pgvector. Raise LibraryError unless it is there and has halfvec."""
    found = connection.exec_driver_sql(_EXTENSION).first()
    if found is None:
        raise LibraryError(f"The database of {database.name} has lost pgvector: CREATE EXTENSION vector")
    version, name, halfvec = found
    if tuple(map(int, str(version).split(".")[:2])) < _OLDEST_PGVECTOR or halfvec is None:
        raise LibraryError(
            f"The server of {database.name} has pgvector {version}; a library needs 0.7 or later. Update it, and run: "
            "ALTER EXTENSION vector UPDATE"
        )
    database.use_vectors(name, int(halfvec))


def _migrate(database: ServerDatabase) -> None:
    """Run the missing migrations in one transaction. Writers of all machines wait."""
    with database.locked() as connection:
        if _version(database, connection) != schema.SCHEMA_VERSION:
            run_migrations(connection, schema.revision_of(schema.SCHEMA_VERSION))
            logger.warning("the library %s is brought to format %d", database.name, schema.SCHEMA_VERSION)
