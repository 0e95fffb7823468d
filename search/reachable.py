"""Hits in files that are not there, replaced by the same segment of a copy that is."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from db.library import Library
    from db.records import Segment, Video


def reachable_copies(
    library: Library, found: Mapping[int, tuple[Segment, Video]], is_allowed: Callable[[int], bool]
) -> dict[int, int]:
    """Return, for segments whose file is missing, the same segment of an available file with the same content.

    Args:
        library: The library of the segments.
        found: The segments of a search, by id.
        is_allowed: Whether a segment may take the place of another.
    """
    copies: dict[int, int] = {}
    others: dict[int | None, list[Video]] = {}  # by video: several segments are of one
    for segment_id, (segment, video) in found.items():
        if video.id not in others:
            others[video.id] = [] if os.path.lexists(video.path) else _copies_there(library, video)
        for other in others[video.id]:
            same = _same_segment(library, other, segment)
            if same is not None and same not in found and same not in copies.values() and is_allowed(same):
                copies[segment_id] = same
                break
    return copies


def _copies_there(library: Library, video: Video) -> list[Video]:
    """Return the other available files with a video's content, by path."""
    return [
        other
        for other in library.videos_with_fingerprint(video.fingerprint)
        if other.id not in (None, video.id) and other.content_hash == video.content_hash and os.path.isfile(other.path)
    ]


def _same_segment(library: Library, video: Video, segment: Segment) -> int | None:
    assert video.id is not None
    times = (segment.start_pts, segment.end_pts)
    segments = library.segments_of(video.id)
    return next((each.id for each in segments if (each.start_pts, each.end_pts) == times), None)
