"""Overview of all videos with their counts, in a few queries however many videos there are."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, and_, func, select

from db import reading
from db.records import Video
from db.schema import encoders, encodings, segments, shots


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoOverview:
    """A video with counts of its parts."""

    video: Video
    shots: int
    segments: int
    middle_segment: int | None  # id of the segment in its middle, whose poster represents the video
    encoders: frozenset[str]  # ids of those that have embedded it


def overview(connection: Connection) -> list[VideoOverview]:
    """Return every video, by path. Runs inside the caller's transaction."""
    per_video = select(shots.c.video_id, func.count()).group_by(shots.c.video_id)
    shot_counts: dict[int, int] = {row[0]: row[1] for row in connection.execute(per_video)}
    counted = select(segments.c.video_id, func.count().label("count")).group_by(segments.c.video_id).subquery("counted")
    middle = {
        video_id: (count, segment_id)
        for video_id, count, segment_id in connection.execute(
            select(counted.c.video_id, counted.c.count, segments.c.id).join(
                segments,
                and_(segments.c.video_id == counted.c.video_id, segments.c.number == counted.c.count // 2),
            )
        )
    }
    by: dict[int, set[str]] = {}
    for video_id, encoder_id in connection.execute(
        select(encodings.c.video_id, encoders.c.id).join(encoders, encoders.c.number == encodings.c.encoder)
    ):
        by.setdefault(video_id, set()).add(encoder_id)
    found = []
    for video in reading.videos_where(connection, None):
        assert video.id is not None, "what comes from the library has an id"
        count, segment_id = middle.get(video.id, (0, None))
        found.append(
            VideoOverview(
                video=video,
                shots=shot_counts.get(video.id, 0),
                segments=count,
                middle_segment=segment_id,
                encoders=frozenset(by.get(video.id, ())),
            )
        )
    return found
