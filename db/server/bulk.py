"""Many rows into a table of a server by COPY: a tenth of the time of statements for each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Column, Connection, Table

_TYPES = "SELECT attname, atttypid FROM pg_attribute WHERE attrelid = CAST(%s AS regclass) AND attnum > 0"


def copy_in(
    connection: Connection, table: Table, columns: Sequence[Column[Any]], rows: Iterable[Sequence[Any]]
) -> None:
    """Insert rows in the caller's transaction.

    Args:
        connection: A connection to a server, with vectors registered.
        table: The table.
        columns: Its columns, in the order of the values.
        rows: Values as SQLAlchemy takes them.
    """
    dialect = connection.dialect
    quoted = dialect.identifier_preparer.format_table(table)
    types = {name: int(number) for name, number in connection.exec_driver_sql(_TYPES, (quoted,))}
    as_sent = [column.type.dialect_impl(dialect).bind_processor(dialect) for column in columns]
    names = ", ".join(dialect.identifier_preparer.format_column(column) for column in columns)
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(f"COPY {quoted} ({names}) FROM STDIN (FORMAT BINARY)") as copy:
        copy.set_types([types[column.name] for column in columns])
        for row in rows:
            copy.write_row(
                [
                    value if convert is None or value is None else convert(value)
                    for value, convert in zip(row, as_sent, strict=True)
                ]
            )
