"""Searches that a person named. Each call is one transaction."""

from __future__ import annotations

from sqlalchemy import delete, select
from sqlalchemy.dialects.sqlite import insert as upsert

from db.connection import Database
from db.names import checked_name, checked_text, key_of, now
from db.records import SavedSearch
from db.schema import saved_searches

MOST_LINK = 20_000
"""Characters in a link; browsers and servers take fewer."""

_COLUMNS = (saved_searches.c.id, saved_searches.c.name, saved_searches.c.link, saved_searches.c.created_at)


class SavedSearches:
    """`library.searches`. Any method may raise a LibraryError (see db.errors)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[SavedSearch]:
        """By name, case left out."""
        with self._database.reading() as connection:
            found = connection.execute(select(*_COLUMNS).order_by(saved_searches.c.key))
            return [SavedSearch(**row) for row in found.mappings()]

    def save(self, name: str, link: str) -> SavedSearch:
        """Keep a search, in place of the one of that name (case does not matter), whose id it takes.

        Raises ValueError for a name that is blank or too long, or a link that is too long.
        """
        name, link = checked_name(name), checked_text(link, "link", MOST_LINK)
        values = {"name": name, "key": key_of(name), "link": link, "created_at": now()}
        with self._database.writing() as connection:
            statement = upsert(saved_searches).values(values).on_conflict_do_update(index_elements=["key"], set_=values)
            connection.execute(statement)
            row = connection.execute(select(*_COLUMNS).where(saved_searches.c.key == values["key"])).mappings().one()
            return SavedSearch(**row)

    def remove(self, search_id: int) -> bool:
        """Forget a search; False if there was none of that id."""
        with self._database.writing() as connection:
            gone = connection.execute(delete(saved_searches).where(saved_searches.c.id == search_id))
            return gone.rowcount > 0
