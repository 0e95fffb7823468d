"""Saved searches: searches stored under a name. Each call is one transaction."""

from __future__ import annotations

from sqlalchemy import delete, select
from sqlalchemy.dialects.sqlite import insert as upsert

from db.database import Database
from db.names import comparison_key
from db.records import SavedSearch
from db.rows import SAVED_SEARCH
from db.schema import saved_searches
from db.text_limits import MAX_LINK_LENGTH, checked_name, checked_text
from db.timestamps import now

_COLUMNS = tuple(column for column in saved_searches.c if column is not saved_searches.c.key)


class SavedSearches:
    """The saved searches of a library: `library.searches`. Any method may raise a LibraryError (see `db.errors`)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[SavedSearch]:
        """Return all saved searches by name, ignoring case; without damaged ones."""
        with self._database.reading() as connection:
            found = connection.execute(select(*_COLUMNS).order_by(saved_searches.c.key))
            return SAVED_SEARCH.load_sound(found.mappings(), "id")

    def save(self, name: str, link: str, *, text_id: str = "") -> SavedSearch:
        """Save a search. One with the same name, ignoring case, is replaced and passes on its id.

        Args:
            name: A name of at most 200 characters.
            link: The query string of the search page's URL.
            text_id: The text encoder that it was made with; "" if that is not known.

        Raises:
            ValueError: The name is blank or too long, or the link is too long.
        """
        name, link = checked_name(name), checked_text(link, "link", MAX_LINK_LENGTH)
        values = {"name": name, "key": comparison_key(name), "link": link, "created_at": now(), "text_id": text_id}
        with self._database.writing() as connection:
            statement = upsert(saved_searches).values(values).on_conflict_do_update(index_elements=["key"], set_=values)
            connection.execute(statement)
            row = connection.execute(select(*_COLUMNS).where(saved_searches.c.key == values["key"])).mappings().one()
            return SavedSearch(**row)

    def remove(self, search_id: int) -> bool:
        """Delete a search. Return False if the id is unknown."""
        with self._database.writing() as connection:
            gone = connection.execute(delete(saved_searches).where(saved_searches.c.id == search_id))
            return gone.rowcount > 0
