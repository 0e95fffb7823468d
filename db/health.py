"""Statistics and consistency checks. All but `check` run inside the caller's read transaction."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, Float, cast, func, select

from db import vectors
from db.damage import damaged_rows
from db.database import Database
from db.errors import LibraryDamaged
from db.media import MediaStore
from db.quick_rows import quick_only
from db.records import Stats
from db.schema import embeddings, encoders, encodings, failures, segments, shots, videos
from db.writing import referenced_media

_HOUR_SECONDS = 3600.0  # younger files may be those of a run
_MAX_LINES = 5  # problems listed per kind; the others are counted


def stats(connection: Connection, database: Database) -> Stats:
    """Return the statistics of the library. Media files are not read."""

    def count(table: object) -> int:
        return connection.scalar(select(func.count()).select_from(table)) or 0  # type: ignore[arg-type]

    # Copies of a video share a media folder.
    each = select(func.max(videos.c.media_bytes).label("media_bytes")).group_by(videos.c.media).subquery("each")
    length = cast(videos.c.end_pts - videos.c.start_pts, Float) * videos.c.time_base_num / videos.c.time_base_den
    return Stats(
        videos=count(videos),
        shots=count(shots),
        segments=count(segments),
        seconds=connection.scalar(select(func.sum(length))) or 0.0,
        database_bytes=database.stored_bytes(connection),
        media_bytes=int(connection.scalar(select(func.sum(cast(each.c.media_bytes, Float)))) or 0),
        failures=count(failures),
        encoders=tuple(vectors.encoder_rows(connection)),
        quick_videos=connection.scalar(select(func.count()).select_from(videos).where(quick_only(videos, encodings)))
        or 0,
    )


def check(database: Database, media: MediaStore) -> list[str]:
    """Return the result of `problems`. If there are none, remove leftovers and mend the full-text indexes.

    A database that cannot be read is one problem.
    """
    try:
        return _checked(database, media)
    except LibraryDamaged as error:
        return [str(error)]


def _checked(database: Database, media: MediaStore) -> list[str]:
    with database.reading() as connection:
        found = problems(connection, database, media)
        referenced = referenced_media(connection)
    if not found and not database.read_only:  # a damaged database might name too few
        media.sweep_partial(_HOUR_SECONDS)
        media.sweep_orphans(referenced, _HOUR_SECONDS)
        found += database.mend()
    return found


def problems(connection: Connection, database: Database, media: MediaStore) -> list[str]:
    """Return one sentence for each problem; empty if the library is sound. Reads the whole database."""
    found = database.unreadable(connection)
    if found:
        return found
    found = database.dangling(connection)
    found += _short(damaged_rows(connection))
    found += _short(_without_embeddings(connection))
    found += _short(_miscounted(connection))
    found += _short(_without_posters(connection, media))
    return found


def _without_embeddings(connection: Connection) -> list[str]:
    bare = connection.execute(
        select(videos.c.path, func.count())
        .join(segments, segments.c.video_id == videos.c.id)
        .where(~select(embeddings.c.encoder).where(embeddings.c.segment_id == segments.c.id).exists())
        .group_by(videos.c.id)
    )
    found = [f"{count} segments of {path!r} have no embedding by any encoder: index it again." for path, count in bare]
    partly = connection.execute(
        select(videos.c.path, encoders.c.id, func.count())
        .select_from(encodings)
        .join(videos, videos.c.id == encodings.c.video_id)
        .join(encoders, encoders.c.number == encodings.c.encoder)
        .join(segments, segments.c.video_id == videos.c.id)
        .outerjoin(
            embeddings, (embeddings.c.segment_id == segments.c.id) & (embeddings.c.encoder == encodings.c.encoder)
        )
        .where(embeddings.c.segment_id.is_(None))
        .group_by(videos.c.id, encoders.c.number)
    )
    return found + [
        f"{count} segments of {path!r} lack their embedding by {encoder}: index it again."
        for path, encoder, count in partly
    ]


def _miscounted(connection: Connection) -> list[str]:
    counted = (
        select(func.count()).where(embeddings.c.encoder == encoders.c.number).correlate(encoders).scalar_subquery()
    )
    wrong = connection.execute(
        select(encoders.c.id, encoders.c.segments, counted).where(encoders.c.segments != counted)
    )
    return [f"{encoder} should have {kept} embeddings and has {real}." for encoder, kept, real in wrong]


def _without_posters(connection: Connection, media: MediaStore) -> list[str]:
    numbered = connection.execute(
        select(videos.c.path, videos.c.media, videos.c.media_bytes, segments.c.number)
        .join(segments, segments.c.video_id == videos.c.id)
        .where(videos.c.media.is_not(None))
    )
    lacking: dict[str, int] = {}
    sizes: dict[str, int] = {}  # of posters and previews; checked against `media_bytes`, 0 in libraries before format 3
    stated: dict[str, int] = {}
    for path, name, media_bytes, number in numbered:
        if type(number) is not int:  # damage that has a line of its own
            continue
        size = _size(media.poster(name, number))
        if size == 0:  # a power cut may leave empty files
            lacking[path] = lacking.get(path, 0) + 1
        sizes[path] = sizes.get(path, 0) + size + _size(media.preview(name, number))
        stated[path] = media_bytes
    found = [f"{count} posters of {path!r} are missing: index it again." for path, count in lacking.items()]
    for path in sizes:
        if path not in lacking and stated[path] not in (0, sizes[path]):
            found.append(f"Posters or previews of {path!r} are damaged: their size has changed. Index it again.")
    return found


def _short(lines: list[str]) -> list[str]:
    more = len(lines) - _MAX_LINES
    return lines if more <= 0 else [*lines[:_MAX_LINES], f"... and {more} more of this kind."]


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0
