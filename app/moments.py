"""Composition of moments: a finder that keeps them in the library and reads frames of files that are as indexed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.media_workers import ReadMedia

if TYPE_CHECKING:
    from db.records import Video
    from indexer.media.stretch import StretchFrames
    from search.engine import SearchEngine
    from search.moments.finder import MomentFinder

MOST_READING_SECONDS = 60.0
"""The longest that reading the frames of one stretch may take."""


def open_finder(engine: SearchEngine, read: ReadMedia) -> MomentFinder:
    """Return a finder of moments for hits of an engine.

    `find` raises UnreadableVideo or OSError, besides its own errors, where the file cannot be read, is not there, or is
    another one now.

    Args:
        engine: Its library keeps the moments.
        read: Calls the function that reads frames.
    """
    from search.moments.finder import MomentFinder
    from search.moments.moment_cache import MomentCache

    library = engine.library

    def frames(video: Video, start_pts: int, end_pts: int, most: int) -> StretchFrames:
        from app.exporting.sources import require_indexed
        from indexer.media.stretch import read_stretch

        there = require_indexed(library, video)
        start, end = ((pts - video.start_pts) * video.time_base for pts in (start_pts, end_pts))
        return read(
            read_stretch,
            there.path,
            engine.encoder.clip_spec,
            start,
            end,
            most,
            path=there.path,
            most_seconds=MOST_READING_SECONDS,
        )

    return MomentFinder(engine, frames, MomentCache(library.directory, read_only=library.read_only))
