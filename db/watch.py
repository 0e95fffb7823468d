"""Change tokens, which show whether any process has written to the library."""

from __future__ import annotations

import os
import secrets
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection

from db.database import Database

_OPENED = "prismsearch_opened"


class Watch:
    """Change tokens of a database: equal tokens mean that no process has written in between.

    SQLite counts, for each connection, the commits of all others (PRAGMA data_version). So a watch always queries the
    same connection, which never writes. If it has to be reopened, as after a fork, the count starts again; a random
    part of the token distinguishes the two counts.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._engine = database.single_connection()
        self._lock = threading.RLock()
        if hasattr(os, "register_at_fork"):
            _renew_after_fork(self)

    @contextmanager
    def reading(self) -> Iterator[tuple[Connection, str]]:
        """Yield a connection in a read transaction, and the token of its state. One thread at a time."""
        database = self._database
        with self._lock, database.translated(), database.checked_out(self._engine) as connection:
            # By SQLAlchemy, which begins the transaction first: what is read afterwards has the state of this token.
            seen = connection.exec_driver_sql(database.change_query).scalar()
            yield connection, _token(connection.info, seen)

    def token(self) -> str:
        """Return the token of the file's state, at the cost of one small query: every poster asks for it.

        Data read after this call has that state or a later one.
        """
        database = self._database
        with self._lock, database.translated(), database.raw_connection(self._engine) as connection:
            driver: Any = connection.driver_connection
            (seen,) = driver.execute(database.change_query).fetchone()
            return _token(connection.info, seen)


def _token(info: dict[Any, Any], seen: object) -> str:
    """Return the token for what a connection has seen, whose `info` lasts until it is opened again."""
    return f"{info.setdefault(_OPENED, secrets.token_hex(4))}-{seen}"


def _renew_after_fork(watch: Watch) -> None:
    """Give the child of a fork its own lock: a thread of the parent may have held the inherited one."""
    reference = weakref.ref(watch)

    def new_lock() -> None:
        watch = reference()
        if watch is not None:
            watch._lock = threading.RLock()

    os.register_at_fork(after_in_child=new_lock)
