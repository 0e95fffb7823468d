"""Queries for videos, shots, segments and failures. Every function runs inside the caller's read transaction."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Table,
    and_,
    bindparam,
    func,
    select,
    true,
)  # fmt: skip

from db import rows
from db.errors import LibraryDamaged, reindex_advice
from db.media_facts import NEWEST_FACT, kinds_from_text
from db.path_types import in_ranges, roots_of
from db.quick_rows import quick_only
from db.records import Failure, KnownFile, Segment, Shot, Video
from db.rows import chunks
from db.schema import encoders, encodings, failures, segments, shots, videos
from db.sql import Position, among


def below(connection: Connection, folder: str, path: ColumnElement[str] = videos.c.path) -> ColumnElement[bool]:
    """Return the condition that a video (or another row with a path) is below a folder, or has exactly that path.

    It is made of ranges, so that it can use the index on paths: '/a/b' matches '/a/b' and '/a/b/c', but not '/a/bc'.

    Raises:
        ValueError: The path is not absolute.
    """
    require_absolute(folder)
    return in_ranges(path, roots_of(connection.dialect).ranges(folder))


def require_absolute(folder: str) -> None:
    """Raise ValueError if a folder to look in is no absolute path."""
    if not os.path.isabs(folder):
        raise ValueError(f"a folder to look in must be an absolute path, got {folder!r}")


def known_files(connection: Connection, encoder_id: str, path: str | None = None) -> dict[str, KnownFile]:
    """Return, by path, the state of each file (or of one) when it was indexed by an encoder."""
    number = select(encoders.c.number).where(encoders.c.id == encoder_id).scalar_subquery()
    chosen = true() if path is None else videos.c.path == path
    found = connection.execute(
        select(
            videos.c.path,
            videos.c.id,
            videos.c.size_bytes,
            videos.c.modified_ns,
            videos.c.fingerprint,
            encodings.c.recipe,
            encodings.c.revision,
            videos.c.kinds,
            facts_read(videos).label("facts_read"),
            videos.c.content_hash,
            videos.c.file_id,
            videos.c.volume,
            quick_only(videos, encodings).label("quick"),
        )
        .select_from(videos)
        .outerjoin(encodings, and_(encodings.c.video_id == videos.c.id, encodings.c.encoder == number))
        .where(chosen)
    )
    return {row.path: known_file(row) for row in found}


def facts_read(table: Table) -> ColumnElement[int]:
    """Return whether this version has read the facts of a video, as an expression. table: `videos` or its like."""
    return func.coalesce(Position(table.c.facts, NEWEST_FACT), 0)


def known_file(row: Row[Any]) -> KnownFile:
    """Return a file as it was indexed by an encoder, from the columns of its video and the recipe of its encoding."""
    return KnownFile(
        video_id=row.id,
        size_bytes=row.size_bytes,
        modified_ns=row.modified_ns,
        fingerprint=row.fingerprint,
        recipe=row.recipe or "",
        embedded=row.recipe is not None,
        kinds=kinds_from_text(row.kinds),
        facts_read=bool(row.facts_read),
        content_hash=row.content_hash,
        file_id=row.file_id,
        volume=row.volume,
        quick=bool(row.quick),
        revision=row.revision if type(row.revision) is int else 0,
    )


def videos_where(connection: Connection, condition: ColumnElement[bool] | None) -> list[Video]:
    """Return the videos that meet a condition (None: all), by the bytes of their paths."""
    statement = select(videos).order_by(videos.c.path)
    if condition is not None:
        statement = statement.where(condition)
    return rows.VIDEO.load_sound(connection.execute(statement).mappings(), "path")


def video(connection: Connection, video_id: int) -> Video:
    """Return a video. Raise KeyError for an unknown id, LibraryDamaged for a damaged row."""
    row = connection.execute(select(videos).where(videos.c.id == int(video_id))).mappings().first()
    if row is None:
        raise KeyError(f"no video has the id {video_id}")
    try:
        return rows.VIDEO.load(row)
    except rows.DamagedRow as error:
        raise LibraryDamaged(
            f"The record of {row['path']!r} is damaged ({error}). {reindex_advice(row['path'])}"
        ) from error


def folders(connection: Connection) -> list[str]:
    """Return the folders that contain videos, sorted."""
    return sorted({os.path.dirname(path) for path in connection.scalars(select(videos.c.path))})


def shots_of(connection: Connection, video_id: int) -> list[Shot]:
    """Return the shots of a video, by number."""
    found = connection.execute(select(shots).where(shots.c.video_id == video_id).order_by(shots.c.number))
    return rows.SHOT.load_sound(found.mappings(), "video_id")


def segment_count(connection: Connection) -> int:
    """Return the number of all segments."""
    return connection.scalar(select(func.count()).select_from(segments)) or 0


def segments_of(connection: Connection, video_id: int) -> list[Segment]:
    """Return the segments of a video, by number."""
    found = connection.execute(select(segments).where(segments.c.video_id == video_id).order_by(segments.c.number))
    return rows.SEGMENT.load_sound(found.mappings(), "video_id")


def newest_shots(
    connection: Connection, count: int, video_ids: Iterable[int] | None = None
) -> list[tuple[Segment, Video]]:
    """Return the first segment of each of the newest videos (among some, or all), with the video, the newest first."""
    newest = select(videos).order_by(videos.c.modified_ns.desc(), videos.c.path).limit(count)
    if video_ids is not None:
        newest = newest.where(among(videos.c.id, video_ids))
    found = rows.VIDEO.load_sound(connection.execute(newest).mappings(), "path")
    chosen = segments.c.video_id.in_([video.id for video in found]), segments.c.number == 0
    firsts = connection.execute(select(segments).where(*chosen)).mappings().all()
    first_of = {row["video_id"]: rows.SEGMENT.load_sound([row], "video_id") for row in firsts}
    return [(segment, video) for video in found for segment in first_of.get(video.id, [])]


def segments_around(connection: Connection, segment_id: int, before: int, after: int) -> list[tuple[Segment, Video]]:
    """Return a segment between its neighbours, in order. Raise KeyError for an unknown id."""
    found = connection.execute(
        select(segments.c.video_id, segments.c.number).where(segments.c.id == int(segment_id))
    ).first()
    if found is None:
        raise KeyError(f"no segment has the id {segment_id}")
    owner = video(connection, found.video_id)
    near = connection.execute(
        select(segments)
        .where(
            segments.c.video_id == found.video_id,
            segments.c.number.between(found.number - max(0, before), found.number + max(0, after)),
        )
        .order_by(segments.c.number)
    )
    return [(segment, owner) for segment in rows.SEGMENT.load_sound(near.mappings(), "video_id")]


_SEGMENTS_OF_IDS = select(segments).where(segments.c.id.in_(bindparam("ids", expanding=True)))
_VIDEOS_OF_IDS = select(videos).where(videos.c.id.in_(bindparam("ids", expanding=True)))
"""Made once: making them takes longer than SQLite takes to answer."""


def segments_by_id(connection: Connection, ids: Iterable[int]) -> dict[int, tuple[Segment, Video]]:
    """Return segments with their videos, by id; unknown ids are left out. Each video is built once."""
    by_id: dict[int, Segment] = {}
    owner_of: dict[int, int] = {}
    for chunk in chunks(int(segment_id) for segment_id in ids):  # int(): the driver would bind numpy integers as bytes
        found = connection.execute(_SEGMENTS_OF_IDS, {"ids": chunk}).mappings().all()
        owner_of.update((row["id"], row["video_id"]) for row in found)
        for segment in rows.SEGMENT.load_sound(found, "video_id"):
            assert segment.id is not None, "what comes from the library has an id"
            by_id[segment.id] = segment
    owners = {
        video.id: video
        for chunk in chunks({owner_of[segment_id] for segment_id in by_id})
        for video in rows.VIDEO.load_sound(connection.execute(_VIDEOS_OF_IDS, {"ids": chunk}).mappings(), "path")
    }
    return {
        segment_id: (segment, owners[owner_of[segment_id]])
        for segment_id, segment in by_id.items()
        if owner_of[segment_id] in owners
    }


def media_of(connection: Connection, ids: Iterable[int]) -> list[tuple[int, str, int, int]]:
    """Return (id, media, segments, media_bytes) of the videos with these ids that have media."""
    count = select(func.count()).where(segments.c.video_id == videos.c.id).correlate(videos).scalar_subquery()
    statement = select(videos.c.id, videos.c.media, count.label("segments"), videos.c.media_bytes)
    statement = statement.where(videos.c.media.is_not(None))
    found = [row for chunk in chunks(ids) for row in connection.execute(statement.where(videos.c.id.in_(chunk)))]
    return [(row.id, row.media, row.segments, row.media_bytes) for row in found]


def video_ids(connection: Connection, segment_ids: Iterable[int]) -> dict[int, int]:
    """Return the video id of each segment; unknown segments are left out."""
    wanted = among(segments.c.id, segment_ids)
    cursor = connection.execute(select(segments.c.id, segments.c.video_id).where(wanted)).cursor
    assert cursor is not None
    return dict(cursor.fetchall())


def all_failures(connection: Connection, path: str | None = None) -> list[Failure]:
    """Return all failures (or that of one file), by path."""
    chosen = true() if path is None else failures.c.path == path
    found = connection.execute(select(failures).where(chosen).order_by(failures.c.path)).mappings()
    return [Failure(**row) for row in found]
