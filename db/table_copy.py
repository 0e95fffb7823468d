"""One table in two databases of any engine: compared in blocks, in the order of its key, and made equal.

Rows are compared as Python reads them: numbers, texts, and vectors as the bytes of their float16.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    Connection,
    Table,
    UniqueConstraint,
    and_,
    bindparam,
    delete,
    func,
    insert,
    select,
    tuple_,
    update,
)
from sqlalchemy.exc import DBAPIError

from db.database import Database
from db.errors import LibraryDamaged
from db.sql import on_server
from db.vanished import stored_columns

BLOCK = 2000
"""Rows that are compared, and written in one transaction: those of vectors take some megabytes."""

Key = tuple[Any, ...]
Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """The rows of a range of keys, by key: those of the source, and those of the target."""

    wanted: dict[Key, Row] = field(default_factory=dict)
    found: dict[Key, Row] = field(default_factory=dict)


class TableCopy:
    """A table of a source, and its copy in a target.

    Args:
        source: A read transaction of the source.
        target: The database of the copy.
        table: The table. Its key has an order that the engines agree on.
        counted: Names of columns that triggers of the target count by themselves.
    """

    def __init__(self, source: Connection, target: Database, table: Table, counted: Collection[str] = ()) -> None:
        self.name = table.name
        self._source, self._target, self._table = source, target, table
        self._columns = stored_columns(table)
        self._key = list(table.primary_key.columns)
        self._key_places = [self._columns.index(column) for column in self._key]
        self._own_places = [at for at, column in enumerate(self._columns) if column.name not in counted]

    def count(self) -> int:
        """Return how many rows the source has."""
        return self._source.scalar(select(func.count()).select_from(self._table)) or 0

    def clear(self, *, keep: bool) -> Iterator[int]:
        """Delete what the target has and the source has not, or otherwise. Yield how many rows were compared.

        Args:
            keep: Keep those that are otherwise, for `fill` to change: other rows are of them.
        """
        for block in self._blocks():
            gone = [
                key
                for key, row in block.found.items()
                if key not in block.wanted or (not keep and self._own(row) != self._own(block.wanted[key]))
            ]
            if gone:
                with self._target.writing() as here:
                    here.execute(delete(self._table).where(self._is_key()), [self._named_key(key) for key in gone])
            yield len(block.wanted)

    def fill(self) -> Iterator[int]:
        """Insert what the target lacks, and change what is otherwise. Yield how many rows were compared.

        Raises:
            LibraryDamaged: A row has what the target cannot store.
        """
        # ValueError: of a text that is none.
        refusals: tuple[type[Exception], ...] = (DBAPIError, ValueError, *self._target.driver_errors)
        for block in self._blocks():
            new = [row for key, row in block.wanted.items() if key not in block.found]
            changed = [key for key, row in block.found.items() if key in block.wanted and block.wanted[key] != row]
            if new or changed:
                try:
                    with self._target.writing() as here:
                        self._insert(here, new)
                        if changed:
                            self._park(here, changed)
                            values: dict[str, Any] = {
                                column.name: bindparam(f"new_{column.name}") for column in self._columns
                            }
                            statement = update(self._table).where(self._is_key()).values(values)
                            here.execute(statement, [self._named(block.wanted[key]) for key in changed])
                except refusals as error:
                    said = " ".join(str(getattr(error, "orig", error)).split())
                    raise LibraryDamaged(
                        f"A row of the table {self.name} cannot be copied ({said}). `prismsearch doctor` says what is "
                        "damaged; what is copied already is kept."
                    ) from error
            yield len(block.wanted)

    def _park(self, here: Connection, keys: list[Key]) -> None:
        """Take the names away that only one row may have, as two rows may have changed theirs for each other's."""
        unique = [each for each in self._table.constraints if isinstance(each, UniqueConstraint)]
        for column in (each.columns[0] for each in unique if len(each.columns) == 1):
            parked = update(self._table).where(self._is_key()).values({column.name: bindparam("parked")})
            here.execute(parked, [self._named_key(key) | {"parked": f"prismsearch copies {key}"} for key in keys])

    def differing(self) -> Iterator[tuple[int, int]]:
        """Yield, block by block, how many rows were compared, and how many of them are not the same."""
        for block in self._blocks():
            same = sum(block.found.get(key) == row for key, row in block.wanted.items())
            yield len(block.wanted), len(block.wanted.keys() | block.found.keys()) - same

    def is_empty(self) -> bool:
        """Return whether the target has no row."""
        with self._target.reading() as here:
            return here.execute(select(*self._key).select_from(self._table).limit(1)).first() is None

    def _blocks(self) -> Iterator[Block]:
        """Yield ranges of keys that cover the table on both sides; the last one is open at its end."""
        after: Key | None = None
        empty = self.is_empty()
        while True:
            wanted = self._read(self._source, after, None, BLOCK)
            upto = list(wanted)[-1] if len(wanted) == BLOCK else None
            found: dict[Key, Row] = {}
            if not empty:
                with self._target.reading() as here:
                    found = self._read(here, after, upto, None)
            yield Block(wanted, found)
            if upto is None:
                return
            after = upto

    def _read(self, connection: Connection, after: Key | None, upto: Key | None, limit: int | None) -> dict[Key, Row]:
        statement = select(*self._columns).order_by(*self._key).limit(limit)
        if after is not None:
            statement = statement.where(tuple_(*self._key) > after)
        if upto is not None:
            statement = statement.where(tuple_(*self._key) <= upto)
        rows = [tuple(row) for row in connection.execute(statement)]
        return {tuple(row[at] for at in self._key_places): row for row in rows}

    def _insert(self, connection: Connection, rows: list[Row]) -> None:
        if rows and on_server(connection):
            from db.server.bulk import copy_in

            copy_in(connection, self._table, self._columns, rows)
        elif rows:
            names = [column.name for column in self._columns]
            connection.execute(insert(self._table), [dict(zip(names, row, strict=True)) for row in rows])

    def _own(self, row: Row) -> Row:
        return tuple(row[at] for at in self._own_places)

    def _is_key(self) -> Any:
        return and_(*(column == bindparam(f"key_{column.name}") for column in self._key))

    def _named_key(self, key: Key) -> dict[str, Any]:
        return {f"key_{column.name}": value for column, value in zip(self._key, key, strict=True)}

    def _named(self, row: Row) -> dict[str, Any]:
        values = {f"new_{column.name}": value for column, value in zip(self._columns, row, strict=True)}
        return values | self._named_key(tuple(row[at] for at in self._key_places))
