"""Checksums of rows, which show damage that SQLite cannot see: a bit flipped on the disk, a page of another file.

`videos.checksum` is the CRC-32 of a video's facts, shots and segments as stored: of all that stays the same while the
file is moved, renamed or touched. `encodings.checksum` is that of the video's embeddings by an encoder, in the order of
their segments. NULL: not known.

Migration 6 fills both by these statements, so they name tables as text. Every function runs in the caller's
transaction.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import Connection

from db.sql import raw

_FACTS = (
    "fingerprint, time_base_num, time_base_den, start_pts, end_pts, frame_rate_num, frame_rate_den, frames, width,"
    " height, codec, rotation, has_audio, damaged, timecode, facts, kinds"
)
_STATEMENTS = (
    f"SELECT {_FACTS} FROM videos WHERE id = ?",
    "SELECT number, start_pts, end_pts FROM shots WHERE video_id = ? ORDER BY number",
    "SELECT number, shot_number, start_pts, end_pts FROM segments WHERE video_id = ? ORDER BY number",
)
_EMBEDDINGS = (
    "SELECT e.encoder, e.row FROM segments AS s JOIN embeddings AS e ON e.segment_id = s.id"
    " WHERE s.video_id = ? ORDER BY e.encoder, s.number"
)


def video_checksum(connection: Connection, video_id: int) -> int:
    """Return the checksum of a video's facts, shots and segments as they are now."""
    value = 0
    for statement in _STATEMENTS:
        for row in raw(connection, statement, (video_id,)):
            plain = tuple(int(each) if each is True or each is False else each for each in row)  # as SQLite has it
            value = zlib.crc32(repr(plain).encode("utf-8", "surrogateescape"), value)
    return value


def embeddings_checksum(stored: Iterable[bytes]) -> int:
    """Return the checksum of embeddings in their stored form, in the order of their segments."""
    value = 0
    for row in stored:
        value = zlib.crc32(row, value)
    return value


def embeddings_of(connection: Connection, video_id: int) -> dict[int, list[Any]]:
    """Return a video's stored embeddings by encoder, in the order of its segments. Damaged ones may be no bytes."""
    found: dict[int, list[Any]] = {}
    for encoder, row in raw(connection, _EMBEDDINGS, (video_id,)):
        found.setdefault(encoder, []).append(row)
    return found


def is_current(connection: Connection, video_id: int) -> bool:
    """Return whether a video's facts, shots and segments are what was written, as far as that is known."""
    stored = raw(connection, "SELECT checksum FROM videos WHERE id = ?", (video_id,)).scalar()
    return stored is None or stored == video_checksum(connection, video_id)


def renew(connection: Connection, video_id: int) -> None:
    """Store the checksum of a video whose facts, shots or segments were just written."""
    value = video_checksum(connection, video_id)
    raw(connection, "UPDATE videos SET checksum = ? WHERE id = ?", (value, video_id))


def fill(connection: Connection) -> None:
    """Store all checksums that are not known, one video at a time."""
    for video_id in _ids(connection, "SELECT id FROM videos WHERE checksum IS NULL AND id > ? ORDER BY id LIMIT 1000"):
        renew(connection, video_id)
        for encoder, stored in embeddings_of(connection, video_id).items():
            if all(isinstance(row, bytes) for row in stored):
                connection.exec_driver_sql(
                    "UPDATE encodings SET checksum = ? WHERE video_id = ? AND encoder = ?",
                    (embeddings_checksum(stored), video_id, encoder),
                )


def _ids(connection: Connection, statement: str) -> Iterator[int]:
    after = -(1 << 63)
    while found := connection.exec_driver_sql(statement, (after,)).scalars().all():
        yield from found
        after = found[-1]
