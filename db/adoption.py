"""Rows that are not stored as the roots of media would have them, and their rewriting: adoption, and its undoing.

A file that a library has by its plain path would be indexed a second time once its folder is that of a root, because
it is looked for below the root. So nothing that writes paths goes on before these rows are adopted. Every function runs
in the caller's transaction.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    LargeBinary,
    Table,
    bindparam,
    delete,
    func,
    select,
    type_coerce,
    update,
)

from db import schema
from db.column_types import Integer
from db.errors import LibraryError
from db.media_roots import MediaRoots, Range, root_range, unset_root, unset_text
from db.path_types import in_ranges, roots_of
from db.rows import chunks

_TABLES = (schema.subclips, schema.vanished_videos, schema.failures, schema.videos)
_BLOCK = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class RootRows:
    """A root that a library or this machine knows, and what the library has of it.

    Attributes:
        name: Its name.
        videos: Videos that are stored below it.
        others: Videos in its folder here that are stored in another way.
    """

    name: str
    videos: int
    others: int


@dataclass(frozen=True, slots=True)
class Rewritten:
    """Numbers of rows that were rewritten: of videos that are there, and of all else that has their paths."""

    videos: int
    others: int


def require_adopted(connection: Connection) -> None:
    """Raise LibraryError if a video or failure in the folder of a root is stored in another way. Free without roots."""
    roots = roots_of(connection.dialect)
    if not roots:
        return
    ranges = [each for name, _ in roots.folders for each in roots.other_ranges(name)]
    for table in (schema.videos, schema.failures):
        path = connection.scalar(select(table.c.path).where(in_ranges(table.c.path, ranges)).limit(1))
        if path is not None:
            name = roots.root_of(roots.without_links(path))
            raise LibraryError(
                f"The library has {path} from before {name} was a root here. Take such files over first: prismsearch "
                f"roots adopt {name}"
            )


def root_rows(connection: Connection) -> list[RootRows]:
    """Return the roots that the library or this machine knows, by name."""
    roots = roots_of(connection.dialect)
    names = sorted({*_stored_names(connection), *(name for name, _ in roots.folders)})

    def count(ranges: list[Range]) -> int:
        return connection.scalar(
            select(func.count()).select_from(schema.videos).where(in_ranges(schema.videos.c.path, ranges))
        ) or 0  # fmt: skip

    def others(name: str) -> int:
        if roots.folder(name) is None:
            return 0
        return sum(1 for _ in _changes(connection, schema.videos, roots.other_ranges(name), _adopted(roots, name)))

    return [RootRows(name=name, videos=count([root_range(name)]), others=others(name)) for name in names]


def adopt(connection: Connection, name: str) -> Rewritten:
    """Store the paths of all files in the folder of a root below it.

    Raises:
        LibraryError: This machine does not know the root, or two videos would be one.
    """
    roots = _known(connection, name)
    return _rewrite(connection, roots.other_ranges(name), _adopted(roots, name))


def release(connection: Connection, name: str) -> Rewritten:
    """Store the paths of all files below a root as plain ones of this machine.

    Raises:
        LibraryError: As `adopt` does.
    """
    roots = _known(connection, name)

    def plain(stored: bytes) -> bytes:
        shown = roots.shown(stored)
        return os.fsencode(shown) if roots.stored(shown) == stored else stored  # else it leaves its root, and stays

    return _rewrite(connection, [root_range(name)], plain)


def _known(connection: Connection, name: str) -> MediaRoots:
    roots = roots_of(connection.dialect)
    if roots.folder(name) is None:
        raise LibraryError(f"The {unset_text(name)}.")
    return roots


def _adopted(roots: MediaRoots, name: str) -> Callable[[bytes], bytes]:
    """Return what gives a stored path below a root its new form; one of a root inside it is left to that."""

    def change(stored: bytes) -> bytes:
        now = roots.as_stored_now(stored)
        return now if now.startswith(root_range(name)[0]) else stored

    return change


def _stored_names(connection: Connection) -> Iterator[str]:
    """Yield the names of the roots that the library has videos of."""
    path = type_coerce(schema.videos.c.path, LargeBinary)
    first = b"a"
    while True:
        found = connection.scalar(select(path).where(path >= first, path < b"{").order_by(path).limit(1))
        if found is None:
            return
        name = unset_root(MediaRoots().shown(bytes(found)))
        if name is None:  # no path of ours
            first = bytes(found) + b"\0"
        else:
            yield name
            first = root_range(name)[1]


def _changes(
    connection: Connection, table: Table, ranges: list[Range], change: Callable[[bytes], bytes]
) -> Iterator[tuple[Any, bytes, bytes]]:
    """Yield keys of rows with their stored paths, as they are and as they are to be, a block at a time."""
    path = type_coerce(table.c.path, LargeBinary)
    key = _key(table)
    statement = select(key.label("row"), path.label("stored")).where(in_ranges(table.c.path, ranges))
    last: Any = None
    while True:
        block = statement if last is None else statement.where(key > last)
        found = connection.execute(block.order_by(key).limit(_BLOCK)).all()
        for row, stored in found:
            stored = bytes(stored)
            if (now := change(stored)) != stored:
                yield row, stored, now
        if len(found) < _BLOCK:
            return
        last = found[-1][0]


def _key(table: Table) -> ColumnElement[Any]:
    return table.c.id if "id" in table.c else type_coerce(table.c.path, LargeBinary)


def _rewrite(connection: Connection, ranges: list[Range], change: Callable[[bytes], bytes]) -> Rewritten:
    counts = dict.fromkeys(_TABLES, 0)
    for table in _TABLES:
        for block in chunks(_changes(connection, table, ranges, change)):
            _make_way(connection, table, [now for _, _, now in block])
            values: dict[str, Any] = {"path": bindparam("now", type_=LargeBinary)}
            if "volume" in table.c:  # of this machine alone; found again by the next run where it counts
                values |= {"volume": "", "file_id": ""}
            row = bindparam("row", type_=Integer if "id" in table.c else LargeBinary())
            statement = update(table).where(_key(table) == row).values(values)
            connection.execute(statement, [{"row": key, "now": now} for key, _, now in block])
            counts[table] += len(block)
    videos = counts.pop(schema.videos)
    return Rewritten(videos, sum(counts.values()))


def _make_way(connection: Connection, table: Table, stored: list[bytes]) -> None:
    """Raise LibraryError if there are videos at these paths already. Failures there go: they are tried again."""
    path = type_coerce(table.c.path, LargeBinary)
    taken = path.in_(bindparam("taken", stored, expanding=True, type_=LargeBinary))
    if table is schema.failures:
        connection.execute(delete(table).where(taken))
    elif table is schema.videos and (twice := connection.scalar(select(path).where(taken).limit(1))) is not None:
        name = os.fsdecode(bytes(twice))
        shown = roots_of(connection.dialect).shown(bytes(twice))
        raise LibraryError(
            f"The library has {shown} twice, of which one is stored as {name}. Nothing was changed. Where no roots are "
            "set, the two have two names: remove one there (PRISMSEARCH_SETTINGS=/dev/null prismsearch remove FILE)."
        )
