"""Libraries of older formats, for tests of migrations: what later formats added is taken away again."""

from __future__ import annotations

from sqlalchemy import Connection, create_engine, inspect

from db import migrating, schema


def to_format(connection: Connection, version: int) -> None:
    """Drop the tables, columns and indexes that formats above `version` added, and state that version.

    Args:
        connection: In a write transaction on a library of the current format.
        version: The format to return to, 2 or higher.
    """
    engine = create_engine("sqlite://")
    with engine.begin() as older:
        migrating.run_migrations(older, schema.revision_of(version))
        wanted = {table: _columns(older, table) for table in inspect(older).get_table_names()}
        indexes = {table: _indexes(older, table) for table in wanted}
        unique = {table: _unique(older, table) for table in wanted}
        made = {table: _statement(older, table) for table in wanted}
    engine.dispose()
    for table in inspect(connection).get_table_names():
        if not inspect(connection).has_table(table):  # a part of a full-text index, gone with it
            continue
        if table not in wanted:
            connection.exec_driver_sql(f"DROP TABLE {table}")
            continue
        for index in _indexes(connection, table) - indexes[table]:
            connection.exec_driver_sql(f"DROP INDEX {index}")
        if _unique(connection, table) != unique[table]:  # SQLite drops no column of a constraint
            names = ", ".join(sorted(_columns(connection, table) & wanted[table]))
            connection.exec_driver_sql(f"ALTER TABLE {table} RENAME TO of_now")
            connection.exec_driver_sql(made[table])
            connection.exec_driver_sql(f"INSERT INTO {table} ({names}) SELECT {names} FROM of_now")
            connection.exec_driver_sql("DROP TABLE of_now")
            continue
        for column in _columns(connection, table) - wanted[table]:
            connection.exec_driver_sql(f"ALTER TABLE {table} DROP COLUMN {column}")
    connection.exec_driver_sql("UPDATE alembic_version SET version_num = ?", (schema.revision_of(version),))


def _columns(connection: Connection, table: str) -> set[str]:
    return {column["name"] for column in inspect(connection).get_columns(table)}


def _indexes(connection: Connection, table: str) -> set[str]:
    return {str(index["name"]) for index in inspect(connection).get_indexes(table)}


def _unique(connection: Connection, table: str) -> list[list[str]]:
    return sorted(each["column_names"] for each in inspect(connection).get_unique_constraints(table))


def _statement(connection: Connection, table: str) -> str:
    found = connection.exec_driver_sql("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?", (table,))
    return str(found.scalar())
