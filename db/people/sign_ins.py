"""Browsers that are logged in, by a digest of what their cookie holds, and log-ins that failed lately.

Each call is one transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import ColumnElement, delete, insert, select, update

from db.database import Database
from db.people.records import SignIn, person_of
from db.schema import failed_sign_ins, people, sign_ins

FORGOTTEN_SECONDS = 3600
"""A person or an address whose log-ins have not failed for so long begins anew."""
_AHEAD_SECONDS = 60  # failures that are later than this are of a clock that was set back since: no lock lasts for years


class SignIns:
    """The log-ins of a library's people: `library.people.sign_ins`. Any method may raise a LibraryError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, person_id: int, token: str, *, now: int, expires: int) -> None:
        """Log a browser in. Log-ins that have expired are removed.

        Args:
            person_id: The person; one who was just removed is logged in nowhere.
            token: Digest of what the cookie holds.
            now, expires: Unix seconds.
        """
        with self._database.writing() as connection:
            connection.execute(delete(sign_ins).where(sign_ins.c.expires <= now))
            if connection.scalar(select(people.c.id).where(people.c.id == person_id)) is not None:
                values = {"token": token, "person_id": person_id, "began": now, "expires": expires}
                connection.execute(insert(sign_ins).values(values))

    def find(self, token: str, *, now: int) -> SignIn | None:
        """Return the log-in of a digest; None if there is none, or it has expired."""
        joined = select(people, sign_ins.c.began, sign_ins.c.expires).join(
            sign_ins, sign_ins.c.person_id == people.c.id
        )
        with self._database.reading() as connection:
            row = connection.execute(joined.where(sign_ins.c.token == token)).mappings().first()
        person = None if row is None else person_of(row)
        if row is None or person is None or not type(row["began"]) is type(row["expires"]) is int:
            return None
        return SignIn(person=person, began=row["began"], expires=row["expires"]) if row["expires"] > now else None

    def extend(self, token: str, *, expires: int) -> None:
        """Let a log-in last longer."""
        with self._database.writing() as connection:
            connection.execute(update(sign_ins).where(sign_ins.c.token == token).values(expires=expires))

    def end(self, token: str) -> None:
        """Log a browser out."""
        with self._database.writing() as connection:
            connection.execute(delete(sign_ins).where(sign_ins.c.token == token))

    def failures(self, common: Iterable[str], *, now: int) -> dict[str, tuple[int, int]]:
        """Return how often log-ins failed lately and when the last one did, by what they have in common."""
        wanted = failed_sign_ins.c.common.in_(list(common)), _lately(now)
        with self._database.reading() as connection:
            found = connection.execute(select(failed_sign_ins).where(*wanted))
            return {row.common: (int(row.failures), int(row.last)) for row in found}

    def note_failure(self, common: Sequence[str], *, now: int) -> None:
        """Count a log-in that failed, for everything that it has in common with others."""
        counted = failed_sign_ins.c
        with self._database.writing() as connection:
            connection.execute(delete(failed_sign_ins).where(~_lately(now)))
            for each in common:
                again = update(failed_sign_ins).where(counted.common == each)
                if not connection.execute(again.values(failures=counted.failures + 1, last=now)).rowcount:
                    connection.execute(insert(failed_sign_ins).values(common=each, failures=1, last=now))

    def forgive(self, common: Iterable[str]) -> None:
        """Forget failures, because a log-in succeeded."""
        with self._database.writing() as connection:
            connection.execute(delete(failed_sign_ins).where(failed_sign_ins.c.common.in_(list(common))))


def _lately(now: int) -> ColumnElement[bool]:
    return failed_sign_ins.c.last.between(now - FORGOTTEN_SECONDS + 1, now + _AHEAD_SECONDS)
