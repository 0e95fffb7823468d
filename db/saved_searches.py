"""Saved searches: searches stored under a name. Each call is one transaction."""

from __future__ import annotations

from sqlalchemy import and_, delete, insert, select, update

from db.database import Database
from db.names import comparison_key
from db.records import SavedSearch
from db.rows import SAVED_SEARCH
from db.schema import saved_searches
from db.text_limits import MAX_LINK_LENGTH, checked_name, checked_text
from db.timestamps import now

_COLUMNS = tuple(column for column in saved_searches.c if column.name not in ("key", "owner"))


class SavedSearches:
    """The saved searches of a person: `library.searches`. Any method may raise a LibraryError (see `db.errors`).

    Args:
        database: The library's.
        owner: The person's id; None for whoever uses the library alone.
    """

    def __init__(self, database: Database, owner: int | None = None) -> None:
        self._database = database
        self._owner = owner
        self._own = saved_searches.c.owner.is_(None) if owner is None else saved_searches.c.owner == owner

    def of(self, owner: int | None) -> SavedSearches:
        """Return those of a person, by the id; of None, those of whoever uses the library alone."""
        return SavedSearches(self._database, owner)

    def all(self) -> list[SavedSearch]:
        """Return all saved searches by name, ignoring case; without damaged ones."""
        with self._database.reading() as connection:
            found = connection.execute(select(*_COLUMNS).where(self._own).order_by(saved_searches.c.key))
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
        same = and_(self._own, saved_searches.c.key == values["key"])
        with self._database.writing() as connection:
            if not connection.execute(update(saved_searches).where(same).values(values)).rowcount:
                connection.execute(insert(saved_searches).values(values | {"owner": self._owner}))
            return SavedSearch(**connection.execute(select(*_COLUMNS).where(same)).mappings().one())

    def remove(self, search_id: int) -> bool:
        """Delete a search. Return False if the id is unknown, or that of another person's."""
        with self._database.writing() as connection:
            gone = connection.execute(delete(saved_searches).where(saved_searches.c.id == search_id, self._own))
            return gone.rowcount > 0
