"""Events, which are what people did: the latest ones, a bounded number of rows.

Log-ins that failed have a bound of their own, so that nobody can push out what else is noted by failing often.
"""

from __future__ import annotations

from sqlalchemy import delete, insert, select

from db.database import Database
from db.people.records import Event
from db.schema import events
from db.timestamps import now

FAILED = "log-in failed"
MOST_EVENTS = 20_000
MOST_FAILED = 5_000
_MOST_CHARACTERS = 500
_SWEPT_EVERY = 100  # events


class Events:
    """The events of a library: `library.people.events`. Any method may raise a LibraryError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def note(self, action: str, detail: str = "", *, person: str = "", address: str = "") -> None:
        """Note an event.

        Args:
            action: In a few words: `log-in`, FAILED, `video removed`.
            detail: What it was done to.
            person: The name of who did it; "" in a terminal.
            address: Of the browser; "" likewise.
        """
        texts = {"person": person, "address": address, "action": action, "detail": detail}
        values = {name: _storable(text) for name, text in texts.items()} | {"at": now()}
        with self._database.writing() as connection:
            added = connection.execute(insert(events).values(values)).inserted_primary_key
            assert added is not None
            if int(added[0]) % _SWEPT_EVERY == 0:
                for few, most in ((events.c.action == FAILED, MOST_FAILED), (events.c.action != FAILED, MOST_EVENTS)):
                    ids = select(events.c.id).where(few).order_by(events.c.id.desc())
                    last = connection.scalar(ids.offset(most).limit(1))
                    if last is not None:
                        connection.execute(delete(events).where(few, events.c.id <= last))

    def addresses(self, action: str, person: str) -> set[str]:
        """Return from where a person did something, as far as it is still noted."""
        wanted = events.c.action == action, events.c.person == person
        with self._database.reading() as connection:
            return set(connection.execute(select(events.c.address).where(*wanted).distinct()).scalars())

    def latest(self, count: int) -> list[Event]:
        """Return the latest events, the newest first."""
        columns = (events.c[name] for name in ("at", "person", "address", "action", "detail"))
        with self._database.reading() as connection:
            found = connection.execute(select(*columns).order_by(events.c.id.desc()).limit(count))
            return [Event(**{name: str(value) for name, value in row.items()}) for row in found.mappings()]


def _storable(text: str) -> str:
    """Return a text as any database stores it: of bounded length, without lone surrogates and NUL characters."""
    return text[:_MOST_CHARACTERS].encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")
