"""Integer columns of many rows, read into arrays at a third to half of the time that rows take."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Select, func, select


def integer_columns(connection: Connection, statement: Select[Any]) -> NDArray[np.int64]:
    """Return int64 (columns, n): the result of an ordered statement whose columns are integers, none of them NULL.

    SQLite sends each column as one text, for which other threads need not wait. Rows with a value of another type,
    which only damage can bring, are left out.
    """
    found = statement.subquery()  # SQLite keeps its order for group_concat
    count, *texts = connection.execute(select(func.count(), *(func.group_concat(column) for column in found.c))).one()
    with suppress(ValueError):  # text that is no number
        columns = [np.fromstring(text or "", dtype=np.int64, sep=",") for text in texts]
        if all(len(column) == count for column in columns):
            return np.array(columns)
    rows = [row for row in connection.execute(statement).all() if all(type(value) is int for value in row)]
    return np.array(rows, np.int64).reshape(len(rows), len(texts)).T
