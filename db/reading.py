"""Queries for videos, shots, segments and failures. Every function runs inside the caller's read transaction."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Connection, Float, Integer, Select, and_, cast, column, func, or_, select

from db import rows
from db.names import comparison_key
from db.records import Failure, Filters, KnownFile, Segment, Shot, Video
from db.rows import chunks
from db.schema import embeddings, encoders, encodings, failures, segments, shots, videos

SECONDS_SLACK = 1e-6  # so that rounding in a time base cannot make a segment of exactly 2 s fail "at least 2 s"


def below(folder: str) -> ColumnElement[bool]:
    """Return the condition that a video is below a folder, or has exactly that path.

    It is a range, so that it can use the index on paths: '/a/b' matches '/a/b' and '/a/b/c', but not '/a/bc'.

    Raises:
        ValueError: The path is not absolute.
    """
    if not os.path.isabs(folder):
        raise ValueError(f"a folder to look in must be an absolute path, got {folder!r}")
    bare = folder.rstrip(os.sep)
    path = videos.c.path
    return or_(path == bare, and_(path >= bare + os.sep, path < bare + chr(ord(os.sep) + 1)))


def known_files(connection: Connection, encoder_id: str) -> dict[str, KnownFile]:
    """Return, by path, the state of each file when it was indexed by an encoder."""
    number = select(encoders.c.number).where(encoders.c.id == encoder_id).scalar_subquery()
    found = connection.execute(
        select(
            videos.c.path,
            videos.c.id,
            videos.c.size_bytes,
            videos.c.modified_ns,
            videos.c.fingerprint,
            encodings.c.recipe,
        )
        .select_from(videos)
        .outerjoin(encodings, and_(encodings.c.video_id == videos.c.id, encodings.c.encoder == number))
    )
    return {
        path: KnownFile(
            video_id=video_id,
            size_bytes=size_bytes,
            modified_ns=modified_ns,
            fingerprint=fingerprint,
            recipe=recipe or "",
            embedded=recipe is not None,
        )
        for path, video_id, size_bytes, modified_ns, fingerprint, recipe in found
    }


def videos_where(connection: Connection, condition: ColumnElement[bool] | None) -> list[Video]:
    """Return the videos that meet a condition (None: all), by the bytes of their paths."""
    statement = select(videos).order_by(videos.c.path)
    if condition is not None:
        statement = statement.where(condition)
    return [rows.VIDEO.load(row) for row in connection.execute(statement).mappings()]


def video(connection: Connection, video_id: int) -> Video:
    """Return a video. Raise KeyError for an unknown id."""
    row = connection.execute(select(videos).where(videos.c.id == int(video_id))).mappings().first()
    if row is None:
        raise KeyError(f"no video has the id {video_id}")
    return rows.VIDEO.load(row)


def folders(connection: Connection) -> list[str]:
    """Return the folders that contain videos, sorted."""
    return sorted({os.path.dirname(path) for path in connection.scalars(select(videos.c.path))})


def shots_of(connection: Connection, video_id: int) -> list[Shot]:
    """Return the shots of a video, by number."""
    found = connection.execute(select(shots).where(shots.c.video_id == video_id).order_by(shots.c.number))
    return [rows.SHOT.load(row) for row in found.mappings()]


def segments_of(connection: Connection, video_id: int) -> list[Segment]:
    """Return the segments of a video, by number."""
    found = connection.execute(select(segments).where(segments.c.video_id == video_id).order_by(segments.c.number))
    return [rows.SEGMENT.load(row) for row in found.mappings()]


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
    return [(rows.SEGMENT.load(row), owner) for row in near.mappings()]


def segments_by_id(connection: Connection, ids: Iterable[int]) -> dict[int, tuple[Segment, Video]]:
    """Return segments with their videos, by id; unknown ids are left out. Each video is built once."""
    by_id: dict[int, tuple[Segment, int]] = {}
    for chunk in chunks(int(segment_id) for segment_id in ids):  # int(): the driver would bind numpy integers as bytes
        for row in connection.execute(select(segments).where(segments.c.id.in_(chunk))).mappings():
            by_id[row["id"]] = (rows.SEGMENT.load(row), row["video_id"])
    owners: dict[int, Video] = {}
    for chunk in chunks({video_id for _, video_id in by_id.values()}):
        for row in connection.execute(select(videos).where(videos.c.id.in_(chunk))).mappings():
            owners[row["id"]] = rows.VIDEO.load(row)
    return {segment_id: (segment, owners[video_id]) for segment_id, (segment, video_id) in by_id.items()}


def video_ids(connection: Connection, segment_ids: Iterable[int]) -> dict[int, int]:
    """Return the video id of each segment; unknown segments are left out."""
    wanted = _json_rows(int(segment_id) for segment_id in segment_ids)
    cursor = connection.execute(select(segments.c.id, segments.c.video_id).where(segments.c.id.in_(wanted))).cursor
    assert cursor is not None
    return dict(cursor.fetchall())


def allowed_ids(connection: Connection, filters: Filters, encoder_id: str) -> NDArray[np.int64]:
    """Return int64 (N,), ascending: the segments that pass the filters and have an embedding by the encoder."""
    number = select(encoders.c.number).where(encoders.c.id == encoder_id).scalar_subquery()
    statement: Select[tuple[int]] = (
        select(embeddings.c.segment_id).where(embeddings.c.encoder == number).order_by(embeddings.c.segment_id)
    )
    if filters:
        statement = (
            statement.join(segments, segments.c.id == embeddings.c.segment_id)
            .join(videos, videos.c.id == segments.c.video_id)
            .where(*_conditions(connection, filters))
        )
    cursor = connection.execute(statement).cursor
    assert cursor is not None
    # Straight from the driver, without SQLAlchemy's rows: half the time, and this runs with every filtered search.
    return np.fromiter((row[0] for row in cursor.fetchall()), dtype=np.int64)


def _conditions(connection: Connection, filters: Filters) -> list[ColumnElement[bool]]:
    length = cast(segments.c.end_pts - segments.c.start_pts, Float) * videos.c.time_base_num / videos.c.time_base_den
    conditions: list[ColumnElement[bool]] = []
    if filters.folder is not None:
        conditions.append(below(filters.folder))
    if filters.min_seconds is not None:
        conditions.append(length >= filters.min_seconds - SECONDS_SLACK)
    if filters.max_seconds is not None:
        conditions.append(length <= filters.max_seconds + SECONDS_SLACK)
    if filters.since_ns is not None:
        conditions.append(videos.c.modified_ns >= clamp_to_int64(filters.since_ns))
    if filters.until_ns is not None:
        conditions.append(videos.c.modified_ns <= clamp_to_int64(filters.until_ns))
    short_side = func.min(videos.c.width, videos.c.height)  # with two arguments, SQLite's min is not an aggregate
    if filters.min_short_side is not None:
        conditions.append(short_side >= clamp_to_int64(filters.min_short_side))
    if filters.max_short_side is not None:
        conditions.append(short_side <= clamp_to_int64(filters.max_short_side))
    if filters.orientation == "landscape":
        conditions.append(videos.c.width > videos.c.height)
    elif filters.orientation == "portrait":
        conditions.append(videos.c.width < videos.c.height)
    elif filters.orientation == "square":
        conditions.append(videos.c.width == videos.c.height)
    if filters.name is not None:
        conditions.append(_named(connection, filters.name, filters.folder))
    return conditions


def clamp_to_int64(number: int) -> int:
    """Return the nearest 64-bit number, because SQLite compares only with those."""
    return max(-(2**63), min(int(number), 2**63 - 1))


def _named(connection: Connection, part: str, folder: str | None) -> ColumnElement[bool]:
    """Return the condition that a file name contains `part`, compared here because SQLite folds only ASCII case."""
    wanted = comparison_key(part)
    statement = select(videos.c.id, videos.c.path)
    if folder is not None:
        statement = statement.where(below(folder))
    ids = [
        video_id for video_id, path in connection.execute(statement) if wanted in comparison_key(os.path.basename(path))
    ]
    return videos.c.id.in_(_json_rows(ids))


def _json_rows(ids: Iterable[int]) -> Select[tuple[int]]:
    """Return a query that yields the ids: one bound value, however many ids."""
    return select(func.json_each(json.dumps(list(ids))).table_valued(column("value", Integer)).c.value)


def all_failures(connection: Connection) -> list[Failure]:
    """Return all failures, by path."""
    found = connection.execute(select(failures).order_by(failures.c.path)).mappings()
    return [Failure(**row) for row in found]
