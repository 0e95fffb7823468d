"""Queries for timed text. Every function runs in the caller's read transaction. Damaged rows are left out."""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, select

from db.rows import TEXT_SOURCE, DamagedRow, chunks
from db.text_schema import text_lines, text_sources
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
    next: str  # the beginning of the next line, with what separates the two: db.text_joining


@dataclass(frozen=True, slots=True, kw_only=True)
class TextCount:
    """How much text of a kind a library has."""

    videos: int
    sources: int
    lines: int


_LINES = select(text_lines, text_sources.c.video_id, text_sources.c.kind).join(text_sources)


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
    statement = _LINES.where(text_sources.c.video_id == int(video_id))
    if kinds is not None:
        statement = statement.where(text_sources.c.kind.in_(list(kinds)))
    if source_id is not None:
        statement = statement.where(text_sources.c.id == int(source_id))
    if start_ms is not None:  # a line without length is at its start
        statement = statement.where(func.max(text_lines.c.end_ms, text_lines.c.start_ms + 1) > start_ms)
    if end_ms is not None:
        statement = statement.where(text_lines.c.start_ms < end_ms)
    return _load(connection.execute(statement.order_by(text_lines.c.start_ms, text_lines.c.end_ms, text_lines.c.id)))


def lines_by_id(connection: Connection, ids: Iterable[int]) -> dict[int, StoredLine]:
    """Return lines by their ids. Unknown ids are left out."""
    return {
        line.id: line
        for chunk in chunks(map(int, ids))
        for line in _load(connection.execute(_LINES.where(text_lines.c.id.in_(chunk))))
    }


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
    return any(_line(each) is None for each in connection.execute(_LINES.where(text_sources.c.id == source_id)))


def _load(found: Iterable[Row[Any]]) -> list[StoredLine]:
    lines = []
    for row in found:
        line = _line(row)
        if line is None:
            logger.warning("a line of text is damaged and is left out; `prismsearch doctor` says more")
        else:
            lines.append(
                StoredLine(
                    id=row.id, source_id=row.source_id, video_id=row.video_id, kind=row.kind, line=line, next=row.next
                )
            )
    return lines


def _line(row: Row[Any]) -> TimedLine | None:
    """Return a row as a record, or None if it is not one that we wrote."""
    sound = type(row.start_ms) is int and type(row.end_ms) is int and type(row.text) is type(row.next) is str
    try:
        if not sound:
            return None
        words = tuple(TimedWord(*word) for word in json.loads(row.words)) if row.words else ()
        box = tuple(map(float, json.loads(row.box))) if row.box else None
        if box is not None and len(box) != 4:
            return None
        return TimedLine(row.start_ms, row.end_ms, row.text, row.confidence, words, box)  # type: ignore[arg-type]
    except (TypeError, ValueError, RecursionError):
        return None
