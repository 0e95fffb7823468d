"""The size of each video's posters and previews, so that statistics need not read files."""

from __future__ import annotations

import os

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision: str | None = "0002"


def upgrade() -> None:
    op.add_column("videos", sa.Column("media_bytes", sa.Integer(), server_default="0", nullable=False))
    connection = op.get_bind()
    file = connection.exec_driver_sql("PRAGMA database_list").fetchone()
    names = connection.exec_driver_sql("SELECT DISTINCT media FROM videos WHERE media IS NOT NULL").scalars().all()
    if file is None or not file[2]:
        return  # an in-memory database has no media folder
    folder = os.path.join(os.path.dirname(file[2]), "media")
    for name in names:
        size = _size(os.path.join(folder, name[:2], name))
        connection.exec_driver_sql("UPDATE videos SET media_bytes = ? WHERE media = ?", (size, name))


def _size(folder: str) -> int:
    try:
        with os.scandir(folder) as entries:
            return sum(entry.stat().st_size for entry in entries)
    except OSError:
        return 0  # missing or unreachable, which `check` reports
