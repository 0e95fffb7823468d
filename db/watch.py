"""Watch: change tokens, which tell whether anybody has written to the library."""

from __future__ import annotations

import os
import secrets
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from db.connection import Database

_OPENED = "prismsearch_opened"


class Watch:
    """Change tokens of a database: equal tokens mean that nobody has written in between, in any process.

    SQLite counts, for each connection, the commits of all others (PRAGMA data_version). So a watch asks over one
    connection that is always the same and never writes. Where that had to be opened anew, as after a fork, the count
    begins again; a random part of the token keeps the two counts apart.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._engine = database.single_connection()
        self._lock = threading.RLock()
        if hasattr(os, "register_at_fork"):
            _renew_after_fork(self)

    @contextmanager
    def reading(self) -> Iterator[tuple[Connection, str]]:
        """Yield a connection in a read transaction, and the token of the state it sees. One thread at a time."""
        database = self._database
        with self._lock, database.translated(), database.checked_out(self._engine) as connection:
            count = connection.exec_driver_sql("PRAGMA data_version").scalar()
            opened = connection.info.setdefault(_OPENED, secrets.token_hex(4))
            yield connection, f"{opened}-{count}"

    def token(self) -> str:
        """Return the token of the file's state. It costs one question to SQLite, whatever the size of the library.

        Whatever is read from the database after this call is of that state or of a later one.
        """
        with self.reading() as (_, token):
            return token


def _renew_after_fork(watch: Watch) -> None:
    """Give the child of a fork a lock of its own: a thread of the parent, which it lacks, may have held this one."""
    reference = weakref.ref(watch)

    def new_lock() -> None:
        watch = reference()
        if watch is not None:
            watch._lock = threading.RLock()

    os.register_at_fork(after_in_child=new_lock)
