"""Queries for timed text. Every function runs in the caller's read transaction. Damaged rows are left out."""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select

from db.rows import TEXT_SOURCE, DamagedRow, chunks
from db.sql import raw
from db.text.tables import text_sources
from db.timed_text import TextKind, TextSource, TimedLine, TimedWord

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredLine:
    """A line of a video as the library has it."""

    id: int
    source_id: int
    video_id: int
    kind: TextKind
    line: TimedLine
    next: str  # the beginning of the next line, with what separates the two: db.text.joining


@dataclass(frozen=True, slots=True, kw_only=True)
class TextCount:
    """How much text of a kind a library has."""

    videos: int
    sources: int
    lines: int


_COLUMNS = "l.id, l.source_id, s.video_id, s.kind, l.start_ms, l.end_ms, l.text, l.next, l.confidence, l.words, l.box"
_LINES = f"SELECT {_COLUMNS} FROM text_lines AS l JOIN text_sources AS s ON s.id = l.source_id WHERE"


def sources_of(connection: Connection, video_ids: Iterable[int] | None) -> dict[int, list[TextSource]]:
    """Return the sources of videos (None: of all) in the order of their kinds and origins, by the id of the video."""
    statement = select(text_sources).order_by(text_sources.c.video_id, text_sources.c.kind, text_sources.c.origin)
    parts = (
        [statement]
        if video_ids is None
        else [statement.where(text_sources.c.video_id.in_(chunk)) for chunk in chunks(map(int, video_ids))]
    )
    found: dict[int, list[TextSource]] = {}
    for part in parts:
        for source in TEXT_SOURCE.load_sound(connection.execute(part).mappings(), "origin"):
            found.setdefault(source.video_id or 0, []).append(source)
    return found


def lines_of(
    connection: Connection,
    video_id: int,
    kinds: Collection[TextKind] | None,
    start_ms: int | None,
    end_ms: int | None,
    source_id: int | None,
) -> list[StoredLine]:
    """Return the lines of a video by start; see `Texts.lines`."""
    conditions, values = ["s.video_id = ?"], [int(video_id)]
    if source_id is not None:
        conditions, values = [*conditions, "s.id = ?"], [*values, int(source_id)]
    if start_ms is not None:  # a line without length is at its start
        conditions, values = [*conditions, "(l.end_ms > ? OR l.start_ms >= ?)"], [*values, start_ms, start_ms]
    if end_ms is not None:
        conditions, values = [*conditions, "l.start_ms < ?"], [*values, end_ms]
    statement = f"{_LINES} {' AND '.join(conditions)} ORDER BY l.start_ms, l.end_ms, l.id"
    found = _load(connection, statement, tuple(values))
    return [line for line in found if kinds is None or line.kind in kinds]


def lines_by_id(connection: Connection, ids: Iterable[int]) -> dict[int, StoredLine]:
    """Return lines by their ids. Unknown ids are left out."""
    statement = f"{_LINES} l.id IN (SELECT value FROM json_each(?))"
    return {line.id: line for line in _load(connection, statement, (json.dumps([int(each) for each in ids]),))}


def counts(connection: Connection) -> dict[TextKind, TextCount]:
    """Return how much text of each kind there is; kinds without any are left out."""
    kind = text_sources.c.kind
    statement = select(
        kind, func.count(text_sources.c.video_id.distinct()), func.count(), func.sum(text_sources.c.lines)
    )
    found = connection.execute(statement.where(text_sources.c.lines > 0).group_by(kind).order_by(kind))
    return {each: TextCount(videos=videos, sources=sources, lines=int(lines)) for each, videos, sources, lines in found}


def has_damage(connection: Connection, source_id: int) -> bool:
    """Return whether a source, or any of its lines, is none that we wrote."""
    (row,) = connection.execute(select(text_sources).where(text_sources.c.id == source_id)).mappings().all()
    try:
        TEXT_SOURCE.load(row)
    except DamagedRow:
        return True
    found = raw(connection, f"{_LINES} s.id = ?", (source_id,))
    return any(_line(each[4:]) is None for each in found)


def _load(connection: Connection, statement: str, values: tuple[Any, ...]) -> list[StoredLine]:
    cursor = raw(connection, statement, values).cursor
    assert cursor is not None
    lines = []
    for number, source, video, kind, *stored in cursor.fetchall():
        line = _line(stored)
        if line is None:
            logger.warning("a line of text is damaged and is left out; `prismsearch doctor` says more")
        else:
            lines.append(StoredLine(id=number, source_id=source, video_id=video, kind=kind, line=line, next=stored[3]))
    return lines


def _line(stored: Sequence[Any]) -> TimedLine | None:
    """Return a record of the columns from `start_ms` on, or None if they are none that we wrote."""
    start, end, text, following, confidence, words, box = stored
    try:
        if type(start) is not int or type(end) is not int or type(text) is not str or type(following) is not str:
            return None
        timed = tuple(TimedWord(*word) for word in json.loads(words)) if words else ()
        sides = tuple(map(float, json.loads(box))) if box else None
        if sides is not None and len(sides) != 4:
            return None
        return TimedLine(start, end, text, confidence, timed, sides)
    except (TypeError, ValueError, RecursionError):
        return None
