"""Transcription for the command and for jobs: which videos, the model, the report."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from app import compose, word_engines
from app.commands.fetch_model import download_sources
from app.commands.recognize_run import RecognitionReport, recognize_videos, report_failures
from app.compose import Settings
from app.jobs.orders import TranscribeOrder
from app.shell.errors import CommandError
from app.shell.exit_codes import MISSING, USAGE
from app.shell.paths import videos_below
from app.shell.terminal import count_text, display_path, print_json, print_note, printable

if TYPE_CHECKING:
    from db.library import Library
    from db.records import Video
    from db.timed_text import TextSource
    from indexer.recognizing.lines import RecognizedText
    from indexer.workers.pool import WorkerPool
    from recognition.protocol import Transcriber


def transcribe_videos(settings: Settings, order: TranscribeOrder, *, yes: bool, as_json: bool = False) -> None:
    """Transcribe the videos of an order, print the report and end with the exit code for it.

    Args:
        settings: The library and the device.
        order: Videos and options.
        yes: Download a missing model without asking.
        as_json: Print the report as JSON.

    Raises:
        CommandError: There is no such model, language or video.
        RecognitionError, EncoderError: The extra or the model is missing.
        LibraryError: The library cannot be read or written.
    """
    word_engines.require_speech()  # before anything is downloaded
    with compose.open_library(settings) as library:
        if library.read_only:
            raise CommandError(
                f"the library {printable(str(library.directory))} is read-only: nothing was transcribed; copy it to a "
                "writable disk, or choose another with --library",
                MISSING,
            )
        videos = _chosen(library, order)
        report = RecognitionReport()
        if videos:
            with download_sources(yes=yes) as sources:
                try:
                    transcriber = word_engines.open_transcriber(settings, order.model, sources)
                except ValueError as error:
                    raise CommandError(str(error), USAGE) from error
                transcriber.prepare()
                _require_language(transcriber, order.language)
            print_note(f"transcribing {count_text(len(videos), 'video')} with {transcriber.id}")
            report = _transcribe(library, videos, order, transcriber)
    if as_json:
        print_json(report.record())
    elif videos:
        print_note(summary(report))
    report_failures(report)


def summary(report: RecognitionReport) -> str:
    """Return `speech: 240 lines in 12 videos (en 10, de 2); 310 CPU seconds`."""
    languages = sorted(report.languages.items(), key=lambda each: -each[1])
    heard = ", ".join(f"{name} {count:,}" for name, count in languages)
    where = f"{count_text(report.lines, 'line')} in {count_text(report.done, 'video')}"
    return f"speech: {where}{f' ({heard})' if heard else ''}; {report.cpu_seconds:.1f} CPU seconds"


def _chosen(library: Library, order: TranscribeOrder) -> list[Video]:
    """Return the videos to transcribe; say how many were left out, and why."""
    videos = videos_below(library, order.paths)
    if not videos:
        where = f" in {', '.join(map(display_path, order.paths))}" if order.paths else ""
        raise CommandError(f"the library has no videos{where}; index them first: prismsearch index FOLDER", MISSING)
    sources = library.texts.sources_of([video.id for video in videos if video.id is not None])
    reasons = {"without sound": 0, "with subtitles (--also-subtitled)": 0, "transcribed before (--redo)": 0}
    chosen = []
    for video in videos:
        own = sources.get(video.id or 0, [])
        if not video.has_audio:
            reasons["without sound"] += 1
        elif not order.also_subtitled and any(map(_is_subtitle, own)):
            reasons["with subtitles (--also-subtitled)"] += 1
        elif not order.redo and any(source.kind == "speech" for source in own):
            reasons["transcribed before (--redo)"] += 1
        else:
            chosen.append(video)
    left = ", ".join(f"{count:,} {reason}" for reason, count in reasons.items() if count)
    if left:
        print_note(f"left out: {left}")
    if not chosen:
        print_note("nothing to transcribe")
    return chosen


def _is_subtitle(source: TextSource) -> bool:
    """Return whether a source has what is said; a forced one has signs and other languages only."""
    return source.kind == "subtitle" and source.lines > 0 and not source.forced


def _require_language(transcriber: Transcriber, language: str | None) -> None:
    """Raise CommandError unless the engine knows a language. It says so when it is given no sound."""
    if language is not None:
        try:
            list(transcriber.transcribe([], language=language))
        except ValueError as error:
            raise CommandError(f"--language: {error}", USAGE) from error


def _transcribe(
    library: Library, videos: list[Video], order: TranscribeOrder, transcriber: Transcriber
) -> RecognitionReport:
    from indexer.recognizing.speech import transcribe_video

    def recognize(
        video: Video, pool: WorkerPool, cancelled: Callable[[], bool], on_progress: Callable[[float], None]
    ) -> RecognizedText:
        return transcribe_video(
            video, transcriber, pool, language=order.language, cancelled=cancelled, on_progress=on_progress
        )

    return recognize_videos(
        library,
        videos,
        recognize,
        kind="transcribe",
        verb="transcribing",
        order=order,
    )
