"""Copies of a library in another one, on whatever engine: all rows with their ids, and the posters and previews.

A video is copied in one transaction, so a copy that was stopped goes on with the next one; what is there already is
recognised by a digest of its rows. Log-ins are left out: who was logged in there is not logged in here.
"""

from __future__ import annotations

import os
import secrets
import shutil
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, Table, delete, func, insert, select, text, update

from db import schema
from db.errors import LibraryDamaged, LibraryError
from db.library import Library
from db.media import PARTIAL, MediaStore
from db.rows import chunks
from db.sql import on_server
from db.text.tables import text_sources
from db.text.writing import index_texts
from db.vanished import LIVE_AND_VANISHED, of_videos, stored_columns
from files.durability import flush, flush_directory

_WHOLE = (
    schema.encoder_choices, schema.failures, schema.people, schema.events, schema.collections, schema.subclips,
    schema.saved_searches,
)  # fmt: skip
"""Tables that are copied at the end, each as a whole, referenced tables first."""

_COUNTED = ("segments", "generation")
"""Columns of encoders that the copy counts by itself."""

_OWN = ("id", "created_at")
"""Columns of `library` in which a copy differs."""

Key = tuple[bool, int]
"""Whether a video is a vanished one, and its id."""


@dataclass(frozen=True, slots=True)
class Difference:
    """How the videos of a copy differ from those of its source.

    Attributes:
        copied: Those to copy, by their ids; hidden ones, whose files have vanished, are among them.
        removed: Those that the source does not have, or has otherwise.
    """

    copied: list[Key]
    removed: list[Key]


class Copying:
    """The copying of one library into another."""

    def __init__(self, source: Library, target: Library) -> None:
        self._from, self._to = source._database, target._database
        self._media = source._media, target._media
        self._target = target

    def check_target(self) -> None:
        """Raise LibraryError if the target has anything that is not from the source: it would be lost."""
        with self._from.reading() as there, self._to.reading() as here:
            for table in (schema.videos, schema.vanished_videos, schema.collections, schema.saved_searches):
                named = table.c.fingerprint if "fingerprint" in table.c else table.c.created_at
                known = {tuple(row) for row in there.execute(select(table.c.id, named))}
                if not known.issuperset({tuple(row) for row in here.execute(select(table.c.id, named))}):
                    raise LibraryError(
                        f"The library {self._to.name} has contents of its own, which a copy would remove. Name a new "
                        "one, or one that an earlier copy of this library has made."
                    )

    def difference(self) -> Difference:
        """Return which videos are to be copied and removed."""
        with self._from.reading() as there, self._to.reading() as here:
            wanted, found = _digests(there), _digests(here)
        copied = [key for key in sorted(wanted) if found.get(key) != wanted[key]]
        return Difference(copied, [key for key in sorted(found) if wanted.get(key) != found[key]])

    def begin(self, difference: Difference) -> None:
        """Remove what differs from the target, and give it the encoders of the source."""
        removed = difference.removed
        with self._from.reading() as there, self._to.writing() as here:
            for vanished in (False, True):
                for some in chunks(number for hidden, number in removed if hidden == vanished):
                    for live, hidden in reversed(LIVE_AND_VANISHED):
                        table = hidden if vanished else live
                        if vanished or table is schema.videos:  # what belongs to live ones goes with them
                            here.execute(delete(table).where(of_videos(table, some)))
            known = set(here.scalars(select(schema.encoders.c.number)))
            for row in there.execute(select(schema.encoders)).mappings():
                values = {name: value for name, value in row.items() if name not in _COUNTED}
                if row["number"] in known:
                    here.execute(
                        update(schema.encoders).where(schema.encoders.c.number == row["number"]).values(values)
                    )
                else:
                    here.execute(insert(schema.encoders).values(values))

    def copy_video(self, key: Key) -> None:
        """Copy a video with all that belongs to it. One that was removed from the source meanwhile is left out."""
        vanished, number = key
        with self._from.reading() as there:
            tables = [hidden if vanished else live for live, hidden in LIVE_AND_VANISHED]
            rows = {table: _rows(there, table, of_videos(table, [number])) for table in tables}
        videos = rows[tables[0]]
        if not videos:
            return
        media = videos[0]["media"]
        if media is not None:
            _copy_media(*self._media, str(media))
        with self._to.writing() as here:
            for table in tables:
                if rows[table]:
                    here.execute(insert(table), rows[table])
            if not vanished:
                index_texts(here, number)

    def finish(self) -> None:
        """Copy what belongs to no video: settings, failures, people, collections and saved searches."""
        with self._from.reading() as there, self._to.writing() as here:
            settings = {
                name: value
                for name, value in there.execute(select(schema.library)).mappings().one().items()
                if name not in _OWN
            }
            here.execute(update(schema.library).values(settings))
            for table in reversed(_WHOLE):
                here.execute(delete(table))
            for table in _WHOLE:
                rows = _rows(there, table)
                for at in range(0, len(rows), 1000):
                    here.execute(insert(table), rows[at : at + 1000])
            # The insertion of their subclips has raised the revisions of collections.
            revised = ("revision", "updated_at")
            for row in _rows(there, schema.collections):
                here.execute(
                    update(schema.collections)
                    .where(schema.collections.c.id == row["id"])
                    .values({name: row[name] for name in revised})
                )
            if on_server(here):
                _advance_sequences(here)

    def verify(self) -> None:
        """Raise LibraryDamaged unless the copy has every row of the source, and is sound."""
        with self._from.reading() as there, self._to.reading() as here:
            wrong = [
                table.name
                for table in (*_WHOLE, *(each for pair in LIVE_AND_VANISHED for each in pair))
                if _count(there, table) != _count(here, table)
            ]
        if wrong or self.difference() != Difference([], []):
            raise LibraryDamaged(
                f"The copy {self._to.name} is not complete ({', '.join(wrong) or 'rows differ'}). If something was "
                "indexed meanwhile, copy again: only what is missing is copied."
            )
        problems = self._target.check()
        if problems:
            raise LibraryDamaged(f"The copy {self._to.name} is not sound: {problems[0]}")


