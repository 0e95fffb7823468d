"""The first library: videos, shots, segments, embeddings, failures."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision: str | None = None


def upgrade() -> None:
    op.create_table(
        "library",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "videos",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("path", sa.LargeBinary(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("modified_ns", sa.Integer(), nullable=False),
        sa.Column("time_base_num", sa.Integer(), nullable=False),
        sa.Column("time_base_den", sa.Integer(), nullable=False),
        sa.Column("start_pts", sa.Integer(), nullable=False),
        sa.Column("end_pts", sa.Integer(), nullable=False),
        sa.Column("frame_rate_num", sa.Integer(), nullable=False),
        sa.Column("frame_rate_den", sa.Integer(), nullable=False),
        sa.Column("frames", sa.Integer(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("codec", sa.Text(), nullable=False),
        sa.Column("rotation", sa.Integer(), nullable=False),
        sa.Column("has_audio", sa.Boolean(), nullable=False),
        sa.Column("damaged", sa.Integer(), nullable=False),
        sa.Column("media", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("path", name="uq_videos_path"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_videos_fingerprint", "videos", ["fingerprint"])
    op.create_index("ix_videos_media", "videos", ["media"])
    op.create_table(
        "shots",
        sa.Column("video_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("start_pts", sa.Integer(), nullable=False),
        sa.Column("end_pts", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("video_id", "number"),
        sa.ForeignKeyConstraint(["video_id"], ["videos.id"], ondelete="CASCADE"),
    )
    op.create_table(
        "segments",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("video_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("shot_number", sa.Integer(), nullable=False),
        sa.Column("start_pts", sa.Integer(), nullable=False),
        sa.Column("end_pts", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("video_id", "number", name="uq_segments_video_number"),
        sa.ForeignKeyConstraint(["video_id", "shot_number"], ["shots.video_id", "shots.number"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["video_id"], ["videos.id"], ondelete="CASCADE"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "encoders",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("dim", sa.Integer(), nullable=False),
        sa.Column("segments", sa.Integer(), server_default="0", nullable=False),
        sa.Column("generation", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("id", name="uq_encoders_id"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "encodings",
        sa.Column("video_id", sa.Integer(), nullable=False),
        sa.Column("encoder", sa.Integer(), nullable=False),
        sa.Column("recipe", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("video_id", "encoder"),
        sa.ForeignKeyConstraint(["video_id"], ["videos.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["encoder"], ["encoders.number"]),
    )
    op.create_table(
        "embeddings",
        sa.Column("encoder", sa.Integer(), nullable=False),
        sa.Column("segment_id", sa.Integer(), nullable=False),
        sa.Column("row", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("encoder", "segment_id"),
        sa.ForeignKeyConstraint(["encoder"], ["encoders.number"]),
        sa.ForeignKeyConstraint(["segment_id"], ["segments.id"], ondelete="CASCADE"),
    )
    op.create_index("ix_embeddings_segment_id", "embeddings", ["segment_id"])
    op.create_table(
        "failures",
        sa.Column("path", sa.LargeBinary(), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("modified_ns", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("failed_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("path"),
    )
    op.execute(
        "CREATE TRIGGER embeddings_added AFTER INSERT ON embeddings BEGIN"
        " UPDATE encoders SET segments = segments + 1, generation = generation + (NEW.segment_id <"
        " (SELECT MAX(segment_id) FROM embeddings WHERE encoder = NEW.encoder)) WHERE number = NEW.encoder; END"
    )
    op.execute(
        "CREATE TRIGGER embeddings_changed AFTER UPDATE ON embeddings BEGIN"
        " UPDATE encoders SET generation = generation + 1 WHERE number = NEW.encoder; END"
    )
    op.execute(
        "CREATE TRIGGER embeddings_removed AFTER DELETE ON embeddings BEGIN"
        " UPDATE encoders SET segments = segments - 1, generation = generation + 1 WHERE number = OLD.encoder; END"
    )
