"""Times of the segments of whole videos, as arrays: for searches that look at how segments follow each other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, select

from db.integer_columns import integer_columns
from db.rows import chunks
from db.schema import segments, videos


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


def video_starts(connection: Connection, video_ids: Iterable[int]) -> dict[int, float]:
    """Return when the first frame of each video is shown, in seconds of its own time. Unknown ids are left out."""
    columns = videos.c.id, videos.c.start_pts, videos.c.time_base_num, videos.c.time_base_den
    found = [integer_columns(connection, select(*columns).where(videos.c.id.in_(some))) for some in chunks(video_ids)]
    return {
        video_id: start * num / den
        for part in found
        for video_id, start, num, den in part.T.tolist()
        if num > 0 and den > 0
    }


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
