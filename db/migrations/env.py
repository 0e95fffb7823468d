"""Alembic's environment: the connection, with its transaction begun, comes from `db.opening`."""

from __future__ import annotations

from alembic import context

from db.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite cannot alter most things: tables are copied
)
context.run_migrations()
