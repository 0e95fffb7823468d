"""Claims on a server: one row for each worker, with its lease, and one for each piece of work, which goes with it.

Rows of our own, because a run knows its work from its scan: a queue such as procrastinate would be a second list of it
to keep in step. An advisory lock of the server needs no lease, but a machine that loses power, or sleeps, keeps it
until the server's TCP gives the connection up, two hours by default; nor does it say who works on what.

All times are the server's. A claim counts as long as its row is there, so that nothing depends on when it is read.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
import uuid
from collections.abc import Mapping

from sqlalchemy import Connection

from db.claims import Claim, Claims
from db.errors import ClaimLost, LibraryError
from db.migrating import require_current
from db.path_types import roots_of
from db.records import Worker
from db.server.connection import ServerDatabase
from files.installed_package import program_version

logger = logging.getLogger(__name__)

LEASE_SECONDS = 60.0
BEAT_SECONDS = 15.0
"""Between renewals of the lease."""
STILL_SECONDS = 1800.0
"""A worker that tells of its progress, and makes none for so long, as with an encoder that hangs, renews it no more."""

TABLES = (
    "CREATE TABLE workers (owner UUID PRIMARY KEY, machine TEXT NOT NULL, process BIGINT NOT NULL,"
    " version TEXT NOT NULL, doing TEXT NOT NULL, began_at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(),"
    " until TIMESTAMPTZ NOT NULL)",
    'CREATE TABLE claims (name TEXT COLLATE "C" PRIMARY KEY,'
    " owner UUID NOT NULL REFERENCES workers (owner) ON DELETE CASCADE, path BYTEA NOT NULL,"
    " taken_at TIMESTAMPTZ NOT NULL DEFAULT now())",
    "CREATE INDEX ix_claims_owner ON claims (owner)",
)

# The claims of a worker go with it. After a restart of the server, when nobody could renew anything, all leases begin
# anew. A worker that is just storing something has its row locked, and is left alone.
_SWEEP = (
    "DELETE FROM workers WHERE owner IN (SELECT owner FROM workers WHERE until < clock_timestamp()"
    " AND pg_postmaster_start_time() < clock_timestamp() - make_interval(secs => %s) FOR UPDATE SKIP LOCKED)"
)
_APPEAR = (
    "INSERT INTO workers (owner, machine, process, version, doing, until)"
    " VALUES (%s, %s, %s, %s, %s, clock_timestamp() + make_interval(secs => %s))"
    " ON CONFLICT (owner) DO UPDATE SET until = excluded.until"
)
_BEAT = "UPDATE workers SET until = clock_timestamp() + make_interval(secs => %s) WHERE owner = %s"
# In the order of their names, so that two workers that want the same ones never wait for each other in a circle. A row
# of its own that a worker does not know of is of a try whose answer was lost with the connection.
_TAKE = (
    "WITH free AS (SELECT * FROM unnest(%s::TEXT[], %s::BYTEA[]) WITH ORDINALITY AS wanted (name, path, place)"
    " WHERE NOT EXISTS (SELECT FROM claims WHERE claims.name = wanted.name AND claims.owner <> %s)"
    " ORDER BY place LIMIT %s),"
    " taken AS (INSERT INTO claims (name, owner, path) SELECT name, %s, path FROM free ORDER BY name"
    " ON CONFLICT (name) DO UPDATE SET path = excluded.path WHERE claims.owner = excluded.owner RETURNING name)"
    " SELECT free.name, taken.name IS NOT NULL FROM free LEFT JOIN taken ON taken.name = free.name"
)
# The worker's row alone is locked, without which its claims cannot go: a sweep locks in the same order, from the worker
# to its claims, so that neither waits for the other in a circle.
_CONFIRM = (
    "SELECT 1 FROM claims JOIN workers ON workers.owner = claims.owner"
    " WHERE claims.name = %s AND claims.owner = %s FOR KEY SHARE OF workers"
)
_WORKERS = (
    "SELECT machine, process, version, doing, CAST(extract(epoch FROM clock_timestamp() - began_at) AS FLOAT8),"
    " array_remove(array_agg(path ORDER BY taken_at, path), NULL),"
    " array_remove(array_agg(CAST(extract(epoch FROM clock_timestamp() - taken_at) AS FLOAT8)"
    " ORDER BY taken_at, path), NULL)"
    " FROM workers LEFT JOIN claims ON claims.owner = workers.owner WHERE until >= clock_timestamp()"
    " GROUP BY workers.owner ORDER BY began_at, workers.owner"
)


class ServerClaims(Claims):
    """Claims of a worker in a library on a server. A thread renews its lease, on a connection of its own."""

    pause_seconds = 1.0

    def __init__(
        self, database: ServerDatabase, doing: str, *, lease_seconds: float | None = None,
        beat_seconds: float | None = None,
    ) -> None:  # fmt: skip
        """Prepare. The worker appears with its first claim.

        Args:
            database: The library's.
            doing: What kind of work it does, for those who look: "index".
            lease_seconds: How long its claims last without a sign of life; None for LEASE_SECONDS.
            beat_seconds: How often it gives one; None for BEAT_SECONDS.
        """
        self._database = database
        self._doing = doing
        self._lease = LEASE_SECONDS if lease_seconds is None else lease_seconds
        self._beat = BEAT_SECONDS if beat_seconds is None else beat_seconds
        self._owner = uuid.uuid4()
        self._held: set[str] = set()
        self._moved: float | None = None  # when it last told of progress, or took work after that
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def take(self, wanted: Mapping[str, str], most: int) -> list[str]:
        """See Claims. Raises LibraryNewer where another machine has brought the library to a later format."""
        stored = self._database.roots.stored
        free = {name: stored(path) for name, path in wanted.items() if name not in self._held}
        taken: set[str] = set()
        who = (self._owner, socket.gethostname(), os.getpid(), program_version(), self._doing, self._lease)
        with self._database.beside() as connection:
            require_current(connection, self._database)
            connection.exec_driver_sql(_SWEEP, (self._lease,))
        while len(taken) < most:
            names = [name for name in free if name not in taken]
            asked = (names, [free[name] for name in names], self._owner, most - len(taken), self._owner)
            with self._database.beside() as connection:
                connection.exec_driver_sql(_APPEAR, who)
                found = connection.exec_driver_sql(_TAKE, asked).all()
            if not found:
                break
            taken.update(name for name, is_taken in found if is_taken)  # another worker may have been faster
        self._held |= taken
        if taken and self._moved is not None:
            self.progress()
        if self._thread is None:
            self._thread = threading.Thread(target=self._renew, name="claims", daemon=True)
            self._thread.start()
        return [name for name in free if name in taken]

    def release(self, name: str) -> None:
        """See Claims."""
        if name in self._held:
            with self._database.beside() as connection:
                connection.exec_driver_sql("DELETE FROM claims WHERE name = %s AND owner = %s", (name, self._owner))
            self._held.discard(name)

    def progress(self) -> None:
        """See Claims."""
        self._moved = time.monotonic()

    def claim(self, name: str) -> Claim | None:
        """See Claims."""
        return _Row(name, self._owner)

    def close(self) -> None:
        """See Claims."""
        self._held.clear()
        if self._thread is None:
            return
        self._stop.set()
        self._thread.join()
        self._thread = None
        try:
            with self._database.beside() as connection:
                connection.exec_driver_sql("DELETE FROM workers WHERE owner = %s", (self._owner,))
        except LibraryError as error:
            logger.debug("claims are left to their lease: %s", error)

    def _renew(self) -> None:
        """Renew the lease until `close`. Without the server, nothing can be lost or stored, and it is tried again."""
        while not self._stop.wait(self._beat):
            if self._held and self._moved is not None and time.monotonic() - self._moved > STILL_SECONDS:
                continue  # others may have its work; what it makes of it after all is not stored
            try:
                with self._database.beside() as connection:
                    connection.exec_driver_sql(_BEAT, (self._lease, self._owner))
            except LibraryError as error:
                logger.debug("a lease was not renewed: %s", error)


class _Row:
    """A claim in the table."""

    def __init__(self, name: str, owner: uuid.UUID) -> None:
        self._name = name
        self._owner = owner

    def confirm(self, connection: Connection) -> None:
        """See Claim."""
        if connection.exec_driver_sql(_CONFIRM, (self._name, self._owner)).first() is None:
            raise ClaimLost(
                "This process did not answer for a while, and another worker has taken its work over; start it again."
            )


def workers(connection: Connection) -> list[Worker]:
    """Return the workers whose lease is not over, the first ones first."""
    return [
        Worker(
            machine=machine,
            process=process,
            version=its_version,
            doing=doing,
            seconds=seconds,
            paths=tuple(roots_of(connection.dialect).shown(path) for path in paths),
            path_seconds=tuple(path_seconds),
        )
        for machine, process, its_version, doing, seconds, paths, path_seconds in connection.exec_driver_sql(_WORKERS)
    ]
