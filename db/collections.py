"""Collections: named, ordered lists of subclips, which outlast their videos.

Each call is one transaction, so that two tabs or two programs never see or leave half an edit. Removed collections and
subclips can be restored for 30 days. Collections are everybody's, but for the trays of people (`Collections.of`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Select, and_, delete, func, insert, or_, select, update

from db.database import Database
from db.errors import NotAllowed
from db.names import comparison_key
from db.ordering import FIRST, LAST, free_positions
from db.records import Collection, NewSubclip, Subclip
from db.rows import COLLECTION
from db.schema import collections, subclips
from db.subclips import change_subclip, insert_subclips, list_subclips, mark_removed, purge_subclips
from db.take_names import Runs, clips_of_takes, naming_collections
from db.text_limits import MAX_NAME_LENGTH, checked_name
from db.timestamps import now, undo_deadline

TRAY = "Tray"
"""The name of the collection that is created in a library without any."""

_SHARED = and_(collections.c.owner.is_(None), collections.c.removed_at.is_(None))


class Collections:
    """The collections that a person sees: `library.collections`. Any method may raise a LibraryError (see `db.errors`).

    To every method, the tray of another person is as if it did not exist.

    Args:
        database: The library's.
        owner: The person's id; None for whoever uses the library alone.
        tray_name: Name of the tray, if it is made.
        edits_shared: Whether the person may change anything but the tray.
    """

    def __init__(
        self, database: Database, owner: int | None = None, tray_name: str = TRAY, *, edits_shared: bool = True
    ) -> None:
        self._database = database
        self._owner = owner
        self._tray_name = tray_name
        self._edits_shared = edits_shared
        shared = collections.c.owner.is_(None)
        self._seen = shared if owner is None else or_(shared, collections.c.owner == owner)

    def of(self, owner: int | None, name: str, *, edits_shared: bool = True) -> Collections:
        """Return the shared collections with the tray of a person.

        Args:
            owner: The person's id; with None, the tray is the first collection, as for whoever uses the library alone.
            name: The person's name.
            edits_shared: Whether the person may change shared collections; attempts raise NotAllowed otherwise.
        """
        if owner is None:
            return self
        return Collections(self._database, owner, f"{TRAY} of {name}", edits_shared=edits_shared)

    def all(self) -> list[Collection]:
        """Return all collections, the tray first, the others in order of creation; without damaged ones."""
        with self._database.reading() as connection:
            return self._all(connection)

    def _all(self, connection: Connection) -> list[Collection]:
        found = connection.execute(self._select().order_by(collections.c.owner.is_(None), collections.c.id))
        return COLLECTION.load_sound(found.mappings(), "id")

    def get(self, collection_id: int) -> Collection:
        """Return a collection.

        Raises:
            KeyError: The id is unknown, or the collection was removed.
        """
        with self._database.reading() as connection:
            return self._get(connection, collection_id)

    def tray(self) -> Collection:
        """Return the tray: a person's own, or the first collection. Create it if there is none."""
        with self._database.reading() as connection:
            found = self._trays(connection)
        if found:
            return found[0]
        with self._database.writing() as connection:
            found = self._trays(connection)
            if found:  # another tab was faster
                return found[0]
            return self._get(connection, _insert(connection, self._tray_name, self._owner))

    def _trays(self, connection: Connection) -> list[Collection]:
        return [each for each in self._all(connection) if each.owner == self._owner]

    def create(self, name: str) -> Collection:
        """Create a collection.

        Raises:
            ValueError: The name is blank, longer than 200 characters, or taken, ignoring case.
        """
        name = checked_name(name)
        self._check_edit(None)
        with self._database.writing() as connection:
            _check_free(connection, name, None)
            return self._get(connection, _insert(connection, name))

    def rename(self, collection_id: int, name: str) -> Collection:
        """Rename a collection.

        Raises:
            KeyError: The id is unknown.
            ValueError: As for `create`.
        """
        name = checked_name(name)
        with self._database.writing() as connection:
            found = self._to_edit(connection, collection_id)
            if found.owner is not None:
                _update(connection, collection_id, name=name)
            elif found.name != name:
                _check_free(connection, name, collection_id)
                _update(connection, collection_id, name=name, key=comparison_key(name))
            return self._get(connection, collection_id)

    def remove(self, collection_id: int) -> None:
        """Remove a collection with its subclips. Its name is free again; `restore` brings it back.

        Raises:
            KeyError: The id is unknown.
            ValueError: It is the tray of a person.
        """
        with self._database.writing() as connection:
            _purge(connection)
            if self._to_edit(connection, collection_id).owner is not None:
                raise ValueError("Your tray cannot be deleted; take the clips out of it instead.")
            _update(connection, collection_id, key=None, removed_at=now())

    def restore(self, collection_id: int) -> Collection:
        """Restore a removed collection, under a new name ("Tray 2") if its own is taken by now.

        A collection that was not removed stays unchanged.

        Raises:
            KeyError: The id is unknown, or the collection was removed more than 30 days ago.
        """
        with self._database.writing() as connection:
            row = connection.execute(
                select(collections.c.name, collections.c.removed_at, collections.c.owner).where(
                    collections.c.id == collection_id, self._seen
                )
            ).first()
            if row is None:
                raise KeyError(f"no collection has the id {collection_id}")
            self._check_edit(row.owner)
            if row.removed_at is not None:
                name = _free_name(connection, row.name)
                _update(connection, collection_id, name=name, key=comparison_key(name), removed_at=None)
            return self._get(connection, collection_id)

    def subclips(self, collection_id: int) -> list[Subclip]:
        """Return the subclips of a collection, in order.

        Raises:
            KeyError: The id is unknown.
        """
        with self._database.reading() as connection:
            self._get(connection, collection_id)
            return list_subclips(connection, collection_id)

    def add(self, collection_id: int, items: Sequence[NewSubclip], after: int | None = None) -> list[Subclip]:
        """Add a subclip for each item. A range already in the collection stays unchanged, at its position.

        Args:
            collection_id: The collection to add to.
            items: The new subclips, in order.
            after: The id of the subclip to insert after; None adds at the end.

        Returns:
            A subclip for each item, in order: a new one, or the existing one with that range.

        Raises:
            KeyError: The collection, a segment or `after` is unknown. Nothing was added.
            ValueError: A range is empty or not within its video, a name has more than 200 or a note more than 10 000
                characters. Nothing was added.
        """
        with self._database.writing() as connection:
            self._to_edit(connection, collection_id)
            return insert_subclips(connection, collection_id, items, LAST if after is None else after)

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
        """Change the values of a subclip that are not None.

        Args:
            subclip_id: The subclip to change.
            revision: The revision that the caller has seen.
            start_pts: First frame shown, in pts of the video.
            end_pts: End of the range, in pts of the video.
            name: At most 200 characters.
            note: At most 10 000 characters.

        Returns:
            The subclip with its new revision.

        Raises:
            EditConflict: The subclip has changed since that revision; the error holds the current one. A change to its
                present values is not a conflict.
            KeyError: The id is unknown, or the subclip was removed.
            ValueError: As for `add`.
        """
        with self._database.writing() as connection:
            self._collection_of(connection, subclip_id)
            return change_subclip(
                connection, subclip_id, revision, start_pts=start_pts, end_pts=end_pts, name=name, note=note
            )

    def names_of(self, set_ups: Sequence[Runs]) -> list[str]:
        """Return the name of the takes of each set-up, "" for none: see `db.take_names`.

        Args:
            set_ups: For each, the segments of its runs.
        """
        if not set_ups:
            return []
        with self._database.reading() as connection:
            found = naming_collections(connection, set_ups)
            return ["" if each is None else self._get(connection, each).name for each in found]

    def name_takes(self, runs: Runs, name: str) -> Collection:
        """Give the takes of a set-up a name: that of the collection that names them, else of a new one that holds them.

        Args:
            runs: For each take, in order, the segments that show it; empty for one that is left out.
            name: As for `create`.

        Raises:
            KeyError: A segment is unknown.
            ValueError: As for `create`, or there are not two takes.
        """
        name = checked_name(name)
        self._check_edit(None)
        if sum(bool(run) for run in runs) < 2:
            raise ValueError("Only takes have a name, two or more of one set-up.")
        with self._database.writing() as connection:
            (named,) = naming_collections(connection, [runs])
            _check_free(connection, name, named)
            if named is not None:
                _update(connection, named, name=name, key=comparison_key(name))
            else:
                if connection.scalar(select(collections.c.id).where(_SHARED)) is None:
                    _insert(connection, _free_name(connection, TRAY))  # the first collection is the tray
                named = _insert(connection, name)
                insert_subclips(connection, named, clips_of_takes(runs))
            return self._get(connection, named)

    def move(self, subclip_id: int, after: int | None) -> Collection:
        """Move a subclip within its collection. Its revision stays.

        Args:
            subclip_id: The subclip to move.
            after: The id of the subclip that it will follow; None moves it to the beginning.

        Returns:
            The collection, with its new revision.

        Raises:
            KeyError: The subclip is unknown or was removed, or `after` is not in its collection.
        """
        with self._database.writing() as connection:
            collection_id = self._collection_of(connection, subclip_id)
            if after != subclip_id:
                (position,) = free_positions(connection, collection_id, 1, FIRST if after is None else after)
                connection.execute(update(subclips).where(subclips.c.id == subclip_id).values(position=position))
            return self._get(connection, collection_id)

    def take_out(self, ids: Iterable[int]) -> int:
        """Remove subclips from their collections. Return how many were in one. `put_back` undoes it for 30 days.

        Those that the person may not remove stay.
        """
        with self._database.writing() as connection:
            _purge(connection)
            return mark_removed(connection, ids, self._ids(to_edit=True), removed=True)

    def put_back(self, ids: Iterable[int]) -> int:
        """Restore removed subclips at their positions. Return how many were restored."""
        with self._database.writing() as connection:
            return mark_removed(connection, ids, self._ids(to_edit=True), removed=False)

    def _select(self) -> Select[Any]:
        """Select the collections that are seen and were not removed, with the columns of the record."""
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
            collections.c.owner,
        ).where(collections.c.removed_at.is_(None), self._seen)

    def _ids(self, *, to_edit: bool = False) -> Select[tuple[int]]:
        """Select the ids of the collections that are seen, or may be changed; removed ones included."""
        own = to_edit and not self._edits_shared
        return select(collections.c.id).where(collections.c.owner == self._owner if own else self._seen)

    def _get(self, connection: Connection, collection_id: int) -> Collection:
        row = connection.execute(self._select().where(collections.c.id == collection_id)).mappings().first()
        found = [] if row is None else COLLECTION.load_sound([row], "id")
        if not found:
            raise KeyError(f"no collection has the id {collection_id}")
        return found[0]

    def _to_edit(self, connection: Connection, collection_id: int) -> Collection:
        found = self._get(connection, collection_id)
        self._check_edit(found.owner)
        return found

    def _check_edit(self, owner: int | None) -> None:
        if owner is None and not self._edits_shared:
            raise NotAllowed("This collection is everybody's, and your role does not let you change it.")

    def _collection_of(self, connection: Connection, subclip_id: int) -> int:
        """Return the collection of a subclip that may be changed. Raise KeyError if it is not seen, or removed."""
        of_subclip = select(collections.c.id, collections.c.owner).join(subclips)
        there = subclips.c.id == subclip_id, subclips.c.removed_at.is_(None), self._seen
        found = connection.execute(of_subclip.where(*there)).first()
        if found is None:
            raise KeyError(f"no subclip has the id {subclip_id}")
        self._check_edit(found.owner)
        return int(found.id)


