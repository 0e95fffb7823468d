"""The tables, as the newest migration leaves them. Knows nothing of records; `db.rows` turns one into the other.

A change here needs a migration in `db/migrations/versions` and a higher SCHEMA_VERSION; a test compares the two.
"""

from __future__ import annotations

import os
from typing import Any

from sqlalchemy import (
    DDL,
    Boolean,
    Column,
    Dialect,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    event,
)

SCHEMA_VERSION = 1
"""The newest migration's number. Kept here so that opening a library of today does not have to import alembic."""


def revision_of(version: int) -> str:
    """Alembic's name of a version: four digits."""
    return f"{version:04d}"


class PathBytes(TypeDecorator[str]):
    """A path as the bytes that the file system has: names that are not UTF-8 survive, and two Unicode forms of one
    name stay two names. BLOBs compare byte by byte, so that a folder is one range of the index."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:
        return None if value is None else os.fsencode(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> str | None:
        return None if value is None else os.fsdecode(value)


metadata = MetaData()

alembic_version = Table(
    "alembic_version",
    metadata,
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)

library = Table(
    "library",
    metadata,
    Column("id", Text, primary_key=True),
    Column("created_at", Text, nullable=False),
)

videos = Table(
    "videos",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("path", PathBytes, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("size_bytes", Integer, nullable=False),
    Column("modified_ns", Integer, nullable=False),
    Column("time_base_num", Integer, nullable=False),
    Column("time_base_den", Integer, nullable=False),
    Column("start_pts", Integer, nullable=False),
    Column("end_pts", Integer, nullable=False),
    Column("frame_rate_num", Integer, nullable=False),
    Column("frame_rate_den", Integer, nullable=False),
    Column("frames", Integer, nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("codec", Text, nullable=False),
    Column("rotation", Integer, nullable=False),
    Column("has_audio", Boolean, nullable=False),
    Column("damaged", Integer, nullable=False),
    Column("media", Text, nullable=True),  # name of the folder of posters and previews: db.media
    UniqueConstraint("path", name="uq_videos_path"),
    Index("ix_videos_fingerprint", "fingerprint"),
    Index("ix_videos_media", "media"),
    sqlite_autoincrement=True,
)

shots = Table(
    "shots",
    metadata,
    Column("video_id", Integer, ForeignKey("videos.id", ondelete="CASCADE"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("start_pts", Integer, nullable=False),
    Column("end_pts", Integer, nullable=False),
    PrimaryKeyConstraint("video_id", "number"),
)

# AUTOINCREMENT: without it SQLite gives the id of a deleted row to the next one, and a vector index that has not heard
# of the deletion would show another segment under the old vector.
segments = Table(
    "segments",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("video_id", Integer, ForeignKey("videos.id", ondelete="CASCADE"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("shot_number", Integer, nullable=False),
    Column("start_pts", Integer, nullable=False),
    Column("end_pts", Integer, nullable=False),
    UniqueConstraint("video_id", "number", name="uq_segments_video_number"),
    ForeignKeyConstraint(["video_id", "shot_number"], ["shots.video_id", "shots.number"], ondelete="CASCADE"),
    sqlite_autoincrement=True,
)

encoders = Table(
    "encoders",
    metadata,
    Column("number", Integer, primary_key=True),  # what rows refer to: ids are long
    Column("id", Text, nullable=False),
    Column("dim", Integer, nullable=False),
    Column("segments", Integer, nullable=False, server_default="0"),  # kept by the triggers below
    Column("generation", Integer, nullable=False, server_default="0"),  # likewise
    UniqueConstraint("id", name="uq_encoders_id"),
    sqlite_autoincrement=True,
)

# Which encoder has embedded which video whole, and how its clips were made.
encodings = Table(
    "encodings",
    metadata,
    Column("video_id", Integer, ForeignKey("videos.id", ondelete="CASCADE"), nullable=False),
    Column("encoder", Integer, ForeignKey("encoders.number"), nullable=False),
    Column("recipe", Text, nullable=False),
    PrimaryKeyConstraint("video_id", "encoder"),
)

# The key's index covers (encoder, segment_id), so that listing ids never reads vectors. The second index is for the
# cascade from segments, which would otherwise read the whole table for each segment that goes.
embeddings = Table(
    "embeddings",
    metadata,
    Column("encoder", Integer, ForeignKey("encoders.number"), nullable=False),
    Column("segment_id", Integer, ForeignKey("segments.id", ondelete="CASCADE"), nullable=False),
    Column("row", LargeBinary, nullable=False),  # float16, little endian
    PrimaryKeyConstraint("encoder", "segment_id"),
    Index("ix_embeddings_segment_id", "segment_id"),
)

failures = Table(
    "failures",
    metadata,
    Column("path", PathBytes, primary_key=True),
    Column("size_bytes", Integer, nullable=False),
    Column("modified_ns", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("failed_at", Text, nullable=False),
)

# Triggers, so that no statement, cascades included, can forget to tell the copies in vector indexes. A row that comes
# below the highest id counts as a change: whoever asks for the rows above its last id would never see it.
# (Alembic's batch mode drops a table's triggers: a migration that rebuilds `embeddings` must make them again.)
TRIGGERS = (
    "CREATE TRIGGER embeddings_added AFTER INSERT ON embeddings BEGIN"
    " UPDATE encoders SET segments = segments + 1, generation = generation + (NEW.segment_id <"
    " (SELECT MAX(segment_id) FROM embeddings WHERE encoder = NEW.encoder)) WHERE number = NEW.encoder; END",
    "CREATE TRIGGER embeddings_changed AFTER UPDATE ON embeddings BEGIN"
    " UPDATE encoders SET generation = generation + 1 WHERE number = NEW.encoder; END",
    "CREATE TRIGGER embeddings_removed AFTER DELETE ON embeddings BEGIN"
    " UPDATE encoders SET segments = segments - 1, generation = generation + 1 WHERE number = OLD.encoder; END",
)
for _trigger in TRIGGERS:
    event.listen(embeddings, "after_create", DDL(_trigger))  # type: ignore[no-untyped-call]
