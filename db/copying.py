"""Copies of a library in a new one, on whatever engine: every row with its id, and the posters and previews.

The rows are of one moment, while others may write. A copy that was stopped goes on: what it has is compared with the
source. Until it is whole, what stands in place of its format lets no version of prismsearch open it.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from sqlalchemy import Connection, Table, func, literal, select, text, update

from db import schema
from db.errors import LibraryDamaged, LibraryError
from db.library import Library
from db.media_copy import copy_media, differing_media, missing_media
from db.migrating import copy_revision
from db.sql import on_server, raw
from db.table_copy import TableCopy
from db.text.server.indexing import index_lines, unindexed_videos
from files.folder_lock import NoLocks, lock_folder

LEFT_OUT: Mapping[str, str] = MappingProxyType(
    {
        "alembic_version": "says whether the copy is whole",
        "library": "has its own id, and the settings of the source",
        "sign_ins": "who is logged in there is not logged in here",
        "failed_sign_ins": "as these are of a page, not of the library",
    }
)
"""Tables whose rows are not copied, and why. Those that only servers have are not among the schema's: of workers, and
of what follows from lines of text."""

_COUNTED = {"encoders": ("segments", "generation"), "collections": ("revision", "updated_at")}
"""Columns that triggers change when rows of other tables are inserted."""

_KEPT = ("encoders",)
"""Tables whose rows are changed in place: those of others refer to them, and do not go with them."""

_OWN = ("id", "created_at")
"""Columns of `library` in which a copy differs."""

_VERSION = schema.alembic_version.c.version_num

Stage = Literal["compare", "rows", "check", "words", "media"]
OnProgress = Callable[[Stage, int, int], None]
"""Receives what is being done, how much of it is done, and of how much: rows, videos, or folders."""


@dataclass(frozen=True, slots=True)
class Copied:
    """What a copy has.

    Attributes:
        rows: The number of its rows, each of which was compared.
        lacking: Folders of posters and previews that it lacks, because the source does.
    """

    rows: int
    lacking: int


@dataclass(frozen=True, slots=True)
class Needed:
    """The space that a copy still needs, in bytes, as far as it is known."""

    database: int
    media: int


class Copying:
    """The copying of a library.

    Args:
        source: The library, opened without roots of media, as is the target: paths are copied as they are stored.
        target: A new library, or an unfinished copy, opened as `copy_of` the source.
    """

    def __init__(self, source: Library, target: Library) -> None:
        if source.roots or target.roots:
            raise ValueError("a copy takes paths as they are stored: open both libraries without roots")
        self._from, self._to = source._database, target._database
        self._media = source._media, target._media
        self._revision = copy_revision(source.id)

    def begin(self) -> bool:
        """Make the target an unfinished copy. Return whether it was one already.

        Raises:
            LibraryError: It is a library with contents.
        """
        with self._to.writing() as here:
            if here.scalar(select(_VERSION)) == self._revision:
                return True
            for table in schema.metadata.sorted_tables:
                if (
                    table.name not in ("alembic_version", "library")
                    and here.execute(select(literal(1)).select_from(table).limit(1)).first()
                ):
                    raise LibraryError(
                        f"The library {self._to.name} has contents ({table.name.replace('_', ' ')}), and a copy is "
                        "made into a new one. Name another place."
                    )
            here.execute(update(schema.alembic_version).values(version_num=self._revision))
        return False

    def needed(self, *, goes_on: bool) -> Needed:
        """Return the space that the copy still needs.

        Args:
            goes_on: Whether it was begun before. (A new library has a size, too, but no rows.)
        """
        with self._from.reading() as there, self._to.reading() as here:
            rows = self._from.stored_bytes(there) - (self._to.stored_bytes(here) if goes_on else 0)
            sizes = _media_sizes(there)
        return Needed(max(rows, 0), sum(sizes[name] for name in missing_media(self._media[1], sizes)))

    def run(self, on_progress: OnProgress) -> Copied:
        """Copy everything, and compare it. May be stopped at any moment; `finish` is what remains.

        Raises:
            LibraryError: Another process makes the same copy, or see `db.errors`: the target stays unfinished.
        """
        with self._alone():
            with self._from.reading() as there:
                rows = self._copy_rows(there, on_progress)
                names = set(_media_sizes(there))
            self._index_texts(on_progress)
            lacking = self._copy_media(names, on_progress)
        return Copied(rows, lacking)

    def finish(self) -> None:
        """Let the target be a library."""
        with self._to.writing() as here:
            here.execute(update(schema.alembic_version).values(version_num=schema.revision_of(schema.SCHEMA_VERSION)))

    def _copy_rows(self, there: Connection, on_progress: OnProgress) -> int:
        """Make all tables equal to those of the source at one moment. Return the number of their rows."""
        copies = [TableCopy(there, self._to, table, _COUNTED.get(table.name, ())) for table in _copied_tables()]
        total = sum(copy.count() for copy in copies)

        def told(stage: Stage, steps: Iterator[int]) -> None:
            done = 0
            on_progress(stage, 0, total)
            for rows in steps:
                done += rows
                on_progress(stage, done, total)

        if not all(copy.is_empty() for copy in copies):
            told("compare", (n for copy in reversed(copies) for n in copy.clear(keep=copy.name in _KEPT)))
        told("rows", (n for copy in copies for n in copy.fill()))
        for copy in copies:
            if copy.name in _COUNTED:
                for _ in copy.fill():
                    pass
        with self._to.writing() as here:
            stored = there.execute(select(schema.library)).mappings().one()
            settings = {name: value for name, value in stored.items() if name not in _OWN}
            here.execute(update(schema.library).values(settings))
            for table in _copied_tables():
                if table.dialect_options["sqlite"]["autoincrement"]:
                    _never_again(here, table, _last_id(there, table))
        told("check", (n for copy in copies for n in self._compared(copy)))
        return total

    def _compared(self, copy: TableCopy) -> Iterator[int]:
        """Yield how many rows were compared. Raise LibraryDamaged at the first block with other rows."""
        for rows, wrong in copy.differing():
            if wrong:
                raise LibraryDamaged(
                    f"{wrong} rows of the table {copy.name} in {self._to.name} are not those that were copied. Check "
                    "the disk, and copy again: what is right is kept."
                )
            yield rows

    def _index_texts(self, on_progress: OnProgress) -> None:
        """Let lines of text be found on a server. SQLite has done it already."""
        with self._to.reading() as here:
            videos = unindexed_videos(here) if on_server(here) else []
        for done, video_id in enumerate(videos):
            on_progress("words", done, len(videos))
            with self._to.writing() as here:
                index_lines(here, video_id)

    def _copy_media(self, names: set[str], on_progress: OnProgress) -> int:
        """Copy posters and previews. Return how many folders the source lacks."""
        missing = len(missing_media(self._media[1], names))
        for done, _ in enumerate(copy_media(*self._media, names)):
            on_progress("media", done, missing)
        wrong = differing_media(*self._media, [name for name in names if self._media[0].folder(name).is_dir()])
        if wrong:
            raise LibraryDamaged(
                f"Posters in {self._media[1].directory} are not those that were copied (folders: {len(wrong)}, such "
                f"as {wrong[0]}). Remove these folders, and copy again."
            )
        return len(missing_media(self._media[1], names))

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other copies out of the target, where folders can be locked."""
        with contextlib.ExitStack() as until_the_end:
            with contextlib.suppress(NoLocks):
                try:
                    until_the_end.callback(os.close, lock_folder(self._to.folder.resolve()))
                except BlockingIOError as error:
                    raise LibraryError(
                        f"Another process is copying into {self._to.name}; wait until it is done, or stop it."
                    ) from error
            yield


