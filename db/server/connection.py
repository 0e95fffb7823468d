"""Connections to a library on a PostgreSQL server: transactions, and the server's errors as LibraryErrors.

The driver, psycopg, is imported when a library is opened: it comes with the extra `server`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection, QueuePool

from db.database import Database
from db.errors import LibraryBusy, LibraryDamaged, LibraryError, LibraryFull, LibraryUnreachable
from db.migrating import require_current
from db.server.adapters import register_halfvec, register_ids
from db.server.address import ServerAddress
from db.text.server.indexing import mend_lines

if TYPE_CHECKING:
    import psycopg

_CONNECT_SECONDS = 10
_IDLE_SECONDS = 1.0
_USED = "prismsearch_used"
_LOCK = (
    "SELECT set_config('idle_in_transaction_session_timeout', %s, true), pg_advisory_xact_lock(hashtextextended(%s, 0))"
)
_SILENT_SECONDS = 20
"""A writer that says nothing for so long, because its machine sleeps or is gone, loses the library's lock."""
_TELL = "UPDATE library_changes SET token = gen_random_uuid() WHERE pg_current_xact_id_if_assigned() IS NOT NULL"
"""Changes the token of a transaction that wrote anything. Writers come one at a time, so nobody waits for this row."""
_BUSY = {"55P03", "40001", "40P01", "53300", "57014"}
_STOPPED = {"57P01", "57P02", "57P03", "25P03"}
_DAMAGED = {"XX001", "XX002", "58030"}
_FULL = {"53100"}
_TOO_LARGE = "22003"
_REFUSED = {"25006", "42501"}


