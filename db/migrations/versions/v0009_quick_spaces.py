"""Spaces of quick passes, which name the space whose rows take the place of theirs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision: str | None = "0008"


def upgrade() -> None:
    op.add_column("encoders", sa.Column("quick_of", sa.Text(), nullable=True))
