"""Connections to the library's SQLite file: transactions, and SQLite's errors as LibraryErrors.

Of the tables, this module knows only those that SQLite's full-text search keeps.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from db.database import Database
from db.errors import LibraryBusy, LibraryDamaged, LibraryError, LibraryFull
from db.file_checks import damage_advice
from db.migrating import require_current
from db.text.full_text import INDEXES, mend

PAGE_BYTES = 8192  # five float16 rows of 768 columns a page, where 4096 would hold two and waste a quarter
WAL_BYTES = 16 << 20
"""Size to which the write-ahead log is cut; one transaction may make it larger for a while."""
_BESIDE_BYTES = 64 << 10  # of the write-ahead log's index, and of the log's beginning
_BEGIN = "prismsearch_begin"
_DAMAGE = ("malformed database", "no such", "integer overflow", "vtable", "unsupported file format", "invalid fts5")
"""What SQLite says of a damaged schema or value, as an ordinary error of a statement."""


class SqliteDatabase(Database):
    """The connections to one SQLite file. `writing()` takes the write lock immediately (BEGIN IMMEDIATE).

    Attributes:
        file: The database; the media are in a folder beside it.
    """

    change_query = "PRAGMA data_version"
    driver_errors = (sqlite3.Error, UnicodeDecodeError)  # SQLite names what is damaged by its own bytes

    def __init__(self, file: Path, busy_seconds: float) -> None:
        self.file = file
        self._busy_seconds = busy_seconds
        # A folder that may not be written, or a medium that cannot be.
        read_only = file.is_file() and not (os.access(file, os.W_OK) and os.access(file.parent, os.W_OK))
        super().__init__(str(file.parent), str(file.parent), file.parent, read_only=read_only)

    def _new_engine(self, *, pool_size: int, max_overflow: int) -> Engine:
        pool = {"poolclass": QueuePool, "pool_size": pool_size, "max_overflow": max_overflow}
        engine = create_engine("sqlite://", creator=self._connect, **pool)
        event.listen(engine, "connect", self._configure)
        event.listen(engine, "begin", self._begin)
        return engine

    def _connect(self) -> sqlite3.Connection:
        if self.read_only:
            # Without a log, nobody writes, and SQLite need not make files beside the database, as it cannot here.
            log = self.file.with_name(self.file.name + "-wal")
            how = "mode=ro" if log.exists() and log.stat().st_size else "mode=ro&immutable=1"
            return sqlite3.connect(
                f"{self.file.as_uri()}?{how}", uri=True, timeout=self._busy_seconds, isolation_level=None,
                check_same_thread=False, cached_statements=256,
            )  # fmt: skip
        # isolation_level None: the driver leaves BEGIN to us. The pool gives a connection to one thread at a time.
        return sqlite3.connect(
            self.file, timeout=self._busy_seconds, isolation_level=None, check_same_thread=False, cached_statements=256
        )

    @staticmethod
    def _configure(connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
        connection.execute("PRAGMA foreign_keys = ON")  # per connection; off by default, and then cascades are ignored
        # One commit per video is rare enough to wait for the disk, so that indexed videos survive a power cut.
        connection.execute("PRAGMA synchronous = FULL")
        connection.text_factory = _decoded
        connection.execute(f"PRAGMA journal_size_limit = {WAL_BYTES}")
        # A library may come from somebody else: see db.schema_check.
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA cell_size_check = ON")
        if sys.version_info >= (3, 12):
            connection.setconfig(sqlite3.SQLITE_DBCONFIG_DEFENSIVE, True)
            connection.setconfig(sqlite3.SQLITE_DBCONFIG_ENABLE_VIEW, False)

    @staticmethod
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(connection.get_execution_options().get(_BEGIN, "BEGIN"))

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Yield a connection that holds the write lock; commit at the end, roll back on any exception."""
        with self.locked() as connection:
            require_current(connection, self)
            yield connection

    @contextmanager
    def locked(self) -> Iterator[Connection]:
        """Yield a connection as `writing` does, whatever format the library has: for its opening."""
        with self.translated(), self.checked_out() as connection, _trusted(connection):
            connection = connection.execution_options(**{_BEGIN: "BEGIN IMMEDIATE"})
            with connection.begin():
                yield connection

    @contextmanager
    def writing_without_foreign_keys(self) -> Iterator[Connection]:
        """Yield a connection as `writing` does, for migrations: a rebuilt table is dropped, which would cascade."""
        with self.translated(), self.checked_out() as connection:
            driver = connection.connection.driver_connection
            assert isinstance(driver, sqlite3.Connection)
            driver.execute("PRAGMA foreign_keys = OFF")
            try:
                connection = connection.execution_options(**{_BEGIN: "BEGIN IMMEDIATE"})
                with connection.begin():
                    yield connection
            finally:
                driver.execute("PRAGMA foreign_keys = ON")

    def use_write_ahead_log(self) -> None:
        """Switch the file to WAL mode, in which readers and the one writer do not wait for each other.

        The mode is stored in the file, but not in every kind of backup. The switch needs the file exclusively for a
        moment, and SQLite does not apply the busy timeout to it.
        """
        deadline = time.monotonic() + self._busy_seconds
        with self.translated():
            while True:
                driver = self._connect()
                try:
                    if driver.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
                        driver.execute(f"PRAGMA page_size = {PAGE_BYTES}")  # heeded only while the file is empty
                        driver.execute("PRAGMA journal_mode = WAL")
                    return
                except sqlite3.OperationalError as error:
                    if _primary_code(error) != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                        raise
                    time.sleep(0.01)
                finally:
                    driver.close()

    def compact(self, *, least_bytes: int, least_share: float) -> bool:
        """Rewrite the file without its free pages, if there are many. Return whether that was done.

        Args:
            least_bytes: Below so many free bytes, a file that is larger than this stays as it is.
            least_share: Likewise, for the share of free pages.
        """
        with self.translated():
            driver = self._connect()
            try:
                free, pages, size = (
                    driver.execute(f"PRAGMA {name}").fetchone()[0]
                    for name in ("freelist_count", "page_count", "page_size")
                )
                small = pages * size <= least_bytes
                if not free or not (small or (free * size >= least_bytes and free >= least_share * pages)):
                    return False
                # Python hears Ctrl-C between the instructions of SQLite only if it is asked.
                driver.set_progress_handler(lambda: 0, 100_000)
                driver.execute("VACUUM")
                driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
                return True
            except sqlite3.OperationalError as error:
                if _primary_code(error) == sqlite3.SQLITE_INTERRUPT:
                    raise KeyboardInterrupt from error
                raise
            finally:
                driver.close()

    def stored_bytes(self, connection: Connection) -> int:
        """Return the size of the file and of its log."""
        return sum(_size(self.file.with_name(self.file.name + suffix)) for suffix in ("", "-wal"))

    def unreadable(self, connection: Connection) -> list[str]:
        """Return where the file is not as SQLite writes it. Reads all of it."""
        checked = connection.exec_driver_sql("PRAGMA integrity_check(20)")
        found = [f"SQLite: {row[0]}" for row in checked if row[0] != "ok"]
        advice = "The database file is damaged: put a backup in its place, or index again into a new library."
        return [*found, advice] if found else []

    def dangling(self, connection: Connection) -> list[str]:
        """Return the rows that refer to none, as a program may have written them that heeds no foreign keys."""
        return [
            f"Row {rowid} of {table} refers to a row of {parent} that is not there."
            for table, rowid, parent, _ in connection.exec_driver_sql("PRAGMA foreign_key_check")
        ]

    def mend(self) -> list[str]:
        """Make full-text indexes again that are damaged, each in a transaction of its own, as others wait for it."""
        found = []
        for index in INDEXES:
            with self.writing() as connection:
                found += mend(connection, index)
        return found

    def _before_closing(self) -> None:
        self._shorten_log()

    def _shorten_log(self) -> None:
        """Empty a large write-ahead log, which SQLite keeps while another process has the library open.

        Does nothing while another process reads from it or writes: nobody waits for that.
        """
        with suppress(OSError, sqlite3.Error):
            if os.stat(f"{self.file}-wal").st_size > WAL_BYTES:
                with closing(sqlite3.connect(self.file, timeout=0)) as connection:
                    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _library_error(self, cause: BaseException | None, error: Exception) -> Exception:
        code, folder = _primary_code(cause), self.file.parent
        if isinstance(cause, UnicodeDecodeError):
            return LibraryDamaged(f"{self.file} is not a valid library file. {damage_advice()}")
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return LibraryBusy(
                f"Another process has kept the library {folder} locked for {self._busy_seconds:g} s; "
                "wait until it is done, or stop it, and try again."
            )
        unusable = code in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR)
        if code == sqlite3.SQLITE_FULL or (unusable and self._has_no_room()):
            return LibraryFull(self._full_message())
        damaged = code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CONSTRAINT)
        if damaged or (code == sqlite3.SQLITE_ERROR and str(cause).startswith(_DAMAGE)):
            return LibraryDamaged(f"{self.file} is not a valid library file ({cause}). {damage_advice()}")
        if unusable or code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM):
            if self.read_only and code == sqlite3.SQLITE_READONLY:
                return LibraryError(
                    f"The library {folder} is read-only: it can be searched, but not changed. Copy it to a writable "
                    "disk, or choose another with --library."
                )
            return LibraryError(
                f"The library {folder} cannot be read and written ({cause}). Check that the folder exists, that you "
                "can write to it and that its disk works, or choose another with --library."
            )
        return error

    def _has_no_room(self) -> bool:
        """Return whether the disk lacks room for the files beside the database: SQLite calls that an I/O error."""
        with suppress(OSError):
            return shutil.disk_usage(self.file.parent).free < _BESIDE_BYTES
        return False

    def _full_message(self) -> str:
        return (
            f"There is no space left on the disk of the library {self.file.parent}. Free some, or move the library "
            "to another "
            "disk; its contents are unharmed, and the next run continues from there."
        )


@contextmanager
def _trusted(connection: Connection) -> Iterator[None]:
    """Let triggers write to full-text indexes, which SQLite before 3.43 (or so) counts among what a schema may misuse.

    The schema was compared with ours when the library was opened.
    """
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    driver.execute("PRAGMA trusted_schema = ON")
    try:
        yield
    finally:
        driver.execute("PRAGMA trusted_schema = OFF")


def _decoded(text: bytes) -> str:
    """Return stored text. Damaged bytes become surrogates, because an error would end the whole query."""
    return text.decode("utf-8", "surrogateescape")


def _primary_code(error: BaseException | None) -> int | None:
    """Return SQLite's primary result code: the low byte of the extended one."""
    code = getattr(error, "sqlite_errorcode", None)
    return code & 0xFF if isinstance(code, int) else None


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0
