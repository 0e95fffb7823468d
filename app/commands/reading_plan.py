"""Preview of `index --read-text`: the videos that it would read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app import word_engines
from app.jobs.jobs import Jobs
from app.jobs.recognition_cost import reading_seconds
from app.shell.paths import videos_below
from app.shell.terminal import count_text
from app.times import format_duration
from app.unrecognized import shots_of, unread_videos

if TYPE_CHECKING:
    from app.jobs.orders import IndexOrder
    from db.library import Library
    from db.records import Video
    from indexer.preview import Preview


class ReadingPlan:
    """The part of a dry run about text on screen."""

    def __init__(self, library: Library, order: IndexOrder) -> None:
        """Find what would be read of the videos that are indexed already."""
        videos = videos_below(library, order.paths)
        self._videos = videos if order.redo else unread_videos(library, videos, word_engines.text_reader_id())
        self._library = library

    def text(self, work: Preview) -> str:
        """Return `3 videos (12 shots, roughly 0:12), and those that are new or changed`."""
        videos = self._kept(work)
        more = bool(work.new or work.changed)
        if not videos:
            return "what is new or changed" if more else "every video was read before"
        shots = shots_of(self._library, videos)
        took = format_duration(self._seconds(videos, shots))
        counts = f"{count_text(len(videos), 'video')} ({count_text(shots, 'shot')}, roughly {took})"
        return f"{counts}, and what is new or changed" if more else counts

    def record(self, work: Preview) -> dict[str, Any]:
        """Return the same as JSON values. New and changed files, which are read too, are listed beside it."""
        videos = self._kept(work)
        shots = shots_of(self._library, videos)
        return {
            "videos": [video.path for video in videos],
            "shots": shots,
            "seconds": round(self._seconds(videos, shots), 1),
        }

    def _kept(self, work: Preview) -> list[Video]:
        """Return the videos that are still there after the run, with the content that they have now."""
        away = {file.path for file in work.changed} | set(work.gone.deleted)
        return [video for video in self._videos if video.path not in away]

    def _seconds(self, videos: list[Video], shots: int) -> float:
        return reading_seconds(
            Jobs(self._library.directory).all(),
            video_seconds=sum(video.duration_seconds for video in videos),
            shots=shots,
        )
