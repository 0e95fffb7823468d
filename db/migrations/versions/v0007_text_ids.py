"""Former names of embedding spaces, and the text encoders of encoder choices and saved searches.

The spaces themselves get their new names when the library meets the encoder, whose weights tell both: see `db.spaces`.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision: str | None = "0006"


def upgrade() -> None:
    op.add_column("encoders", sa.Column("former_id", sa.Text(), nullable=True))
    for table in ("encoder_choices", "saved_searches"):
        op.add_column(table, sa.Column("text_id", sa.Text(), server_default="", nullable=False))