def _copied_tables() -> list[Table]:
    """Return the tables that are copied, referenced ones first. A table of a later format is among them by itself."""
    return [table for table in schema.metadata.sorted_tables if table.name not in LEFT_OUT]


def _media_sizes(connection: Connection) -> dict[str, int]:
    """Return the folders of media that rows name, with their stored sizes."""
    sizes: dict[str, int] = {}
    for table in (schema.videos, schema.vanished_videos):
        named = select(table.c.media, func.max(table.c.media_bytes)).where(table.c.media.is_not(None))
        sizes |= {str(row[0]): int(row[1]) for row in connection.execute(named.group_by(table.c.media))}
    return sizes


def _last_id(connection: Connection, table: Table) -> int:
    """Return the highest id that a table has ever given."""
    if on_server(connection):
        sequence = _sequence(connection, table)
        last, given = connection.exec_driver_sql(f"SELECT last_value, is_called FROM {sequence}").one()
        return int(last) if given else 0
    return int(raw(connection, "SELECT seq FROM sqlite_sequence WHERE name = ?", (table.name,)).scalar() or 0)


def _never_again(connection: Connection, table: Table, last: int) -> None:
    """Let a table of a copy give no id up to `last`, as links may name one that was removed."""
    if last and on_server(connection):
        set_value = text("SELECT setval(CAST(:sequence AS regclass), :last)")
        connection.execute(set_value, {"sequence": _sequence(connection, table), "last": last})
    elif last:
        raw(connection, "DELETE FROM sqlite_sequence WHERE name = ?", (table.name,))
        raw(connection, "INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (table.name, last))


def _sequence(connection: Connection, table: Table) -> str:
    column = table.autoincrement_column
    assert column is not None
    asked = text("SELECT pg_get_serial_sequence(:table, :column)")
    return str(connection.scalar(asked, {"table": table.name, "column": column.name}))
