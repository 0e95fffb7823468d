"""Text on screen of videos that are indexed and not read yet: a job of its own, after `index --read-text` or alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from app import compose, word_engines
from app.commands.recognize_run import RecognitionReport, recognize_videos, report_failures, require_writable
from app.compose import Settings
from app.shell.paths import videos_below
from app.shell.terminal import count_text, print_note
from app.unrecognized import unread_videos

if TYPE_CHECKING:
    from app.jobs.orders import IndexOrder, ReadTextOrder
    from db.library import Library
    from db.records import Video
    from indexer.recognizing.lines import RecognizedText
    from indexer.workers.pool import WorkerPool
    from recognition.protocol import TextReader


def read_indexed_videos(settings: Settings, order: ReadTextOrder) -> None:
    """Read the text on screen of the videos of an order, print the report and end with the exit code for it.

    Raises:
        CommandError: The library is read-only.
        LibraryError, RecognitionError: See `recognize_videos`.
    """
    with compose.open_library(settings) as library:
        require_writable(library, "no text was read")
        report = read_text(library, order, word_engines.open_text_reader())
    report_failures(report)


def read_text(library: Library, order: IndexOrder | ReadTextOrder, reader: TextReader) -> RecognitionReport:
    """Read the text on screen of the videos below an order's paths, and print what it took.

    A video is read once by an engine, also if it shows no text; `order.redo` reads all of them again.

    Raises:
        LibraryError, RecognitionError: See `recognize_videos`.
    """
    from indexer.recognizing.screen import read_screen

    videos = videos_below(library, order.paths)
    if not order.redo:
        videos = unread_videos(library, videos, reader.id)
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
        text_kind="screen",
        verb="reading text",
        order=order,
    )
    print_note(cost_text(report))
    return report


def cost_text(report: RecognitionReport) -> str:
    """Return `text on screen: 12 lines in 3 videos; 40 frames of 25 shots read, 0.61 CPU seconds a shot`."""
    text = f"text on screen: {count_text(report.lines, 'line')} in {count_text(report.done, 'video')}"
    if report.shots:
        text += (
            f"; {count_text(report.frames, 'frame')} of {count_text(report.shots, 'shot')} read, "
            f"{report.cpu_seconds / report.shots:.2f} CPU seconds a shot"
        )
    return text
