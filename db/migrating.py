"""Identity and format of a library, and the migrations between formats: the same for both engines."""

from __future__ import annotations

import hashlib
import re
import shlex
import uuid
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from db import schema
from db.database import Database
from db.errors import LibraryDamaged, LibraryError, LibraryNewer, LibraryUnfinished

MIGRATIONS = Path(__file__).parent / "migrations"
VERSION_FOLDERS = (MIGRATIONS / "versions",)
_VERSION = re.compile(r"[0-9]{4}")
_COPY = re.compile(r"[0-9]{4}-copy-[0-9a-f]{16}")
LIBRARY_ID = re.compile(r"[0-9A-Za-z-]{1,64}")  # a uuid; other names of its form are harmless, too


def copy_revision(library_id: str) -> str:
    """Return what stands in place of the format in a copy of a library that is not whole yet.

    No version of prismsearch takes it for a format, so that none uses a part for the whole.
    """
    digest = hashlib.blake2b(library_id.encode("utf-8", "surrogateescape"), digest_size=8).hexdigest()
    return f"{schema.revision_of(schema.SCHEMA_VERSION)}-copy-{digest}"


def checked_version(stored: object, database: Database, named: object) -> int:
    """Return the format of a library from what is stored of it.

    Args:
        stored: The value.
        database: The library's; an unfinished copy of its `copy_of` has the current format.
        named: What is damaged if this is no format: a file, or the library.

    Raises:
        LibraryDamaged: It is no format.
        LibraryUnfinished: The library is a copy that is not whole yet.
        LibraryNewer: A newer version of prismsearch wrote it.
    """
    if isinstance(stored, str) and _COPY.fullmatch(stored):
        if database.copy_of is None:
            raise LibraryUnfinished(
                f"The library {database.name} is a copy that was not finished. Finish it with the command that began "
                f"it: prismsearch copy FROM {shlex.quote(database.place)}"
            )
        if stored != copy_revision(database.copy_of):
            raise LibraryError(
                f"{database.name} has an unfinished copy of another library, or one by another version of "
                "prismsearch. Name another place, or remove it first."
            )
        return schema.SCHEMA_VERSION
    if not isinstance(stored, str) or not _VERSION.fullmatch(stored):
        raise LibraryDamaged(f"{named} does not say its format ({stored!r}); restore a backup or index again.")
    if int(stored) > schema.SCHEMA_VERSION:
        raise LibraryNewer(
            f"The library {database.name} has format {int(stored)}, and this prismsearch reads formats up to "
            f"{schema.SCHEMA_VERSION}: a newer prismsearch made it. Update prismsearch, or choose another --library."
        )
    return int(stored)


def require_current(connection: Connection, database: Database) -> None:
    """Return if a library has the format that this process writes: what has it open for long may have been overtaken.

    Args:
        connection: In a write transaction, so that the answer stays true.
        database: The library's.

    Raises:
        LibraryUnfinished: It was empty, and a copy into it began.
        LibraryNewer: A newer version of prismsearch has migrated it.
    """
    stored = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    if stored == schema.revision_of(schema.SCHEMA_VERSION):
        return
    if isinstance(stored, str) and _COPY.fullmatch(stored):
        checked_version(stored, database, database.name)  # raises, unless it is ours
        return
    met = "another machine has a newer prismsearch. Update prismsearch here, too."
    raise LibraryNewer(
        f"The library {database.name} has format {stored} now, and this prismsearch writes format "
        f"{schema.SCHEMA_VERSION}: "
        + (met if database.shared else "a newer prismsearch has opened it meanwhile. End this one, and start that.")
    )


def add_identity(connection: Connection) -> None:
    """Insert the id of a new library."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    connection.execute(schema.library.insert().values(id=str(uuid.uuid4()), created_at=now))


def run_migrations(connection: Connection, revision: str) -> None:
    """Migrate the tables by alembic.

    Args:
        connection: In a write transaction; the caller commits.
        revision: The revision to reach, such as `0004`, or `head`.

    Raises:
        LibraryDamaged: A migration failed.
    """
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", "\n".join(map(str, VERSION_FOLDERS)).replace("%", "%%"))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, revision)
    except (CommandError, SQLAlchemyError) as error:
        raise LibraryDamaged(
            f"The library could not be upgraded to format {revision} and was not changed: {error}"
        ) from error
