"""Times of the segments of whole videos, as arrays: for searches that look at how segments follow each other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, select

from db.integer_columns import integer_columns
from db.rows import chunks
from db.schema import segments, videos
from db.sql import on_server

Span = tuple[int, int, int]
"""A video, and start and end in milliseconds from its first frame shown."""

_BEFORE = "SELECT id, end_pts FROM segments WHERE video_id = ? AND start_pts < ? ORDER BY start_pts DESC"
_SHARING = """
SELECT span.ordinality, segments.id
FROM unnest(CAST(%s AS BIGINT[]), CAST(%s AS BIGINT[]), CAST(%s AS BIGINT[])) WITH ORDINALITY
    AS span (video, start, "end", ordinality)
JOIN segments ON segments.video_id = span.video AND start_pts < span."end" AND end_pts > span.start
ORDER BY span.ordinality, start_pts
"""
"""All answers of a server at once: a question for each span would take longer on the way than it takes to answer."""
_MOST_PTS = (1 << 63) - 1


@dataclass(frozen=True, slots=True, eq=False)
class SegmentTimes:
    """Segments, by video and start.

    Attributes:
        ids, video_ids, shots: int64 (n,); `shots` are numbers of shots within the video.
        starts, ends: float64 (n,), seconds in the video's own time; each end is after its start.
    """

    ids: NDArray[np.int64]
    video_ids: NDArray[np.int64]
    shots: NDArray[np.int64]
    starts: NDArray[np.float64]
    ends: NDArray[np.float64]

    def of(self, ids: NDArray[np.int64]) -> SegmentTimes:
        """Return those of the segments that are among `ids`."""
        kept = np.isin(self.ids, ids, assume_unique=True)
        return SegmentTimes(self.ids[kept], self.video_ids[kept], self.shots[kept], self.starts[kept], self.ends[kept])


def segment_times(connection: Connection, video_ids: Iterable[int]) -> SegmentTimes:
    """Return the times of all segments of these videos. Unknown videos and damaged rows are left out."""
    columns = segments.c.id, segments.c.video_id, segments.c.shot_number, segments.c.start_pts, segments.c.end_pts
    found = select(*columns, videos.c.time_base_num, videos.c.time_base_den).join(videos)
    ordered = found.order_by(segments.c.video_id, segments.c.shot_number, segments.c.start_pts, segments.c.id)
    parts = [integer_columns(connection, ordered.where(segments.c.video_id.in_(some))) for some in chunks(video_ids)]
    ids, owners, shots, starts, ends, num, den = np.concatenate([np.zeros((7, 0), np.int64), *parts], axis=1)
    sound = (ends > starts) & (num > 0) & (den > 0)
    seconds = num[sound] / den[sound]
    return SegmentTimes(ids[sound], owners[sound], shots[sound], starts[sound] * seconds, ends[sound] * seconds)


def segments_at(connection: Connection, spans: Sequence[Span]) -> list[tuple[int, ...]]:
    """Return, for each span of a video, the segments that it shares time with, by time.

    Segments of a video begin and end in the same order, so each answer is a part of the index by start.

    Args:
        connection: In a read transaction.
        spans: One without length is an instant. Those of unknown videos share time with nothing.
    """
    columns = videos.c.id, videos.c.start_pts, videos.c.time_base_num, videos.c.time_base_den
    clocks: dict[int, tuple[int, int, int]] = {
        video: (start, num, den)
        for some in chunks({video for video, _, _ in spans})
        for video, start, num, den in integer_columns(
            connection, select(*columns).where(videos.c.id.in_(some))
        ).T.tolist()
        if num > 0 and den > 0
    }
    asked: list[Span | None] = []
    for video, start_ms, end_ms in spans:
        if video not in clocks:
            asked.append(None)
            continue
        origin, num, den = clocks[video]
        start = origin + start_ms * den // (1000 * num)
        end = max(origin - (-end_ms * den // (1000 * num)), start + 1)  # rounded up: starts are integers
        asked.append((video, min(start, _MOST_PTS), min(end, _MOST_PTS)))
    return _sharing_on_server(connection, asked) if on_server(connection) else _sharing(connection, asked)


def _sharing(connection: Connection, spans: Sequence[Span | None]) -> list[tuple[int, ...]]:
    """Return the segments that share time with each span, which is in pts; None shares time with nothing."""
    found = []
    # The driver's own cursor: SQLAlchemy's part would be most of the time of such small statements.
    cursor = connection.connection.cursor()
    for span in spans:
        ids: list[int] = []
        if span is not None:
            video, start, end = span
            cursor.execute(_BEFORE, (video, end))
            while (row := cursor.fetchone()) is not None:
                if type(row[1]) is int and row[1] <= start:
                    break
                ids.append(row[0])
        found.append(tuple(reversed(ids)))
    cursor.close()
    return found


def _sharing_on_server(connection: Connection, spans: Sequence[Span | None]) -> list[tuple[int, ...]]:
    """Return what `_sharing` does, by one query."""
    known = [(at, span) for at, span in enumerate(spans) if span is not None]
    columns = tuple([span[part] for _, span in known] for part in range(3))
    found: list[list[int]] = [[] for _ in spans]
    for place, segment in connection.exec_driver_sql(_SHARING, columns):
        found[known[place - 1][0]].append(segment)
    return [tuple(ids) for ids in found]
