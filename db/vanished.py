"""Rows of videos whose files have vanished: kept whole for a while, and brought back when the content is found again.

They are moved into tables of their own, ids included, so that no query of the library, no filter and no vector index
can find them. Every function runs in the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Table, and_, delete, insert, literal, select, update

from db import schema
from db.quick_rows import quick_only
from db.reading import facts_read, known_file
from db.records import FileState, KnownFile
from db.rows import chunks
from db.text import tables as text_tables
from db.text.writing import index_texts

_TABLES: tuple[tuple[Table, Table], ...] = (
    (schema.videos, schema.vanished_videos),
    (schema.shots, schema.vanished_shots),
    (schema.segments, schema.vanished_segments),
    (schema.encodings, schema.vanished_encodings),
    (schema.embeddings, schema.vanished_embeddings),
    (text_tables.text_sources, text_tables.vanished_text_sources),
    (text_tables.text_lines, text_tables.vanished_text_lines),
)
"""The tables of live and vanished rows, referenced tables first."""

_OWNERS = (("segment_id", "segments"), ("source_id", "text_sources"))
"""Columns by which rows belong to rows of another table, which belong to videos."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VanishedVideo:
    """A video whose file has vanished."""

    video_id: int
    path: str  # the last one
    fingerprint: str
    volume: str  # as in Video
    vanished_at: int  # Unix seconds


def vanish(connection: Connection, ids: Collection[int], now: int) -> None:
    """Move the rows of videos to the tables of vanished ones."""
    for chunk in chunks(ids):
        for live, vanished in _TABLES:
            columns = stored_columns(live)
            names = [column.name for column in columns]
            source = select(*columns).where(_of_videos(live, chunk))
            if live is schema.videos:
                names, source = [*names, "vanished_at"], source.add_columns(literal(now))
            connection.execute(insert(vanished).from_select(names, source))
        connection.execute(delete(schema.videos).where(schema.videos.c.id.in_(chunk)))  # the others follow


def bring_back(connection: Connection, video_id: int, file: FileState) -> bool:
    """Move the rows of a vanished video back, with the same ids, as those of a file with its content.

    The caller has removed any other video at that path. Returns whether there is such a vanished video.
    """
    known = schema.vanished_videos.c.id == video_id
    changed = connection.execute(update(schema.vanished_videos).where(known).values(asdict(file)))
    if changed.rowcount == 0:
        return False
    for live, vanished in _TABLES:
        names = [column.name for column in stored_columns(live)]
        source = select(*(vanished.c[name] for name in names)).where(_of_videos(vanished, [video_id]))
        connection.execute(insert(live).from_select(names, source))
    index_texts(connection, video_id)
    delete_vanished(connection, [video_id])
    return True


def delete_vanished(connection: Connection, ids: Collection[int], released: set[str] | None = None) -> int:
    """Delete vanished videos whole, and add their media to `released`. Return how many were deleted."""
    deleted, media = 0, schema.vanished_videos.c.media
    for chunk in chunks(ids):
        if released is not None:
            named = connection.scalars(select(media).where(schema.vanished_videos.c.id.in_(chunk)))
            released.update(name for name in named if name is not None)
        for _, vanished in reversed(_TABLES):
            done = connection.execute(delete(vanished).where(_of_videos(vanished, chunk)))
            deleted += done.rowcount if vanished is schema.vanished_videos else 0
    return deleted


def vanished_videos(connection: Connection, condition: ColumnElement[bool] | None = None) -> list[VanishedVideo]:
    """Return the vanished videos that meet a condition (None: all), by path."""
    table = schema.vanished_videos
    columns = (table.c.id.label("video_id"), table.c.path, table.c.fingerprint, table.c.volume, table.c.vanished_at)
    statement = select(*columns).order_by(table.c.path, table.c.id)
    if condition is not None:
        statement = statement.where(condition)
    return [VanishedVideo(**row) for row in connection.execute(statement).mappings()]


def vanished_files(connection: Connection, encoder_id: str) -> list[tuple[str, KnownFile]]:
    """Return path and state of each vanished file, as to an encoder. Several may have had one path."""
    videos, encodings = schema.vanished_videos, schema.vanished_encodings
    number = select(schema.encoders.c.number).where(schema.encoders.c.id == encoder_id).scalar_subquery()
    found = connection.execute(
        select(
            videos,
            encodings.c.recipe,
            encodings.c.revision,
            facts_read(videos).label("facts_read"),
            quick_only(videos, encodings).label("quick"),
        )
        .select_from(videos)
        .outerjoin(encodings, and_(encodings.c.video_id == videos.c.id, encodings.c.encoder == number))
        .order_by(videos.c.id)
    )
    return [(row.path, known_file(row)) for row in found]


def media_of_vanished(connection: Connection) -> set[str]:
    """Return the names of the media folders of vanished videos."""
    named = connection.scalars(select(schema.vanished_videos.c.media).distinct())
    return {name for name in named if name is not None}


def stored_columns(table: Table) -> list[Column[Any]]:
    """Return the columns of a table that rows have, without computed ones."""
    return [column for column in table.columns if column.computed is None]


def _of_videos(table: Table, ids: Iterable[int]) -> ColumnElement[bool]:
    """Return the SQL condition that a row, live or vanished, belongs to one of these videos."""
    for name, owner in _OWNERS:
        if name in table.c:
            parent = schema.metadata.tables[f"vanished_{owner}" if table.name.startswith("vanished_") else owner]
            return table.c[name].in_(select(parent.c.id).where(parent.c.video_id.in_(ids)))
    return (table.c.id if "path" in table.c else table.c.video_id).in_(ids)
