"""Identity and format of a library, and the migrations between formats: the same for both engines."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from db import schema
from db.errors import LibraryDamaged

MIGRATIONS = Path(__file__).parent / "migrations"
VERSION_FOLDERS = (MIGRATIONS / "versions",)
VERSION = re.compile(r"[0-9]{4}")
LIBRARY_ID = re.compile(r"[0-9A-Za-z-]{1,64}")  # a uuid; other names of its form are harmless, too


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
