"""Where the content of subclips is today: by content, whatever its videos and segments are called now.

Every function runs inside the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, RowMapping, select

from db.records import Subclip
from db.rows import SUBCLIP, chunks
from db.schema import segments, videos

_SPANS = select(segments.c.id, segments.c.video_id, segments.c.start_pts, segments.c.end_pts)


@dataclass(frozen=True, slots=True)
class _Place:
    """A video that has the content."""

    video_id: int
    path: str
    timecode: str


def subclips_now(connection: Connection, stored: Sequence[RowMapping]) -> list[Subclip]:
    """Rows of the table `subclips` as records, in their order."""
    places = _places(connection, stored)
    found = _segments(connection, stored, places)
    return [_to_subclip(row, places.get(row["id"]), found.get(row["id"])) for row in stored]


def _places(connection: Connection, stored: Sequence[RowMapping]) -> dict[int, _Place]:
    """By id of the subclip: of several copies the one at its path, else the one it was made from, else the oldest."""
    copies: dict[str, list[_Place]] = {}
    for chunk in chunks(dict.fromkeys(row["fingerprint"] for row in stored)):
        for fingerprint, *place in connection.execute(
            select(videos.c.fingerprint, videos.c.id, videos.c.path, videos.c.timecode)
            .where(videos.c.fingerprint.in_(chunk))
            .order_by(videos.c.id)
        ):
            copies.setdefault(fingerprint, []).append(_Place(*place))
    found: dict[int, _Place] = {}
    for row in stored:
        ranked = [
            (place.path != row["path"], place.video_id != row["video_id"], at, place)
            for at, place in enumerate(copies.get(row["fingerprint"], ()))
        ]
        if ranked:
            found[row["id"]] = min(ranked)[-1]
    return found


def _segments(connection: Connection, stored: Sequence[RowMapping], places: dict[int, _Place]) -> dict[int, int]:
    """By id of the subclip: the segment it was made from if that still shows some of it, else who shows most of it."""
    own = {
        span.id: span
        for chunk in chunks(dict.fromkeys(row["segment_id"] for row in stored))
        for span in connection.execute(_SPANS.where(segments.c.id.in_(chunk)))
    }
    found: dict[int, int] = {}
    lost: dict[int, list[RowMapping]] = {}  # by video
    for row in stored:
        span, place = own.get(row["segment_id"]), places.get(row["id"])
        if place is None:
            continue
        if span is not None and span.video_id == place.video_id and _shared(span.start_pts, span.end_pts, row) > 0:
            found[row["id"]] = span.id
        else:
            lost.setdefault(place.video_id, []).append(row)
    for video_id, rows in lost.items():
        spans = connection.execute(_SPANS.where(segments.c.video_id == video_id).order_by(segments.c.number)).all()
        starts, ends = (np.fromiter((span[at] for span in spans), dtype=np.int64, count=len(spans)) for at in (2, 3))
        for row in rows:
            shared = np.minimum(ends, row["end_pts"]) - np.maximum(starts, row["start_pts"])
            best = int(shared.argmax()) if spans else 0
            if spans and shared[best] > 0:
                found[row["id"]] = spans[best].id
    return found


def _shared(start_pts: int, end_pts: int, row: RowMapping) -> int:
    """Pts that a segment and a subclip have in common; 0 or less where they do not meet."""
    return int(min(end_pts, row["end_pts"]) - max(start_pts, row["start_pts"]))


def _to_subclip(row: RowMapping, place: _Place | None, segment_id: int | None) -> Subclip:
    if place is None:
        return SUBCLIP.load(row, video_id=None, segment_id=segment_id)
    return SUBCLIP.load(
        row,
        video_id=place.video_id,
        segment_id=segment_id,
        path=place.path,
        timecode=place.timecode or row["timecode"],
    )
