"""Reading, inserting, changing and removing subclips. `db.subclip_locations` finds their content.

Every function runs inside the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Select, and_, delete, insert, select, update

from db import reading
from db.errors import EditConflict
from db.ordering import LAST, Edge, free_positions
from db.records import NewSubclip, Segment, Subclip, Video
from db.rows import SUBCLIP, VIDEO, chunks
from db.schema import subclips
from db.subclip_locations import load_subclips
from db.text_limits import MAX_NAME_LENGTH, MAX_NOTE_LENGTH, checked_text
from db.timestamps import now

_OF_VIDEO = frozenset(VIDEO.columns) & frozenset(SUBCLIP.columns) - {"start_pts", "end_pts"}
"""Columns that a subclip copies from its video."""
_SAME = ("fingerprint", "content_hash", "start_pts", "end_pts")
"""Columns in which two subclips of one collection differ."""


def list_subclips(connection: Connection, collection_id: int) -> list[Subclip]:
    """Return the subclips of a collection in order, without removed ones."""
    condition = and_(subclips.c.collection_id == collection_id, subclips.c.removed_at.is_(None))
    ordered = select(subclips).where(condition).order_by(subclips.c.position, subclips.c.id)
    return load_subclips(connection, connection.execute(ordered).mappings().all())


def get_subclip(connection: Connection, subclip_id: int) -> Subclip:
    """Return a subclip. Raise KeyError if the id is unknown or the subclip was removed."""
    return _by_id(connection, [subclip_id])[subclip_id]


def insert_subclips(
    connection: Connection, collection_id: int, items: Sequence[NewSubclip], after: int | Edge = LAST
) -> list[Subclip]:
    """Insert a subclip for each item whose range is not in the collection yet. Return the subclips of all items.

    Args:
        connection: In a write transaction.
        collection_id: The collection to insert into.
        items: The new subclips, in order.
        after: The id of the subclip to insert after, or an edge.

    Raises:
        KeyError: A segment or `after` is unknown.
        ValueError: A range, name or note is not allowed.
    """
    known = reading.segments_by_id(connection, dict.fromkeys(item.segment_id for item in items))
    existing = {
        tuple(key): subclip_id
        for subclip_id, *key in connection.execute(
            select(subclips.c.id, *(subclips.c[name] for name in _SAME))
            .where(subclips.c.collection_id == collection_id, subclips.c.removed_at.is_(None))
            .order_by(subclips.c.position.desc())  # the first of equal ranges counts
        )
    }
    keys: list[tuple[Any, ...]] = []
    fresh: dict[tuple[Any, ...], dict[str, Any]] = {}
    for item in items:
        if item.segment_id not in known:
            raise KeyError(f"no segment has the id {item.segment_id}")
        values = _values(item, *known[item.segment_id])
        key = tuple(values[name] for name in _SAME)
        keys.append(key)
        if key not in existing:
            fresh.setdefault(key, values)
    positions = free_positions(connection, collection_id, len(fresh), after)
    if fresh:
        common = {"collection_id": collection_id, "created_at": now()}
        added = [values | common | {"position": at} for values, at in zip(fresh.values(), positions, strict=True)]
        connection.execute(insert(subclips), added)
        ids = _ids_at(connection, collection_id, positions)
        existing.update({key: ids[at] for key, at in zip(fresh, positions, strict=True)})
    found = _by_id(connection, [existing[key] for key in keys])
    return [found[existing[key]] for key in keys]


def change_subclip(
    connection: Connection,
    subclip_id: int,
    revision: int,
    *,
    start_pts: int | None,
    end_pts: int | None,
    name: str | None,
    note: str | None,
) -> Subclip:
    """Change the values that are not None, and return the subclip.

    Raises:
        KeyError: The subclip does not exist.
        ValueError: A value is not allowed.
        EditConflict: The subclip has another revision, and does not have the new values already.
    """
    current = get_subclip(connection, subclip_id)
    wanted = replace(
        current,
        start_pts=current.start_pts if start_pts is None else start_pts,
        end_pts=current.end_pts if end_pts is None else end_pts,
        name=current.name if name is None else checked_text(name, "name", MAX_NAME_LENGTH),
        note=current.note if note is None else checked_text(note, "note", MAX_NOTE_LENGTH),
    )
    if wanted == current:  # also if a request is repeated because its first response was lost
        return current
    if revision != current.revision:
        raise EditConflict(current)
    _check_range(wanted.start_pts, wanted.end_pts, wanted.video_start_pts, wanted.video_end_pts)
    connection.execute(
        update(subclips)
        .where(subclips.c.id == subclip_id)
        .values(
            start_pts=wanted.start_pts,
            end_pts=wanted.end_pts,
            name=wanted.name,
            note=wanted.note,
            revision=current.revision + 1,
        )
    )
    return get_subclip(connection, subclip_id)


def mark_removed(connection: Connection, ids: Iterable[int], within: Select[tuple[int]], *, removed: bool) -> int:
    """Remove subclips, or restore them at their positions. Return how many changed.

    Args:
        connection: In a write transaction.
        ids: The subclips. Those that are not `within` stay as they are.
        within: Selects the ids of collections.
        removed: Whether they are removed from now on.
    """
    marked = subclips.c.removed_at
    return sum(
        connection.execute(
            update(subclips)
            .where(
                subclips.c.id.in_(chunk),
                subclips.c.collection_id.in_(within),
                marked.is_(None) if removed else marked.is_not(None),
            )
            .values(removed_at=now() if removed else None)
        ).rowcount
        for chunk in chunks({int(subclip_id) for subclip_id in ids})
    )


def purge_subclips(connection: Connection, before: str) -> None:
    """Delete the subclips that were removed before a time."""
    connection.execute(delete(subclips).where(subclips.c.removed_at < before))


def _ids_at(connection: Connection, collection_id: int, positions: Sequence[int]) -> dict[int, int]:
    """Return the ids of subclips by their positions."""
    found: dict[int, int] = {}
    for chunk in chunks(positions):
        condition = and_(subclips.c.collection_id == collection_id, subclips.c.position.in_(chunk))
        for position, subclip_id in connection.execute(select(subclips.c.position, subclips.c.id).where(condition)):
            found[position] = subclip_id
    return found


def _by_id(connection: Connection, ids: Iterable[int]) -> dict[int, Subclip]:
    wanted = list(dict.fromkeys(ids))
    found: dict[int, Subclip] = {}
    for chunk in chunks(wanted):
        condition = and_(subclips.c.id.in_(chunk), subclips.c.removed_at.is_(None))
        stored = connection.execute(select(subclips).where(condition)).mappings().all()
        found.update({subclip.id: subclip for subclip in load_subclips(connection, stored)})
    for subclip_id in wanted:
        if subclip_id not in found:
            raise KeyError(f"no subclip has the id {subclip_id}")
    return found


def _values(item: NewSubclip, segment: Segment, video: Video) -> dict[str, Any]:
    start = segment.start_pts if item.start_pts is None else item.start_pts
    end = segment.end_pts if item.end_pts is None else item.end_pts
    _check_range(start, end, video.start_pts, video.end_pts)
    return {name: value for name, value in VIDEO.values(video).items() if name in _OF_VIDEO} | {
        "video_id": video.id,
        "segment_id": item.segment_id,
        "video_start_pts": video.start_pts,
        "video_end_pts": video.end_pts,
        "start_pts": start,
        "end_pts": end,
        "name": checked_text(item.name, "name", MAX_NAME_LENGTH),
        "note": checked_text(item.note, "note", MAX_NOTE_LENGTH),
        "score": item.score,
    }


def _check_range(start: int, end: int, video_start: int, video_end: int) -> None:
    if not video_start <= start < end <= video_end:
        raise ValueError(
            f"A subclip must end after it starts and lie within its video ({video_start} to {video_end} pts); "
            f"this one is {start} to {end}."
        )
