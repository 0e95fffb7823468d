"""The door to a library's database: transactions over pooled connections, and the database's errors as LibraryErrors.

Behind it is an engine: a SQLite file (`db.connection`), or a PostgreSQL server (`db.server`). This module depends on
neither, nor on the tables.
"""

from __future__ import annotations

import errno
import os
import weakref
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import ClassVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import PoolProxiedConnection

from db.errors import LibraryError, LibraryFull
from db.media_roots import NO_ROOTS, MediaRoots
from db.path_types import use_roots

_FULL = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}


class Database(ABC):
    """The connections to the database of one library, configured alike. Safe from several threads, and after a fork.

    Every use is one transaction: `reading()` sees one state throughout, and `writing()` has the library to itself among
    writers, so that two queue up instead of failing half-way. Errors of the engine are raised as LibraryErrors.

    Attributes:
        name: The library, as messages name it.
        place: What opens it again: its folder, or its address without a password.
        folder: The folder that has its media.
        read_only: Whether nothing can be changed, because of its medium or of permissions.
        shared: Whether several machines may use it at a time.
        engine: The pool of connections for all threads.
        roots: The roots of media, by which paths are stored and shown.
        copy_of: The id of the library of which this is to become a copy: unfinished, it is only used by that.
        change_query: A query whose one value differs after the commit of another connection.
    """

    change_query: ClassVar[str]
    driver_errors: tuple[type[Exception], ...]
    """What the driver raises when it is used without SQLAlchemy."""

    shared: ClassVar[bool] = False

    def __init__(self, name: str, place: str, folder: Path, *, read_only: bool = False) -> None:
        self.name = name
        self.place = place
        self.folder = folder
        self.read_only = read_only
        self.copy_of: str | None = None
        self.roots = NO_ROOTS
        self._process = os.getpid()
        self._closed = False
        self._engines: list[Engine] = []
        # The pool must never make a thread wait for a connection, because a generator may hold one for long.
        self.engine = self._added_engine(pool_size=5, max_overflow=-1)
        _close_before_fork(self)

    def single_connection(self) -> Engine:
        """Return an engine with its own single connection, kept until the database is closed, for `checked_out`."""
        return self._added_engine(pool_size=1, max_overflow=0)

    def _added_engine(self, *, pool_size: int, max_overflow: int) -> Engine:
        engine = self._new_engine(pool_size=pool_size, max_overflow=max_overflow)
        engine.hide_parameters = True  # in messages of errors, which end in logs: one may be the hash of a password
        self._engines.append(engine)
        use_roots(engine.dialect, self.roots)
        return engine

    def use_roots(self, roots: MediaRoots) -> None:
        """Store and show paths of media by these roots from now on. Called before any path is read."""
        self.roots = roots
        for engine in self._engines:
            use_roots(engine.dialect, roots)

    def close(self) -> None:
        """Close all connections. Later uses raise LibraryError."""
        if not self._closed and self._process == os.getpid():
            self._before_closing()
        self._closed = True
        for engine in self._engines:
            engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Yield a connection in a read transaction."""
        with self.translated(), self.checked_out() as connection:
            yield connection

    @contextmanager
    def checked_out(self, engine: Engine | None = None) -> Iterator[Connection]:
        """Yield a connection of an engine (by default the pool of all threads) that is safe to use after a fork.

        What is read with it is one state.
        """
        self._prepare()
        with (engine or self.engine).connect() as connection:
            yield self._reader(connection)

    def _reader(self, connection: Connection) -> Connection:
        """Return a connection as one whose transaction sees one state."""
        return connection

    @contextmanager
    def raw_connection(self, engine: Engine) -> Iterator[PoolProxiedConnection]:
        """Yield a connection of an engine as `checked_out` does, without SQLAlchemy's own: a sixth of the time."""
        self._prepare()
        connection = engine.raw_connection()
        try:
            yield connection
        finally:
            connection.close()

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Turn the engine's errors and a full disk into LibraryErrors, and an id beyond 64 bits into a KeyError."""
        try:
            yield
        except DBAPIError as error:
            raise self._library_error(error.orig, error) from error
        except self.driver_errors as error:
            raise self._library_error(error, error) from error
        except OverflowError as error:  # a number of more than 64 bits, which cannot be an id
            raise KeyError("no row has an id that large") from error
        except OSError as error:
            if error.errno in _FULL:
                raise LibraryFull(self._full_message()) from error
            raise

    def _prepare(self) -> None:
        if self._closed:
            raise LibraryError(f"The library {self.name} was closed; open it again.")
        if os.getpid() != self._process:  # forked: nobody may use, or even close, the parent's connections
            self._parents = [each.pool for each in self._engines]  # dropping the last reference would close them
            for each in self._engines:
                each.dispose(close=False)
            self._process = os.getpid()

    # What each engine does in its own way

    @abstractmethod
    def writing(self) -> AbstractContextManager[Connection]:
        """Yield a connection that keeps other writers out; commit at the end, roll back on any exception."""

    @abstractmethod
    def compact(self, *, least_bytes: int, least_share: float) -> bool:
        """Give free space back to the disk, if there is much. Return whether that was done.

        Args:
            least_bytes: Below so many free bytes, a database that is larger than this stays as it is.
            least_share: Likewise, for the share of free space.
        """

    @abstractmethod
    def stored_bytes(self, connection: Connection) -> int:
        """Return the size of the database, in the caller's read transaction."""

    @abstractmethod
    def unreadable(self, connection: Connection) -> list[str]:
        """Return what of the database cannot be read as it was written, one sentence each; then nothing else counts."""

    @abstractmethod
    def dangling(self, connection: Connection) -> list[str]:
        """Return the rows that refer to a row that is not there, one sentence each."""

    @abstractmethod
    def mend(self) -> list[str]:
        """Make what is derived from rows again where it is damaged. Return a sentence for each such part."""

    @abstractmethod
    def _new_engine(self, *, pool_size: int, max_overflow: int) -> Engine:
        """Return an engine whose connections are configured."""

    @abstractmethod
    def _library_error(self, cause: BaseException | None, error: Exception) -> Exception:
        """Return what to raise for an error.

        Args:
            cause: What the driver raised.
            error: What SQLAlchemy raised, to be raised again if it is no state of the library.
        """

    @abstractmethod
    def _full_message(self) -> str:
        """Return what to say of a full disk."""

    def _before_closing(self) -> None:
        """Do what is due before the last connection of this process goes. Nobody waits for it."""
        return


def _close_before_fork(database: Database) -> None:
    """Close idle connections whenever the process is about to fork; both sides open new ones when they need them.

    A child that inherits an open file also inherits SQLite's belief that the process holds its locks, which a fork does
    not pass on. The parent, closing last, would then remove the log that the child still uses
    (sqlite.org/howtocorrupt.html, 2.6).
    """
    if not hasattr(os, "register_at_fork"):  # Windows
        return
    reference = weakref.ref(database)

    def close_idle() -> None:
        database = reference()
        if database is not None and database._process == os.getpid():
            for engine in database._engines:
                engine.dispose()

    os.register_at_fork(before=close_idle)
