"""Identity of files, checksums of rows, and tables for the rows of files that have vanished."""

from __future__ import annotations

import os

import sqlalchemy as sa
from alembic import op

from db import checksums
from db.media_facts import facts_from_text
from db.recording_date import recorded_at

revision = "0006"
down_revision: str | None = "0005"

_TEXTS = {"videos": ("content_hash", "file_id", "volume"), "subclips": ("content_hash",)}
_NUMBERS = {"videos": ("recorded_at", "checksum"), "encodings": ("checksum",), "library": ("keep_vanished_days",)}
_VANISHED = {
    "videos": ("id",),
    "shots": ("video_id", "number"),
    "segments": ("id",),
    "encodings": ("video_id", "encoder"),
    "embeddings": ("encoder", "segment_id"),
}
"""Tables whose rows can vanish, and their primary keys."""


def upgrade() -> None:
    for table, names in _TEXTS.items():
        for name in names:
            op.add_column(table, sa.Column(name, sa.Text(), server_default="", nullable=False))
    for table, names in _NUMBERS.items():
        for name in names:
            op.add_column(table, sa.Column(name, sa.Integer(), nullable=True))
    op.add_column("library", sa.Column("hash_content", sa.Text(), nullable=True))
    connection = op.get_bind()
    _add_dates(connection)
    inspector = sa.inspect(connection)
    for table, key in _VANISHED.items():
        columns = [
            sa.Column(column["name"], column["type"], nullable=column["nullable"], primary_key=column["name"] in key)
            for column in inspector.get_columns(table)
        ]
        if table == "videos":
            columns.append(sa.Column("vanished_at", sa.Integer(), nullable=False))
        op.create_table(f"vanished_{table}", *columns)
    checksums.fill(connection)


def _add_dates(connection: sa.Connection) -> None:
    """Store the dates of recording that headers, as read by earlier versions, and names state."""
    videos = connection.execute(sa.text("SELECT id, path, facts FROM videos")).all()
    for video_id, path, facts in videos:
        stated = facts_from_text(facts)
        date = recorded_at("" if stated is None else stated.recorded_at, os.fsdecode(path))
        if date is not None:
            connection.execute(
                sa.text("UPDATE videos SET recorded_at = :date WHERE id = :id"), {"date": date, "id": video_id}
            )
