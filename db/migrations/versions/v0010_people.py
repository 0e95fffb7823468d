"""People who use a library over a network: accounts, log-ins and events, and owners of trays and saved searches."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision: str | None = "0009"

_ALONE = sa.text("owner IS NULL")


def upgrade() -> None:
    op.create_table(
        "people",
        sa.Column("id", sa.Integer(), primary_key=True),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("name", "key", "role")),
        sa.Column("password", sa.Text(), nullable=True),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.UniqueConstraint("key", name="uq_people_key"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "sign_ins",
        sa.Column("token", sa.Text(), primary_key=True),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("person_id", "began", "expires")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], ondelete="CASCADE"),
    )
    op.create_index("ix_sign_ins_person_id", "sign_ins", ["person_id"])
    op.create_table(
        "failed_sign_ins",
        sa.Column("common", sa.Text(), primary_key=True),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("failures", "last")),
    )
    op.create_table(
        "events",
        sa.Column("id", sa.Integer(), primary_key=True),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("at", "person", "address", "action", "detail")),
        sqlite_autoincrement=True,
    )
    op.add_column("collections", sa.Column("owner", sa.Integer(), nullable=True))
    op.create_index("uq_collections_owner", "collections", ["owner"], unique=True)
    # Rebuilt on SQLite, which cannot alter the constraint. The table has no triggers, and nothing refers to it.
    with op.batch_alter_table("saved_searches", copy_from=_saved_searches()) as batch:
        batch.add_column(sa.Column("owner", sa.Integer(), nullable=True))
        batch.drop_constraint("uq_saved_searches_key", type_="unique")
        batch.create_unique_constraint("uq_saved_searches_key", ["owner", "key"])
    op.create_index(
        "uq_saved_searches_alone", "saved_searches", ["key"], unique=True, sqlite_where=_ALONE, postgresql_where=_ALONE
    )


def _saved_searches() -> sa.Table:
    """Return the table as it was: what SQLite says of a default is not what it was made with."""
    return sa.Table(
        "saved_searches",
        sa.MetaData(),
        sa.Column("id", sa.Integer(), primary_key=True),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("name", "key", "link", "created_at")),
        sa.Column("text_id", sa.Text(), nullable=False, server_default=""),
        sa.UniqueConstraint("key", name="uq_saved_searches_key"),
        sqlite_autoincrement=True,
    )
