"""Collections of subclips, saved searches, and the start time code of videos."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision: str | None = "0001"


def upgrade() -> None:
    # Added in place: a rebuilt table would forget the highest id it ever gave, and ids must not come back.
    op.add_column("videos", sa.Column("timecode", sa.Text(), server_default="", nullable=False))
    op.create_table(
        "collections",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=True),
        sa.Column("revision", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.Text(), nullable=False),
        sa.Column("removed_at", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key", name="uq_collections_key"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "subclips",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("collection_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), server_default="1", nullable=False),
        sa.Column("video_id", sa.Integer(), nullable=False),
        sa.Column("segment_id", sa.Integer(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("path", sa.LargeBinary(), nullable=False),
        sa.Column("time_base_num", sa.Integer(), nullable=False),
        sa.Column("time_base_den", sa.Integer(), nullable=False),
        sa.Column("video_start_pts", sa.Integer(), nullable=False),
        sa.Column("video_end_pts", sa.Integer(), nullable=False),
        sa.Column("frame_rate_num", sa.Integer(), nullable=False),
        sa.Column("frame_rate_den", sa.Integer(), nullable=False),
        sa.Column("timecode", sa.Text(), nullable=False),
        sa.Column("start_pts", sa.Integer(), nullable=False),
        sa.Column("end_pts", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("has_audio", sa.Boolean(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("score", sa.Float(), nullable=True),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.Column("removed_at", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.ForeignKeyConstraint(["collection_id"], ["collections.id"], ondelete="CASCADE"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_subclips_place", "subclips", ["collection_id", "position"])
    op.create_index("ix_subclips_fingerprint", "subclips", ["fingerprint"])
    op.create_table(
        "saved_searches",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("link", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key", name="uq_saved_searches_key"),
        sqlite_autoincrement=True,
    )
    touch = "UPDATE collections SET revision = revision + 1, updated_at = strftime('%Y-%m-%dT%H:%M:%S+00:00', 'now')"
    for name, change, row in (("added", "INSERT", "NEW"), ("changed", "UPDATE", "NEW"), ("removed", "DELETE", "OLD")):
        op.execute(
            f"CREATE TRIGGER subclips_{name} AFTER {change} ON subclips"
            f" BEGIN {touch} WHERE id = {row}.collection_id; END"
        )
    owners = (
        "UPDATE collections SET revision = revision + 1"
        " WHERE id IN (SELECT collection_id FROM subclips WHERE fingerprint = {0}.fingerprint)"
    )
    op.execute(f"CREATE TRIGGER videos_added AFTER INSERT ON videos BEGIN {owners.format('NEW')}; END")
    op.execute(f"CREATE TRIGGER videos_removed AFTER DELETE ON videos BEGIN {owners.format('OLD')}; END")
    op.execute(
        "CREATE TRIGGER videos_moved AFTER UPDATE OF path ON videos WHEN OLD.path <> NEW.path BEGIN"
        f" {owners.format('NEW')};"
        " UPDATE subclips SET path = NEW.path WHERE fingerprint = NEW.fingerprint AND path = OLD.path; END"
    )
