"""Settings that shape a library's rows: how each encoder is loaded, and how videos are cut."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision: str | None = "0003"


def upgrade() -> None:
    for name, kind in (
        ("detector", sa.Text()),
        ("detector_options", sa.Text()),
        ("segment_seconds", sa.Float()),
        ("overlap_seconds", sa.Float()),
        ("decode", sa.Text()),
    ):
        op.add_column("library", sa.Column(name, kind, nullable=True))
    op.create_table(
        "encoder_choices",
        sa.Column("encoder_id", sa.Text(), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("frames", sa.Integer(), nullable=True),
        sa.Column("fit", sa.Text(), nullable=False),
        sa.Column("still_frames", sa.Integer(), nullable=False),
        sa.Column("last_used", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("encoder_id"),
    )