def _digests(connection: Connection) -> dict[Key, int]:
    """Return a digest of each video with the rows that say what belongs to it, vanished ones included."""
    found: dict[Key, int] = {}
    tables = {live: hidden for live, hidden in LIVE_AND_VANISHED}
    for vanished in (False, True):
        videos, segments, encodings, embeddings, sources = (
            tables[table] if vanished else table
            for table in (schema.videos, schema.segments, schema.encodings, schema.embeddings, text_sources)
        )
        for row in connection.execute(select(*stored_columns(videos)).order_by(videos.c.id)).mappings():
            found[vanished, row["id"]] = zlib.crc32(_written(row))
        for table in (encodings, sources):
            ordered = select(*stored_columns(table)).order_by(table.c.video_id, *table.primary_key.columns)
            for row in connection.execute(ordered).mappings():
                _add(found, (vanished, row["video_id"]), _written(row))
        counted = select(segments.c.video_id, func.count(), func.count(embeddings.c.segment_id)).select_from(
            segments.outerjoin(embeddings, embeddings.c.segment_id == segments.c.id)
        )
        for number, *counts in connection.execute(counted.group_by(segments.c.video_id)):
            _add(found, (vanished, number), repr(counts).encode())
    return found


def _add(digests: dict[Key, int], key: Key, content: bytes) -> None:
    if key in digests:
        digests[key] = zlib.crc32(content, digests[key])


def _written(row: RowMapping) -> bytes:
    return repr(sorted(row.items())).encode("utf-8", "surrogatepass")


def _rows(connection: Connection, table: Table, *conditions: Any) -> list[dict[str, Any]]:
    found = connection.execute(select(*stored_columns(table)).where(*conditions))
    return [dict(row) for row in found.mappings()]


def _count(connection: Connection, table: Table) -> int:
    return connection.scalar(select(func.count()).select_from(table)) or 0


def _copy_media(source: MediaStore, target: MediaStore, name: str) -> None:
    """Copy a folder of posters and previews, whole or not at all, before the row that names it."""
    there, here = source.folder(name), target.folder(name)
    if here.is_dir() or not there.is_dir():
        return
    draft = target.directory / f"{PARTIAL}copy-{secrets.token_hex(4)}"
    try:
        draft.mkdir(parents=True)
        for path in _files(there):
            shutil.copyfile(path, draft / os.path.basename(path), follow_symlinks=False)
            flush(draft / os.path.basename(path))
        here.parent.mkdir(parents=True, exist_ok=True)
        draft.rename(here)
        flush_directory(here.parent)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _files(folder: Any) -> Iterator[str]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_file(follow_symlinks=False):
                yield entry.path


def _advance_sequences(connection: Connection) -> None:
    """Let a server give ids above those that were copied. SQLite does so by itself."""
    for table in schema.metadata.sorted_tables:
        column = table.autoincrement_column
        if column is not None and not table.name.startswith("vanished_"):
            named = {"table": table.name, "column": column.name}
            highest = func.coalesce(func.max(column), 0) + 1
            hidden = schema.metadata.tables.get(f"vanished_{table.name}")
            if hidden is not None:
                highest = func.greatest(
                    highest, select(func.coalesce(func.max(hidden.c[column.name]), 0) + 1).scalar_subquery()
                )
            sequence = connection.scalar(text("SELECT pg_get_serial_sequence(:table, :column)"), named)
            if sequence is not None:
                value = connection.scalar(select(highest).select_from(table))
                connection.execute(text("SELECT setval(:sequence, :value, false)"), {"sequence": sequence, "value": value})
