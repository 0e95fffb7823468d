"""SQL that the two engines write in different ways: SQLite, and PostgreSQL on a server.

Queries name these expressions, and each compiles to the words of its engine. All other SQL is read by both.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, Boolean, ColumnElement, Connection, CursorResult, Integer, Table, Text
from sqlalchemy.dialects import sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql

SERVER = "postgresql"
"""The name of the server's dialect."""

_SQLITE_LISTED = "(SELECT value FROM json_each({0}))"
_SERVER_LISTED = "(SELECT CAST(value AS BIGINT) FROM json_array_elements_text(CAST({0} AS JSON)))"


def on_server(connection: Connection) -> bool:
    """Return whether a connection is one to a server."""
    return connection.dialect.name == SERVER


def upsert(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """Return an INSERT into a table that can say what becomes of a conflict."""
    if on_server(connection):
        from sqlalchemy.dialects import postgresql  # takes a tenth of a second

        return postgresql.insert(table)
    return sqlite.insert(table)


def raw(connection: Connection, statement: str, values: Any = ()) -> CursorResult[*tuple[Any, ...]]:
    """Execute a statement as SQLite's driver takes it, with ? for each value: SQLAlchemy's own part takes longer.

    Args:
        connection: In a transaction.
        statement: Without other question marks, percent signs and functions of one engine, but for `json_each`.
        values: A tuple, or a list of tuples.
    """
    if on_server(connection):
        statement = statement.replace(_SQLITE_LISTED.format("?"), _SERVER_LISTED.format("?")).replace("?", "%s")
    return connection.exec_driver_sql(statement, values)


class Position(FunctionElement[int]):
    """The position of the second text in the first, from 1; 0 if it is not in there."""

    type = Integer()
    inherit_cache = True


class Number(FunctionElement[int]):
    """A truth value as 0 or 1, which is how SQLite stores it."""

    type = Integer()
    inherit_cache = True


class RateAndCamera(FunctionElement[str]):
    """Nominal rate, make and model of a camera in the stored form of facts (`db.media_facts`), as a list in JSON."""

    type = Text()
    inherit_cache = True


class _Listed(FunctionElement[int]):
    """The integers in a JSON list, as rows."""

    type = BigInteger()
    inherit_cache = True


def among(column: ColumnElement[int], numbers: Iterable[int]) -> ColumnElement[bool]:
    """Return the condition that a column is one of these numbers, which are one bound value, however many they are."""
    listed = json.dumps([int(number) for number in numbers])  # int(): JSON knows no numbers of numpy
    return column.op("IN", return_type=Boolean())(_Listed(listed))


def _compile(element: type[FunctionElement[Any]], sqlite_form: str, server_form: str) -> None:
    """Let an expression compile to a form of each engine, in which {0} and {1} are its arguments."""

    def form(text: str) -> Any:
        def written(expression: FunctionElement[Any], compiler: SQLCompiler, **options: Any) -> str:
            return text.format(*(compiler.process(each, **options) for each in expression.clauses))

        return written

    compiles(element)(form(sqlite_form))
    compiles(element, SERVER)(form(server_form))


_compile(Position, "instr({0}, {1})", "strpos({0}, {1})")
_compile(Number, "{0}", "CAST(CAST({0} AS INTEGER) AS BIGINT)")
# PostgreSQL's own reader of JSON refuses halves of characters, which names of cameras may have.
_FACT = r"""coalesce(substring({{0}} from '"{0}": ("(?:[^"\\]|\\.)*")'), 'null')"""
_compile(
    RateAndCamera,
    "CASE WHEN typeof({0}) = 'text' THEN CASE WHEN json_valid({0}) = 1"
    " THEN json_extract({0}, '$.nominal_rate', '$.camera_make', '$.camera_model') END END",
    "CASE WHEN {0} IS NOT NULL THEN '[' || "
    + " || ',' || ".join(_FACT.format(name) for name in ("nominal_rate", "camera_make", "camera_model"))
    + " || ']' END",
)
_compile(_Listed, _SQLITE_LISTED, _SERVER_LISTED)
