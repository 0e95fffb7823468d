"""`index --read-text`: text on screen of videos that are indexed and not read yet. A job of its own, after indexing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from app.commands.recognize_run import RecognitionReport, recognize_videos
from app.shell.paths import videos_below
from app.shell.terminal import count_text, print_note

if TYPE_CHECKING:
    from app.jobs.orders import IndexOrder
    from db.library import Library
    from db.records import Video
    from db.timed_text import TextSource
    from indexer.recognizing.lines import RecognizedText
    from indexer.workers.pool import WorkerPool
    from recognition.protocol import TextReader


def read_text(library: Library, order: IndexOrder, reader: TextReader) -> RecognitionReport:
    """Read the text on screen of the videos below an order's paths, and print what it took.

    A video is read once by an engine, also if it shows no text; `order.redo` reads all of them again.

    Raises:
        LibraryError, RecognitionError: See `recognize_videos`.
    """
    from indexer.recognizing.screen import read_screen

    videos = videos_below(library, order.paths)
    if not order.redo:
        sources = library.texts.sources_of([video.id for video in videos if video.id is not None])
        videos = [video for video in videos if not _was_read(sources.get(video.id or 0, []), reader)]
    if not videos:
        print_note("text on screen: every video was read before")
        return RecognitionReport()

    def read(
        video: Video, pool: WorkerPool, cancelled: Callable[[], bool], on_progress: Callable[[float], None]
    ) -> RecognizedText:
        assert video.id is not None
        segments = library.segments_of(video.id)
        return read_screen(video, segments, reader, pool, cancelled=cancelled, on_progress=on_progress)

    report = recognize_videos(
        library,
        videos,
        read,
        kind="read-text",
        verb="reading text",
        order=order,
    )
    print_note(cost_text(report))
    return report


def _was_read(sources: Sequence[TextSource], reader: TextReader) -> bool:
    return any(source.kind == "screen" and source.engine == reader.id for source in sources)


def cost_text(report: RecognitionReport) -> str:
    """Return `text on screen: 12 lines in 3 videos; 40 frames of 25 shots read, 0.61 CPU seconds a shot`."""
    text = f"text on screen: {count_text(report.lines, 'line')} in {count_text(report.done, 'video')}"
    if report.shots:
        text += (
            f"; {count_text(report.frames, 'frame')} of {count_text(report.shots, 'shot')} read, "
            f"{report.cpu_seconds / report.shots:.2f} CPU seconds a shot"
        )
    return text
