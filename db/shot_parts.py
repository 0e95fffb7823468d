"""Parts of shots: which part of its shot a segment is, and of how many."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, func, select

from db.rows import chunks
from db.schema import segments


def shot_parts(connection: Connection, ids: Iterable[int]) -> dict[int, tuple[int, int]]:
    """Return (part, number of parts) by segment id, counted from 1: (1, 1) for a whole shot. Unknown ids are left out.

    Segments of a video are numbered in order, so those of a shot lie side by side: the nearest segment of another shot
    is looked for on either side, by the index over (video, number). A long video costs no more than a short one.
    """
    other = segments.alias()
    beside = select(other.c.number).where(
        other.c.video_id == segments.c.video_id, other.c.shot_number != segments.c.shot_number
    )
    before = beside.where(other.c.number < segments.c.number).order_by(other.c.number.desc()).limit(1)
    after = beside.where(other.c.number > segments.c.number).order_by(other.c.number).limit(1)
    last = select(func.max(other.c.number)).where(other.c.video_id == segments.c.video_id)
    statement = select(
        segments.c.id,
        segments.c.number - func.coalesce(before.scalar_subquery(), -1),
        func.coalesce(after.scalar_subquery(), last.scalar_subquery() + 1)
        - func.coalesce(before.scalar_subquery(), -1)
        - 1,
    )
    return {
        segment_id: (part, count)
        for chunk in chunks(int(each) for each in ids)
        for segment_id, part, count in connection.execute(statement.where(segments.c.id.in_(chunk)))
    }
