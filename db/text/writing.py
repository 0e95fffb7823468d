"""Changes to timed text. Every function runs in the caller's write transaction.

The lines of a source have consecutive ids in the order of their times, and the ids of a kind of text are one range:
see `ids_of_kind`. Ids are not given twice while a vanished line has them.
"""

from __future__ import annotations

import json
import re
import unicodedata
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, get_args

from sqlalchemy import Connection, delete, insert, select, update

from db.rows import TEXT_SOURCE, chunks
from db.schema import videos
from db.sql import on_server, raw
from db.text.joining import beginnings_of_next
from db.text.server.indexing import index_lines
from db.text.tables import text_lines, text_sources, vanished_text_lines
from db.timed_text import TextKind, TextSource, TimedLine

_KIND_BITS = 40
_CONTROLS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029]+")
_CHECKED = "start_ms, end_ms, text, next, confidence, words, box"


def ids_of_kind(kind: TextKind) -> tuple[int, int]:
    """Return the first id that lines of a kind may have, and the first one beyond them."""
    number = get_args(TextKind).index(kind) + 1
    return number << _KIND_BITS, (number + 1) << _KIND_BITS


def put_source(connection: Connection, video_id: int, source: TextSource, lines: Iterable[TimedLine]) -> int:
    """Store a source with its lines, in place of the one of its kind and origin. Return its id.

    Raises:
        KeyError: No video has the id.
    """
    if connection.scalar(select(videos.c.id).where(videos.c.id == int(video_id))) is None:
        raise KeyError(f"no video has the id {video_id}")
    ordered = sorted(_sound(lines), key=lambda line: (line.start_ms, line.end_ms))
    first = _next_line_id(connection, source.kind)
    nexts = beginnings_of_next(source.kind, ordered)
    stored = [_row(line, following) for line, following in zip(ordered, nexts, strict=True)]
    source = replace(source, language=_clean(source.language), title=_clean(source.title), engine=_clean(source.engine))
    values = TEXT_SOURCE.values(source) | {
        "video_id": int(video_id),
        "lines": len(stored),
        "first_line": first if stored else 0,
        "checksum": _checksum(stored),
    }
    here = (text_sources.c.video_id == values["video_id"]) & (text_sources.c.kind == source.kind)
    connection.execute(delete(text_sources).where(here & (text_sources.c.origin == source.origin)))
    added = connection.execute(insert(text_sources).values(values)).inserted_primary_key
    assert added is not None
    raw(
        connection,
        f"INSERT INTO text_lines (id, source_id, {_CHECKED}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [(first + at, added[0], *row) for at, row in enumerate(stored)],
    ) if stored else None
    index_texts(connection, int(video_id))
    return int(added[0])


def delete_sources(connection: Connection, ids: Iterable[int]) -> int:
    """Delete sources with their lines. Return how many there were."""
    return sum(
        connection.execute(delete(text_sources).where(text_sources.c.id.in_(chunk))).rowcount
        for chunk in chunks(map(int, ids))
    )


def copy_texts(connection: Connection, video_id: int, new_id: int) -> None:
    """Give a copy of a video its texts, except those of files beside it, which may not be beside the copy."""
    columns = [column for column in text_sources.c if column.name not in ("id", "video_id", "first_line")]
    own = (text_sources.c.video_id == video_id) & (text_sources.c.file == "")
    statement = select(text_sources.c.id, text_sources.c.first_line, *columns).where(own).order_by(text_sources.c.id)
    for old, first, *rest in connection.execute(statement).all():
        values: dict[str, Any] = {column.name: value for column, value in zip(columns, rest, strict=True)}
        start = _next_line_id(connection, values["kind"]) if values["lines"] else 0
        added = connection.execute(insert(text_sources).values(values | {"video_id": new_id, "first_line": start}))
        assert added.inserted_primary_key is not None
        raw(
            connection,
            f"INSERT INTO text_lines (id, source_id, {_CHECKED}) SELECT id + ?, ?, {_CHECKED} FROM text_lines"
            " WHERE source_id = ? ORDER BY id",
            (start - first, added.inserted_primary_key[0], old),
        )
    index_texts(connection, new_id)


def index_texts(connection: Connection, video_id: int) -> None:
    """Index the lines of a video that were just written. SQLite's triggers have done it already."""
    if on_server(connection):
        index_lines(connection, video_id)


def set_aside(connection: Connection, video_id: int) -> None:
    """Take the texts from a video whose row is about to be replaced; `give_back` must follow in this transaction."""
    wait = "SET CONSTRAINTS ALL DEFERRED" if on_server(connection) else "PRAGMA defer_foreign_keys = ON"
    connection.exec_driver_sql(wait)  # until the commit
    connection.execute(update(text_sources).where(text_sources.c.video_id == video_id).values(video_id=-video_id))


def give_back(connection: Connection, video_id: int, new_id: int) -> None:
    """Give the texts that `set_aside` took from a video to the one in its place."""
    connection.execute(update(text_sources).where(text_sources.c.video_id == -video_id).values(video_id=new_id))


def lines_checksum(connection: Connection, source_id: int) -> int:
    """Return the checksum of a source's lines as they are now."""
    return _checksum(
        raw(connection, f"SELECT {_CHECKED} FROM text_lines WHERE source_id = ? ORDER BY id", (source_id,))
    )


def _next_line_id(connection: Connection, kind: TextKind) -> int:
    first, beyond = ids_of_kind(kind)
    for table in (text_lines, vanished_text_lines):
        within = (table.c.id >= first) & (table.c.id < beyond)
        last = connection.scalar(select(table.c.id).where(within).order_by(table.c.id.desc()).limit(1))
        first = max(first, 0 if last is None else last + 1)
    return first


def _sound(lines: Iterable[TimedLine]) -> Iterable[TimedLine]:
    """Yield lines with texts that can be stored and searched, without those that are blank then."""
    for line in lines:
        text = _clean(line.text)
        if text:
            yield line if text == line.text else replace(line, text=text)


def _clean(text: str) -> str:
    """Return a text in composed form (NFC), without control characters, half characters and surrounding space."""
    text = text.encode("utf-8", "replace").decode("utf-8")
    return unicodedata.normalize("NFC", _CONTROLS.sub(" ", text)).strip()


def _row(line: TimedLine, following: str) -> tuple[Any, ...]:
    words = [[each.start_ms, each.end_ms, _clean(each.text), each.confidence] for each in line.words]
    return (
        line.start_ms,
        line.end_ms,
        line.text,
        following,
        None if line.confidence is None else float(line.confidence),
        json.dumps(words, ensure_ascii=False) if words else None,
        None if line.box is None else json.dumps(list(map(float, line.box))),
    )


def _checksum(stored: Iterable[Sequence[Any]]) -> int:
    value = 0
    for row in stored:
        value = zlib.crc32(repr(tuple(row)).encode("utf-8", "surrogateescape"), value)
    return value
