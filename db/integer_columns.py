"""Integer columns of many rows, read into arrays at a third to half of the time that rows take."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Select, func, select

from db.sql import on_server


def integer_columns(connection: Connection, statement: Select[Any]) -> NDArray[np.int64]:
    """Return int64 (columns, n): the result of an ordered statement whose columns are integers, none of them NULL.

    SQLite sends each column as one text, for which other threads need not wait. Rows with a value of another type,
    which only damage can bring, are left out.
    """
    if on_server(connection):
        return _copied(connection, statement)
    found = statement.subquery()  # SQLite keeps its order for group_concat
    count, *texts = connection.execute(select(func.count(), *(func.group_concat(column) for column in found.c))).one()
    with suppress(ValueError):  # text that is no number
        columns = [np.fromstring(text or "", dtype=np.int64, sep=",") for text in texts]
        if all(len(column) == count for column in columns):
            return np.array(columns)
    rows = [row for row in connection.execute(statement).all() if all(type(value) is int for value in row)]
    return np.array(rows, np.int64).reshape(len(rows), len(texts)).T


_HEAD = 19  # bytes before the first row of PostgreSQL's binary COPY
_WIDTH = 8  # bytes of its BIGINT


def _copied(connection: Connection, statement: Select[Any]) -> NDArray[np.int64]:
    """Return what a server sends in the binary form of COPY, whose rows have one size."""
    compiled = statement.compile(connection, compile_kwargs={"render_postcompile": True})
    driver: Any = connection.connection.cursor()
    with driver, driver.copy(f"COPY ({compiled}) TO STDOUT (FORMAT BINARY)", compiled.params) as copy:
        content = b"".join(copy)
    count = len(statement.selected_columns)
    row = np.dtype([("fields", ">i2"), *((part, kind) for at in range(count) for part, kind in _field(at))])
    found = np.frombuffer(content, row, (len(content) - _HEAD) // row.itemsize, _HEAD)
    assert all((found[f"size {at}"] == _WIDTH).all() for at in range(count)), "a column that is no BIGINT, or NULL"
    return np.array([found[f"value {at}"] for at in range(count)], np.int64).reshape(count, found.size)


def _field(at: int) -> list[tuple[str, str]]:
    return [(f"size {at}", ">i4"), (f"value {at}", ">i8")]
