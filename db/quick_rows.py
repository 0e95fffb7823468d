"""Rows of quick passes: those by encoders that name a full one. Every function runs in the caller's transaction.

A video has rows of quick passes, or of full ones: the full pass takes the place of what the quick one made, cuts
included. Of a quick shot that was looked at there may be a row of the full encoder, too; it goes with the shot.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, Table, delete, select

from db.schema import embeddings, encoders, encodings, segments

QUICK = select(encoders.c.number).where(encoders.c.quick_of.is_not(None))
"""The numbers of the encoders of quick passes."""


def quick_only(video_table: Table, encoding_table: Table) -> ColumnElement[bool]:
    """Return whether only quick passes were made over a video, as an expression.

    Args:
        video_table: `videos`, or that of vanished ones.
        encoding_table: `encodings`, or that of vanished ones.
    """
    table = encoding_table.alias("of_quick")
    made = select(table.c.video_id).where(table.c.video_id == video_table.c.id).correlate(video_table)
    return made.where(table.c.encoder.in_(QUICK)).exists() & ~made.where(table.c.encoder.not_in(QUICK)).exists()


def drop_quick_rows(connection: Connection, video_id: int) -> None:
    """Remove what quick passes made of a video whose shots stay."""
    of_video = select(segments.c.id).where(segments.c.video_id == video_id)
    connection.execute(delete(embeddings).where(embeddings.c.segment_id.in_(of_video), embeddings.c.encoder.in_(QUICK)))
    connection.execute(delete(encodings).where(encodings.c.video_id == video_id, encodings.c.encoder.in_(QUICK)))