def _insert(connection: Connection, name: str, owner: int | None = None) -> int:
    time, key = now(), comparison_key(name) if owner is None else None
    values = {"name": name, "key": key, "created_at": time, "updated_at": time, "owner": owner}
    added = connection.execute(insert(collections).values(values)).inserted_primary_key
    assert added is not None
    return int(added[0])


def _update(connection: Connection, collection_id: int, **values: str | None) -> None:
    connection.execute(
        update(collections)
        .where(collections.c.id == collection_id)
        .values(**values, revision=collections.c.revision + 1, updated_at=now())
    )


def _is_taken(connection: Connection, name: str, but: int | None) -> bool:
    condition = and_(collections.c.key == comparison_key(name), collections.c.id.is_distinct_from(but))
    return connection.scalar(select(collections.c.id).where(condition)) is not None


def _check_free(connection: Connection, name: str, but: int | None) -> None:
    if _is_taken(connection, name, but):
        raise ValueError(f"There is already a collection called {name} already; choose another name.")


def _free_name(connection: Connection, name: str) -> str:
    number, free = 1, name
    while _is_taken(connection, free, None):
        number += 1
        free = f"{name[: MAX_NAME_LENGTH - 12]} {number}"
    return free


def _purge(connection: Connection) -> None:
    """Delete collections and subclips that were removed too long ago to be restored."""
    before = undo_deadline()
    connection.execute(delete(collections).where(collections.c.removed_at < before))
    purge_subclips(connection, before)
