"""The order of a collection's subclips: positions with gaps between, so that a move writes one row.

Where a gap is used up, the whole collection is numbered anew in the same transaction; so an order can be changed
for ever. Subclips that were taken out keep their places among the others.
"""

from __future__ import annotations

from enum import Enum

from sqlalchemy import Connection, bindparam, func, select, update

from db.schema import subclips

STEP = 1 << 20
"""The gap that new places leave: 20 moves into one and the same gap halve it to nothing."""


class Place(Enum):
    """Where there is no neighbour to name."""

    FIRST = "first"
    END = "end"


FIRST, END = Place.FIRST, Place.END


def free_places(connection: Connection, collection_id: int, count: int, after: int | Place) -> list[int]:
    """`count` free positions, ascending: right after that subclip, before all, or after all.

    Raises KeyError where `after` is no subclip of this collection; one that was taken out is.
    """
    if count == 0:
        return []
    lowest, highest = connection.execute(
        select(func.min(subclips.c.position), func.max(subclips.c.position)).where(
            subclips.c.collection_id == collection_id
        )
    ).one()
    if not isinstance(after, Place):
        previous = _position(connection, collection_id, after)
        following = _next(connection, collection_id, previous)
        if following is not None:
            if following - previous <= count:
                _spread(connection, collection_id, max(STEP, 2 * count))
                previous = _position(connection, collection_id, after)
                following = _next(connection, collection_id, previous)
                assert following is not None, "the order did not change"
            gap = following - previous
            return [previous + gap * number // (count + 1) for number in range(1, count + 1)]
    if lowest is None:
        return [STEP * number for number in range(1, count + 1)]
    if after is FIRST:
        return [lowest - STEP * number for number in range(count, 0, -1)]
    return [highest + STEP * number for number in range(1, count + 1)]


def _position(connection: Connection, collection_id: int, subclip_id: int) -> int:
    position = connection.scalar(
        select(subclips.c.position).where(subclips.c.id == subclip_id, subclips.c.collection_id == collection_id)
    )
    if position is None:
        raise KeyError(f"no subclip of this collection has the id {subclip_id}")
    return int(position)


def _next(connection: Connection, collection_id: int, position: int) -> int | None:
    found = connection.scalar(
        select(func.min(subclips.c.position)).where(
            subclips.c.collection_id == collection_id, subclips.c.position > position
        )
    )
    return None if found is None else int(found)


def _spread(connection: Connection, collection_id: int, step: int) -> None:
    """The same order with `step` between neighbours."""
    ids = connection.scalars(
        select(subclips.c.id)
        .where(subclips.c.collection_id == collection_id)
        .order_by(subclips.c.position, subclips.c.id)
    ).all()
    connection.execute(
        update(subclips).where(subclips.c.id == bindparam("subclip_id")).values(position=bindparam("place")),
        [{"subclip_id": subclip_id, "place": step * number} for number, subclip_id in enumerate(ids, start=1)],
    )
