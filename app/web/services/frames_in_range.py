"""The frames of a range of an indexed video, as the trim editor shows them."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from db.records import Video


def frames_in_range(video: Video, start: Fraction, end: Fraction) -> Sequence[int]:
    """Return the pts of the frames with start <= time < end, exactly those that an export of the range contains.

    Args:
        video: The video as indexed.
        start: Seconds from the first frame shown.
        end: Seconds from the first frame shown.

    Returns:
        Ascending pts in the video's time base; empty if no frame begins in the range.

    Raises:
        UnreadableVideo: The file cannot be opened or decoded.
    """
    from app.exporting.ffmpeg_binary import ExportError
    from app.exporting.survey import SAME_SECONDS, survey_range
    from indexer.media.frame_times import packet_times

    low, high = start - SAME_SECONDS, end - SAME_SECONDS
    if not video.damaged:
        found = packet_times(video.path, video.start_pts, low, high, frames=video.frames)
        if found is not None:
            return found
    try:
        return survey_range(video.path, start, end, clock_jumps=video.clock_jumps).pts
    except ExportError:
        return ()
