"""The rows that an encoder gives the segments of a video, and their writing, in the caller's transaction."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, func, insert, select

from db import checksums, rows
from db.schema import embeddings, encoders, encodings, segments
from db.sql import upsert


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class VideoRows:
    """The rows of one encoder for all segments of a video."""

    encoder_id: str
    recipe: str  # how the clips were made; `Library.known_files` returns it
    embeddings: NDArray[np.float32]  # (segments, D), row i of segment i, of unit length; stored as float16
    quick_of: str | None = None  # of a quick pass: the encoder of the full pass to follow


def put_rows(connection: Connection, video_id: int, made: VideoRows) -> None:
    """Store the rows of an encoder for a video whose segments are stored, in place of those that it had."""
    encoder = encoder_number(connection, made.encoder_id, made.embeddings.shape[1], made.quick_of)
    ids = connection.scalars(
        select(segments.c.id).where(segments.c.video_id == video_id).order_by(segments.c.number)
    ).all()
    stored = rows.to_bytes(made.embeddings)
    statement = upsert(connection, embeddings)
    connection.execute(
        # A bit-identical row is not written, so that it does not invalidate copies of the rows.
        statement.on_conflict_do_update(
            index_elements=[embeddings.c.encoder, embeddings.c.segment_id],
            set_={"row": statement.excluded.row},
            where=embeddings.c.row != statement.excluded.row,
        ),
        [
            {"encoder": encoder, "segment_id": segment_id, "row": row}
            for segment_id, row in zip(ids, stored, strict=True)
        ],
    )
    checksum = checksums.embeddings_checksum(stored)
    done = upsert(connection, encodings).values(
        video_id=video_id, encoder=encoder, recipe=made.recipe, checksum=checksum
    )
    connection.execute(
        done.on_conflict_do_update(
            index_elements=[encodings.c.video_id, encodings.c.encoder],
            set_={
                "recipe": done.excluded.recipe,
                "checksum": done.excluded.checksum,
                "revision": func.coalesce(encodings.c.revision, 0) + 1,
            },
        )
    )


def encoder_number(connection: Connection, encoder_id: str, dim: int, quick_of: str | None = None) -> int:
    """Return the number of an encoder, which is added if it is new. Raise ValueError for another number of columns."""
    stored = connection.execute(select(encoders.c.number, encoders.c.dim).where(encoders.c.id == encoder_id)).first()
    if stored is None:
        values = {"id": encoder_id, "dim": dim, "quick_of": quick_of}
        added = connection.execute(insert(encoders).values(values)).inserted_primary_key
        assert added is not None
        return int(added[0])
    if stored.dim != dim:
        raise ValueError(f"the library has rows of {stored.dim} columns by {encoder_id}, not {dim}")
    return int(stored.number)
