"""Collections: named, ordered lists of subclips, which stand by themselves whatever becomes of their videos.

Each call is one transaction, so that two tabs or two programs never see or leave half an edit. What is removed or
taken out can be brought back for 30 days.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, Select, and_, delete, func, insert, select, update

from db import subclips as clips
from db.connection import Database
from db.names import MOST_NAME, checked_name, forgotten_before, key_of, now
from db.ordering import END, FIRST, free_places
from db.records import Collection, NewSubclip, Subclip
from db.schema import collections, subclips

TRAY = "Tray"
"""The name of the collection that is made where there is none."""


class Collections:
    """`library.collections`. Any method may raise a LibraryError (see db.errors)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[Collection]:
        """In the order in which they were made: the tray first."""
        with self._database.reading() as connection:
            found = connection.execute(_counted().order_by(collections.c.id))
            return [Collection(**row) for row in found.mappings()]

    def get(self, collection_id: int) -> Collection:
        """Raises KeyError where there is none of that id, or it was removed."""
        with self._database.reading() as connection:
            return _one(connection, collection_id)

    def tray(self) -> Collection:
        """The first one; made, as "Tray", where there is none."""
        found = self.all()
        if found:
            return found[0]
        with self._database.writing() as connection:
            row = connection.execute(_counted().order_by(collections.c.id).limit(1)).mappings().first()
            if row is not None:  # another tab was quicker
                return Collection(**row)
            return _one(connection, _made(connection, TRAY))

    def create(self, name: str) -> Collection:
        """Raises ValueError for a name that is blank, longer than 200 characters or taken (case does not matter)."""
        name = checked_name(name)
        with self._database.writing() as connection:
            _check_free(connection, name, None)
            return _one(connection, _made(connection, name))

    def rename(self, collection_id: int, name: str) -> Collection:
        """Raises KeyError for an unknown one, ValueError as `create`."""
        name = checked_name(name)
        with self._database.writing() as connection:
            if _one(connection, collection_id).name != name:
                _check_free(connection, name, collection_id)
                _write(connection, collection_id, name=name, key=key_of(name))
            return _one(connection, collection_id)

    def remove(self, collection_id: int) -> None:
        """It leaves the list with all that is in it, and gives up its name; `restore` brings it back.

        Raises KeyError for an unknown one.
        """
        with self._database.writing() as connection:
            _sweep(connection)
            _one(connection, collection_id)
            _write(connection, collection_id, key=None, removed_at=now())

    def restore(self, collection_id: int) -> Collection:
        """Bring a removed one back, under another name ("Tray 2") if its own is taken now; else it is as it was.

        Raises KeyError where none of that id is or was there in the last 30 days.
        """
        with self._database.writing() as connection:
            row = connection.execute(
                select(collections.c.name, collections.c.removed_at).where(collections.c.id == collection_id)
            ).first()
            if row is None:
                raise KeyError(f"no collection has the id {collection_id}")
            if row.removed_at is not None:
                name = _free_name(connection, row.name)
                _write(connection, collection_id, name=name, key=key_of(name), removed_at=None)
            return _one(connection, collection_id)

    def subclips(self, collection_id: int) -> list[Subclip]:
        """In order. Raises KeyError for an unknown collection."""
        with self._database.reading() as connection:
            _one(connection, collection_id)
            return clips.in_order(connection, collection_id)

    def add(self, collection_id: int, items: Sequence[NewSubclip], after: int | None = None) -> list[Subclip]:
        """A subclip for each item, put in behind that of the id `after`, or at the end.

        A range of the same content that is in the collection already stays as and where it is, and is given.
        Raises KeyError for an unknown collection, segment or `after`; ValueError for a range that is empty or not
        within its video, a name of more than 200 or a note of more than 10 000 characters. Then nothing was added.
        """
        with self._database.writing() as connection:
            _one(connection, collection_id)
            return clips.put(connection, collection_id, items, END if after is None else after)

    def change(
        self,
        subclip_id: int,
        revision: int,
        *,
        start_pts: int | None = None,
        end_pts: int | None = None,
        name: str | None = None,
        note: str | None = None,
    ) -> Subclip:
        """Change what is not None of a subclip as it was at `revision`; gives it with its new revision.

        Raises EditConflict, with the subclip as it is, where it has been changed since then (asking for what is so
        already is no conflict); KeyError for one that is not there or was taken out; ValueError as `add`.
        """
        with self._database.writing() as connection:
            return clips.change(
                connection, subclip_id, revision, start_pts=start_pts, end_pts=end_pts, name=name, note=note
            )

    def move(self, subclip_id: int, after: int | None) -> Collection:
        """Put a subclip behind another one of its collection, or first (None). Its revision stays.

        Raises KeyError for a subclip that is not there or was taken out, or an `after` that is not of its collection.
        """
        with self._database.writing() as connection:
            collection_id = connection.scalar(
                select(subclips.c.collection_id).where(subclips.c.id == subclip_id, subclips.c.removed_at.is_(None))
            )
            if collection_id is None:
                raise KeyError(f"no subclip has the id {subclip_id}")
            if after != subclip_id:
                (place,) = free_places(connection, collection_id, 1, FIRST if after is None else after)
                connection.execute(update(subclips).where(subclips.c.id == subclip_id).values(position=place))
            return _one(connection, collection_id)

    def take_out(self, ids: Iterable[int]) -> int:
        """Take subclips out of their collections; gives how many were in one. `put_back` undoes it for 30 days."""
        with self._database.writing() as connection:
            _sweep(connection)
            return clips.mark_removed(connection, ids, removed=True)

    def put_back(self, ids: Iterable[int]) -> int:
        """Put what was taken out back at its place, note and all; gives how many were."""
        with self._database.writing() as connection:
            return clips.mark_removed(connection, ids, removed=False)