class ServerDatabase(Database):
    """The connections to a library on a server.

    `reading()` is a read-only transaction with one snapshot. `writing()` takes the library's lock, which one writer of
    all machines has at a time: as with a file, what it reads stays true, and ids are committed in their order.

    Attributes:
        address: Where the library is.
        work: The folder of this machine for what is made from it.
    """

    change_query = "SELECT token FROM library_changes"
    shared = True

    def __init__(self, address: ServerAddress, work: Path, busy_seconds: float) -> None:
        psycopg = _driver()
        logging.getLogger("psycopg").setLevel(logging.ERROR)  # it warns of what it raises, too, in words of its own
        self.address = address
        self.work = work
        self.driver_errors = (psycopg.Error,)
        self._busy_seconds = busy_seconds
        self._search_path = [address.schema, "public"]
        self._halfvec: int | None = None
        super().__init__(str(address), address.url, Path())  # opening finds the folder

    def use_vectors(self, schema: str, halfvec: int) -> None:
        """Let new connections find pgvector, and close those that do not.

        Args:
            schema: The schema that has the extension.
            halfvec: The number of its type.
        """
        if schema not in self._search_path:
            self._search_path.append(schema)
        self._halfvec = halfvec
        for engine in self._engines:
            engine.dispose()

    def _new_engine(self, *, pool_size: int, max_overflow: int) -> Engine:
        engine = create_engine(
            "postgresql+psycopg://", creator=self.connect, poolclass=QueuePool, pool_size=pool_size,
            max_overflow=max_overflow, isolation_level="AUTOCOMMIT", use_native_hstore=False,
        )  # fmt: skip
        event.listen(engine, "checkout", self._try)
        event.listen(engine, "checkin", _note_use)
        return engine

    def _try(self, connection: Any, record: ConnectionPoolEntry, _proxy: PoolProxiedConnection) -> None:
        """Let the pool open another connection if the server has closed one that was not used for a while."""
        if time.monotonic() - record.info.get(_USED, time.monotonic()) > _IDLE_SECONDS:
            try:
                connection.execute("")
            except self.driver_errors as error:
                raise DisconnectionError from error

    def connect(self) -> psycopg.Connection[Any]:
        """Return a new connection of the driver, in which each statement is a transaction. The caller closes it."""
        psycopg = _driver()

        class BinaryCursor(psycopg.Cursor):  # type: ignore[misc, name-defined]  # its types come with the extra
            """A cursor whose results are not written as text first."""

            def __init__(self, *arguments: Any, **options: Any) -> None:
                super().__init__(*arguments, **options)
                self.format = psycopg.pq.Format.BINARY

        path = ",".join(f'"{schema}"' for schema in self._search_path)
        connection = psycopg.connect(
            self.address.server,
            password=self.address.password,
            autocommit=True,
            application_name="prismsearch",
            connect_timeout=_CONNECT_SECONDS,
            keepalives_idle=30,  # a server that is gone is noticed within a minute
            keepalives_interval=10,
            keepalives_count=3,
            client_encoding="utf8",
            options=f"-c search_path={path} -c lock_timeout={int(self._busy_seconds * 1000)}",
            cursor_factory=BinaryCursor,
        )
        register_ids(connection)
        if self._halfvec is not None:
            register_halfvec(connection, self._halfvec)
        return connection

    def _reader(self, connection: Connection) -> Connection:
        return connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Yield a connection that holds the library's lock; commit at the end, roll back on any exception."""
        with self.locked() as connection:
            require_current(connection, self)
            yield connection
            connection.exec_driver_sql(_TELL)

    @contextmanager
    def locked(self) -> Iterator[Connection]:
        """Yield a connection as `writing` does, whatever format the library has: for its opening."""
        if self.read_only:
            raise LibraryError(self._read_only_message())
        with self.beside() as connection:
            connection.exec_driver_sql(_LOCK, (f"{_SILENT_SECONDS}s", f"prismsearch {self.address.schema}"))
            yield connection

    @contextmanager
    def beside(self) -> Iterator[Connection]:
        """Yield a connection that writes beside the library's writer, for what is no part of the library: claims.

        Nothing of the library may be changed with it: nobody would be told. Commits at the end, rolls back on any
        exception.
        """
        with self.translated():
            self._prepare()
            with self.engine.connect() as connection:
                connection = connection.execution_options(isolation_level="READ COMMITTED")
                with connection.begin():
                    yield connection

    def compact(self, *, least_bytes: int, least_share: float) -> bool:
        """Leave it to the server, which uses free space again by itself (autovacuum)."""
        return False

    def stored_bytes(self, connection: Connection) -> int:
        """Return the size of the library's tables and indexes."""
        size = connection.exec_driver_sql(
            "SELECT sum(pg_total_relation_size(oid)) FROM pg_class"
            " WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'"
        ).scalar()
        return int(size or 0)

    def unreadable(self, connection: Connection) -> list[str]:
        """Return nothing: the server says so where it cannot read, and its own tools check its files."""
        return []

    def dangling(self, connection: Connection) -> list[str]:
        """Return nothing: the server heeds every reference."""
        return []

    def mend(self) -> list[str]:
        """Index the lines of text that are not indexed."""
        with self.writing() as connection:
            return mend_lines(connection)

    def _library_error(self, cause: BaseException | None, error: Exception) -> Exception:
        state = getattr(cause, "sqlstate", None)
        said = " ".join(str(cause).split())
        if state in _BUSY:
            return LibraryBusy(
                f"Another process has kept the library {self.name} busy for {self._busy_seconds:g} s ({said}); wait "
                "until it is done, or stop it, and try again."
            )
        if state == _TOO_LARGE:  # a number of more than 64 bits, which cannot be an id
            return KeyError("no row has an id that large")
        if state in _FULL:
            return LibraryFull(self._full_message())
        if state in _DAMAGED:
            return LibraryDamaged(
                f"The server has found {self.name} damaged ({said}). Restore a backup, or index again into a new "
                "library: your videos are untouched."
            )
        if state in _REFUSED:
            return LibraryError(self._read_only_message() if state == "25006" else self._refused_message(said))
        psycopg = _driver()
        if state in _STOPPED or (state is None and isinstance(cause, psycopg.OperationalError)):
            return LibraryUnreachable(
                f"The library {self.name} cannot be reached ({said}). Check that the server runs and lets this user "
                "in, or choose another library with --library."
            )
        return error

    def _full_message(self) -> str:
        return (
            f"There is no space left for the library {self.name}, on the server's disk or that of its media. Free "
            "some; its contents are unharmed, and the next run continues from there."
        )

    def _read_only_message(self) -> str:
        return (
            f"The library {self.name} is read-only for this user or on this server: it can be searched, but not "
            "changed."
        )

    def _refused_message(self, said: str) -> str:
        return f"The server does not allow that in the library {self.name} ({said}). Ask who administers it."


def _note_use(_connection: Any, record: ConnectionPoolEntry) -> None:
    record.info[_USED] = time.monotonic()


def _driver() -> Any:
    """Return psycopg. Raise LibraryError where it is not installed."""
    try:
        import psycopg
    except ImportError as error:
        raise LibraryError(
            "A library on a PostgreSQL server needs the extra `server`: pip install prismsearch[server]"
        ) from error
    return psycopg
