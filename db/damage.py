"""Search for damaged rows: those that differ from their checksums, and those that are not possible.

Reads the whole library, one video at a time. Every function runs inside the caller's read transaction.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import numpy as np
from sqlalchemy import Connection, select

from db import checksums, rows, vectors
from db.errors import reindex_advice
from db.path_types import roots_of
from db.schema import segments, shots, videos
from db.sql import raw
from db.text import reading as text_reading
from db.text import writing as text_writing


def damaged_rows(connection: Connection) -> list[str]:
    """Return a sentence for each video with damaged rows, which names it and says what to do."""
    found: list[str] = []
    encoders = _encoders(connection)
    for video_id, path, checksum in raw(connection, "SELECT id, path, checksum FROM videos ORDER BY path"):
        name = roots_of(connection.dialect).shown(path) if isinstance(path, bytes) else str(path)
        wrong = [
            *_wrong_facts(connection, video_id, checksum),
            *_wrong_embeddings(connection, video_id, encoders),
            *_wrong_texts(connection, video_id),
        ]
        if wrong:
            found.append(f"Rows of {name!r} are damaged: {'; '.join(wrong)}. {reindex_advice(name)}")
    return found


def _wrong_facts(connection: Connection, video_id: int, checksum: Any) -> Iterator[str]:
    if checksum is not None and checksum != checksums.video_checksum(connection, video_id):
        yield "its facts, shots or segments are not what was written"
        return
    try:
        rows.VIDEO.load(connection.execute(select(videos).where(videos.c.id == video_id)).mappings().one())
        for record, table in ((rows.SHOT, shots), (rows.SEGMENT, segments)):
            for row in connection.execute(select(table).where(table.c.video_id == video_id)).mappings():
                record.load(row)
    except rows.DamagedRow as error:
        yield str(error)


def _wrong_embeddings(connection: Connection, video_id: int, encoders: dict[Any, tuple[str, Any]]) -> Iterator[str]:
    known: dict[Any, Any] = {
        row[0]: row[1]
        for row in raw(connection, "SELECT encoder, checksum FROM encodings WHERE video_id = ?", (video_id,))
    }
    for number, stored in checksums.embeddings_of(connection, video_id).items():
        name, dim = encoders.get(number, (f"encoder {number}", 0))
        whole = all(type(row) is bytes for row in stored)
        changed = known.get(number) is not None and (
            not whole or checksums.embeddings_checksum(stored) != known[number]
        )
        impossible = len(stored)
        if type(dim) is int and 0 < dim <= vectors.MAX_DIM:
            impossible = int(np.isnan(vectors.matrix_of(stored, dim)[:, :1]).sum())
        if impossible:
            yield f"{impossible} embeddings by {name} are not unit vectors"
        elif changed:
            yield f"its embeddings by {name} are not what was written"


def _wrong_texts(connection: Connection, video_id: int) -> Iterator[str]:
    stored = raw(
        connection,
        "SELECT id, kind, origin, lines, checksum,"
        " (SELECT count(*) FROM text_lines WHERE source_id = text_sources.id) FROM text_sources WHERE video_id = ?",
        (video_id,),
    )
    for source_id, kind, origin, lines, checksum, found in stored.all():
        name = f"{kind} {os.fsdecode(origin) if isinstance(origin, bytes) else origin}".strip()
        if lines != found or checksum != text_writing.lines_checksum(connection, source_id):
            yield f"its lines of {name!r} are not what was written"
        elif text_reading.has_damage(connection, source_id):
            yield f"its lines of {name!r} are not possible"


def _encoders(connection: Connection) -> dict[Any, tuple[str, Any]]:
    found = raw(connection, "SELECT number, id, dim FROM encoders")
    return {number: (str(encoder_id), dim) for number, encoder_id, dim in found}
