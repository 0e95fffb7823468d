"""Videos that wait for their full pass: which there are, in which order, and rows of shots that were looked at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Select, func, select

from db import rows, vectors
from db.database import Database
from db.quick_rows import quick_only
from db.schema import collections, embeddings, encoders, encodings, segments, subclips, videos
from db.sql import upsert
from db.video_rows import encoder_number


@dataclass(frozen=True, slots=True, kw_only=True)
class QuickVideo:
    """A video that waits for its full pass."""

    video_id: int
    path: str
    subclips: int  # of its content, in collections
    looked_at: int  # shots that were encoded in full when they were looked at
    made_at: int  # Unix seconds: when it was recorded or, where that is not known, when its file was written

    @property
    def usefulness(self) -> tuple[bool, int, int]:
        """What is larger for videos whose full pass is of more use: kept in collections, looked at, new."""
        return self.subclips > 0, self.looked_at, self.made_at


class Quick:
    """The videos of a library that wait for their full pass. Each call is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def videos(self) -> list[QuickVideo]:
        """Return the videos over which only quick passes were made, the most useful first, then by path."""
        kept = (
            select(subclips.c.fingerprint, func.count().label("count"))
            .join(collections, collections.c.id == subclips.c.collection_id)
            .where(subclips.c.removed_at.is_(None), collections.c.removed_at.is_(None))
            .group_by(subclips.c.fingerprint)
            .subquery("kept")
        )
        looked_at = (
            select(func.count())
            .select_from(segments)
            .join(embeddings, embeddings.c.segment_id == segments.c.id)
            .join(encoders, encoders.c.number == embeddings.c.encoder)
            .where(segments.c.video_id == videos.c.id, encoders.c.quick_of.is_(None))
            .scalar_subquery()
        )
        statement = (
            select(
                videos.c.id,
                videos.c.path,
                func.coalesce(kept.c.count, 0).label("subclips"),
                looked_at.label("looked_at"),
                func.coalesce(videos.c.recorded_at, videos.c.modified_ns // 1_000_000_000).label("made_at"),
            )
            .outerjoin(kept, kept.c.fingerprint == videos.c.fingerprint)
            .where(quick_only(videos, encodings))
            .order_by(videos.c.path)
        )
        with self._database.reading() as connection:
            found = [
                QuickVideo(
                    video_id=row.id,
                    path=row.path,
                    subclips=row.subclips,
                    looked_at=row.looked_at,
                    made_at=row.made_at if type(row.made_at) is int else 0,  # else damaged
                )
                for row in connection.execute(statement)
            ]
        return sorted(found, key=lambda video: video.usefulness, reverse=True)

    def count(self) -> int:
        """Return the number of videos over which only quick passes were made."""
        with self._database.reading() as connection:
            counted = select(func.count()).select_from(videos).where(quick_only(videos, encodings))
            return connection.scalar(counted) or 0

    def is_waiting(self, segment_id: int, encoder_id: str) -> bool:
        """Return whether a shot is a quick one that waits for the full pass of an encoder."""
        with self._database.reading() as connection:
            return connection.scalar(_waiting(segment_id, encoder_id)) is not None

    def deepen(self, segment_id: int, row: NDArray[np.floating], *, encoder_id: str) -> bool:
        """Store the row of a quick shot by the full encoder. It goes with the shot, when the full pass replaces that.

        Args:
            segment_id: The shot, or a part of one.
            row: float (D,), of unit length.
            encoder_id: The full encoder.

        Returns:
            False if there is no such shot any more, or if it is no quick one of this encoder: nothing is stored then.

        Raises:
            ValueError: The row is not of unit length.
            LibraryError: See `db.errors`; so for a library that can only be read.
        """
        matrix = vectors.checked_matrix(np.asarray(row)[None], 1)
        with self._database.writing() as connection:
            if connection.scalar(_waiting(segment_id, encoder_id)) is None:
                return False
            number = encoder_number(connection, encoder_id, matrix.shape[1])
            [stored] = rows.to_bytes(matrix)
            statement = upsert(connection, embeddings).values(encoder=number, segment_id=int(segment_id), row=stored)
            connection.execute(
                statement.on_conflict_do_update(
                    index_elements=[embeddings.c.encoder, embeddings.c.segment_id],
                    set_={"row": statement.excluded.row},
                )
            )
        return True


def _waiting(segment_id: int, encoder_id: str) -> Select[tuple[int]]:
    return (
        select(segments.c.id)
        .join(encodings, encodings.c.video_id == segments.c.video_id)
        .join(encoders, encoders.c.number == encodings.c.encoder)
        .join(videos, videos.c.id == segments.c.video_id)
        .where(segments.c.id == int(segment_id), encoders.c.quick_of == encoder_id, quick_only(videos, encodings))
    )