def _counted() -> Select[tuple[int, str, int, int, str, str]]:
    """Collections that were not removed, as the record has them."""
    items = (
        select(func.count())
        .where(subclips.c.collection_id == collections.c.id, subclips.c.removed_at.is_(None))
        .correlate(collections)
        .scalar_subquery()
    )
    return select(
        collections.c.id,
        collections.c.name,
        collections.c.revision,
        items.label("items"),
        collections.c.created_at,
        collections.c.updated_at,
    ).where(collections.c.removed_at.is_(None))


def _one(connection: Connection, collection_id: int) -> Collection:
    row = connection.execute(_counted().where(collections.c.id == collection_id)).mappings().first()
    if row is None:
        raise KeyError(f"no collection has the id {collection_id}")
    return Collection(**row)


def _made(connection: Connection, name: str) -> int:
    time = now()
    values = {"name": name, "key": key_of(name), "created_at": time, "updated_at": time}
    added = connection.execute(insert(collections).values(values)).inserted_primary_key
    assert added is not None
    return int(added[0])


def _write(connection: Connection, collection_id: int, **values: str | None) -> None:
    connection.execute(
        update(collections)
        .where(collections.c.id == collection_id)
        .values(**values, revision=collections.c.revision + 1, updated_at=now())
    )


def _is_taken(connection: Connection, name: str, but: int | None) -> bool:
    condition = and_(collections.c.key == key_of(name), collections.c.id.is_not(but))
    return connection.scalar(select(collections.c.id).where(condition)) is not None


def _check_free(connection: Connection, name: str, but: int | None) -> None:
    if _is_taken(connection, name, but):
        raise ValueError(f"There is a collection called {name} already; choose another name.")


def _free_name(connection: Connection, name: str) -> str:
    number, free = 1, name
    while _is_taken(connection, free, None):
        number += 1
        free = f"{name[: MOST_NAME - 12]} {number}"
    return free


def _sweep(connection: Connection) -> None:
    """Forget for good what was removed too long ago to be brought back."""
    before = forgotten_before()
    connection.execute(delete(collections).where(collections.c.removed_at < before))
    clips.sweep(connection, before)
