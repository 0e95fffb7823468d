"""Accounts of people. Each call is one transaction; what a person owns goes with the person."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, Table, delete, func, insert, select, update

from db.database import Database
from db.names import comparison_key
from db.people.events import Events
from db.people.records import MAX_PERSON_LENGTH, Person, Role, person_of
from db.people.sign_ins import SignIns
from db.schema import collections, people, saved_searches, sign_ins, subclips
from db.text_limits import checked_name
from db.timestamps import now


class People:
    """The people of a library: `library.people`. Any method may raise a LibraryError (see `db.errors`).

    Attributes:
        sign_ins: Browsers that are logged in, and log-ins that failed.
        events: What people did.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self.sign_ins = SignIns(database)
        self.events = Events(database)

    def all(self) -> list[Person]:
        """Return all people by name, ignoring case; without damaged ones."""
        with self._database.reading() as connection:
            found = connection.execute(select(people).order_by(people.c.key)).mappings()
            return [person for row in found if (person := person_of(row)) is not None]

    def named(self, name: str) -> tuple[Person, str | None] | None:
        """Return the person of a name, ignoring case, with the hash of the password; None if there is none."""
        with self._database.reading() as connection:
            row = _row(connection, name)
        person = None if row is None else person_of(row)
        return None if row is None or person is None else (person, row["password"])

    def find(self, person_id: int) -> Person | None:
        """Return the person of an id; None if there is none."""
        with self._database.reading() as connection:
            row = connection.execute(select(people).where(people.c.id == person_id)).mappings().first()
        return None if row is None else person_of(row)

    def add(self, name: str, role: Role, password: str | None = None) -> Person:
        """Add a person.

        Args:
            name: Unique, ignoring case; at most MAX_PERSON_LENGTH printable characters.
            role: What the person may do.
            password: The salted hash of a password; None: a proxy says who it is.

        Raises:
            ValueError: The name is not allowed, or taken.
        """
        name = checked_name(name)
        if len(name) > MAX_PERSON_LENGTH or not name.isprintable():
            raise ValueError(f"A person's name has at most {MAX_PERSON_LENGTH} characters, all of them printable.")
        values = {"name": name, "key": comparison_key(name), "role": role, "password": password, "created_at": now()}
        with self._database.writing() as connection:
            if _row(connection, name) is not None:
                raise ValueError(f"There is already a person called {name}; choose another name.")
            connection.execute(insert(people).values(values))
            return _person(connection, name)

    def set_role(self, name: str, role: Role) -> Person:
        """Change what a person may do, at once.

        Raises:
            KeyError: There is no such person.
        """
        return self._change(name, {"role": role})

    def set_password(self, name: str, password: str | None) -> Person:
        """Change the hash of a person's password, and log all of the person's browsers out.

        Raises:
            KeyError: There is no such person.
        """
        return self._change(name, {"password": password}, log_out=True)

    def remove(self, name: str) -> None:
        """Remove a person with the tray and the saved searches, and log all of the person's browsers out.

        Raises:
            KeyError: There is no such person.
        """
        with self._database.writing() as connection:
            person = _person(connection, name)
            connection.execute(delete(saved_searches).where(saved_searches.c.owner == person.id))
            connection.execute(delete(collections).where(collections.c.owner == person.id))  # subclips go with it
            connection.execute(delete(people).where(people.c.id == person.id))  # and log-ins with this

    def owned(self, name: str) -> tuple[int, int]:
        """Return how many clips in the tray and saved searches `remove` would remove with a person.

        Raises:
            KeyError: There is no such person.
        """
        with self._database.reading() as connection:
            person = _person(connection, name)
            trays = select(collections.c.id).where(collections.c.owner == person.id)
            return (
                _count(connection, subclips, subclips.c.collection_id.in_(trays), subclips.c.removed_at.is_(None)),
                _count(connection, saved_searches, saved_searches.c.owner == person.id),
            )

    def _change(self, name: str, values: dict[str, Any], *, log_out: bool = False) -> Person:
        with self._database.writing() as connection:
            person = _person(connection, name)
            connection.execute(update(people).where(people.c.id == person.id).values(values))
            if log_out:
                connection.execute(delete(sign_ins).where(sign_ins.c.person_id == person.id))
            return _person(connection, name)


def _row(connection: Connection, name: str) -> RowMapping | None:
    if "\0" in name:  # as somebody may log in, and PostgreSQL refuses to compare
        return None
    return connection.execute(select(people).where(people.c.key == comparison_key(name))).mappings().first()


def _person(connection: Connection, name: str) -> Person:
    row = _row(connection, name)
    person = None if row is None else person_of(row)
    if person is None:
        raise KeyError(f"nobody is called {name}")
    return person


def _count(connection: Connection, table: Table, *conditions: ColumnElement[bool]) -> int:
    return connection.scalar(select(func.count()).select_from(table).where(*conditions)) or 0
