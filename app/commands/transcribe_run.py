"""Transcription for the command and for jobs: which videos, the model, the report."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from app import compose, word_engines
from app.commands.fetch_model import download_sources
from app.commands.recognize_run import RecognitionReport, recognize_videos, report_failures, require_writable
from app.compose import Settings
from app.jobs.jobs import Jobs
from app.jobs.orders import TranscribeOrder
from app.shell.errors import CommandError
from app.shell.exit_codes import MISSING, USAGE
from app.shell.paths import videos_below
from app.shell.terminal import count_text, display_path, print_json, print_note
from app.unrecognized import unheard_videos

if TYPE_CHECKING:
    from db.library import Library
    from db.records import Video
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
        require_writable(library, "nothing was transcribed")
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


def download_speech_model(settings: Settings, order: TranscribeOrder) -> None:
    """Download the model of an order, in a job of its own that goes on with the order. Consent has been given.

    Raises:
        CommandError: There is no such model.
        RecognitionError, EncoderError: It cannot be had.
    """
    word_engines.require_speech()  # before anything is downloaded
    with (
        Jobs(settings.library).begin("download", f"speech model {order.model}", order) as job,
        download_sources(yes=True, job=job) as sources,
    ):
        try:
            word_engines.fetch_speech_model(order.model, sources)
        except ValueError as error:
            raise CommandError(str(error), USAGE) from error
        job.finish("done", message=f"the speech model {order.model} is on this machine")


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
    left = unheard_videos(library, videos, also_subtitled=order.also_subtitled, redo=order.redo)
    reasons = {
        "without sound": left.silent,
        "with subtitles (--also-subtitled)": left.subtitled,
        "transcribed before (--redo)": left.transcribed,
    }
    text = ", ".join(f"{count:,} {reason}" for reason, count in reasons.items() if count)
    if text:
        print_note(f"left out: {text}")
    if not left.videos:
        print_note("nothing to transcribe")
    return list(left.videos)


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
        text_kind="speech",
        verb="transcribing",
        order=order,
    )
