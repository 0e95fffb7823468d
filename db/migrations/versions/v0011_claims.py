"""Counts of how often the rows of a video were written; on servers, workers with their claims."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from db.column_types import Integer

revision = "0011"
down_revision: str | None = "0010"

_ON_SERVERS = (
    "CREATE TABLE workers (owner UUID PRIMARY KEY, machine TEXT NOT NULL, process BIGINT NOT NULL,"
    " version TEXT NOT NULL, doing TEXT NOT NULL, began_at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(),"
    " until TIMESTAMPTZ NOT NULL)",
    'CREATE TABLE claims (name TEXT COLLATE "C" PRIMARY KEY,'
    " owner UUID NOT NULL REFERENCES workers (owner) ON DELETE CASCADE, path BYTEA NOT NULL,"
    " taken_at TIMESTAMPTZ NOT NULL DEFAULT now())",
    "CREATE INDEX ix_claims_owner ON claims (owner)",
)


def upgrade() -> None:
    for table in ("encodings", "vanished_encodings"):
        op.add_column(table, sa.Column("revision", Integer, nullable=True))
    if op.get_bind().dialect.name == "postgresql":
        for statement in _ON_SERVERS:
            op.execute(statement)
