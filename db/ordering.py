"""The order of a collection's subclips, kept as positions with gaps between them, so that a move writes one row.

When a gap is used up, the whole collection is renumbered in the same transaction, so the order can be changed any
number of times. Removed subclips keep their positions.
"""

from __future__ import annotations

from enum import Enum

from sqlalchemy import Connection, bindparam, func, select, update

from db.schema import subclips

STEP = 1 << 20
"""The gap between new positions. Each insertion into the same gap halves it; after 20, it is used up."""


class Edge(Enum):
    """The beginning or the end of a collection, for insertions without a preceding subclip."""

    FIRST = "first"
    LAST = "last"


FIRST, LAST = Edge.FIRST, Edge.LAST


def free_positions(connection: Connection, collection_id: int, count: int, after: int | Edge) -> list[int]:
    """Return free positions for new subclips, in ascending order.

    Args:
        connection: In a write transaction: the collection may be renumbered.
        collection_id: The collection to insert into.
        count: How many positions are needed.
        after: The id of the subclip to insert after, which may be a removed one; or an edge.

    Raises:
        KeyError: `after` is not a subclip of this collection.
    """
    if count == 0:
        return []
    lowest, highest = connection.execute(
        select(func.min(subclips.c.position), func.max(subclips.c.position)).where(
            subclips.c.collection_id == collection_id
        )
    ).one()
    if not isinstance(after, Edge):
        previous = _position(connection, collection_id, after)
        following = _next_position(connection, collection_id, previous)
        if following is not None:
            if following - previous <= count:
                _renumber(connection, collection_id, max(STEP, 2 * count))
                previous = _position(connection, collection_id, after)
                following = _next_position(connection, collection_id, previous)
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


def _next_position(connection: Connection, collection_id: int, position: int) -> int | None:
    found = connection.scalar(
        select(func.min(subclips.c.position)).where(
            subclips.c.collection_id == collection_id, subclips.c.position > position
        )
    )
    return None if found is None else int(found)


def _renumber(connection: Connection, collection_id: int, step: int) -> None:
    """Renumber the subclips in order, with `step` between neighbours."""
    ids = connection.scalars(
        select(subclips.c.id)
        .where(subclips.c.collection_id == collection_id)
        .order_by(subclips.c.position, subclips.c.id)
    ).all()
    connection.execute(
        update(subclips).where(subclips.c.id == bindparam("subclip_id")).values(position=bindparam("new_position")),
        [{"subclip_id": subclip_id, "new_position": step * number} for number, subclip_id in enumerate(ids, start=1)],
    )
