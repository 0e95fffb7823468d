"""A job that recognises words in videos of the library, one after the other: progress, journal, report."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import click

from app.commands.server_wait import waiting_for_server
from app.jobs.command_line import title_of
from app.jobs.jobs import Jobs
from app.shell.errors import CommandError
from app.shell.exit_codes import FAILED, MISSING
from app.shell.interrupt import NOTHING_FINISHED, STOPPED, stop_on_interrupt, stopped_code
from app.shell.live_line import LiveLine, Shown
from app.shell.terminal import count_text, display_path, print_note, printable
from app.times import format_duration

if TYPE_CHECKING:
    from app.jobs.jobs import Job
    from app.jobs.orders import IndexOrder, ReadTextOrder, TranscribeOrder
    from db.library import Library
    from db.records import Video
    from db.timed_text import TextKind, TextSource
    from indexer.recognizing.lines import RecognizedText
    from indexer.workers.pool import WorkerPool

Recognize = Callable[["Video", "WorkerPool", Callable[[], bool], Callable[[float], None]], "RecognizedText"]
"""Recognises the words of a video. Takes the processes that decode, whether to stop, and what to tell the share that is
done."""

_STOPPING = (
    "stopping; the video in work is begun again next time, finished ones are kept (press Ctrl-C again to stop at once)"
)
_ETA_SECONDS = 2.0  # of work, before which the time left is not known


@dataclass(kw_only=True)
class RecognitionReport:
    """What a job has done.

    Attributes:
        done: Videos that were finished.
        lines: Lines that were found in them.
        frames, shots: Frames that were read, and shots that they are of.
        cpu_seconds: CPU time of engine and decoders.
        seconds: Length of the videos that were finished.
        elapsed_seconds: Time that these took.
        languages: Number of videos by the language that was heard.
        failed: (path, reason) of the videos that could not be read.
        elsewhere: Videos that another job had in work, or has done meanwhile.
        interrupted: Whether the job was stopped.
    """

    done: int = 0
    lines: int = 0
    frames: int = 0
    shots: int = 0
    cpu_seconds: float = 0.0
    seconds: float = 0.0
    elapsed_seconds: float = 0.0
    languages: dict[str, int] = field(default_factory=dict)
    failed: list[tuple[str, str]] = field(default_factory=list)
    elsewhere: int = 0
    interrupted: bool = False

    def add(self, video: Video, found: RecognizedText, elapsed_seconds: float) -> None:
        """Count what was found in a video."""
        self.done += 1
        self.seconds += video.duration_seconds
        self.elapsed_seconds += elapsed_seconds
        self.lines += len(found.lines)
        self.frames += found.frames
        self.shots += found.shots
        self.cpu_seconds += found.cpu_seconds
        if found.source.language:
            self.languages[found.source.language] = self.languages.get(found.source.language, 0) + 1

    def record(self) -> dict[str, Any]:
        """Return the report as JSON values."""
        return {
            **vars(self),
            **{name: round(getattr(self, name), 3) for name in ("cpu_seconds", "seconds", "elapsed_seconds")},
            "failed": [{"path": path, "reason": reason} for path, reason in self.failed],
        }


def recognize_videos(
    library: Library,
    videos: Sequence[Video],
    recognize: Recognize,
    *,
    kind: str,
    text_kind: TextKind,
    verb: str,
    order: IndexOrder | ReadTextOrder | TranscribeOrder,
) -> RecognitionReport:
    """Recognise the words of videos and store them, each video in one transaction.

    A bad file costs itself. However the job ends, what was finished is kept; the first Ctrl-C stops it cleanly.

    Args:
        library: Receives the lines.
        videos: What to read, in this order.
        recognize: Reads one.
        kind: The kind of job, and the stage that progress shows.
        text_kind: The kind of its words. What jobs on other machines read of this kind is left to them.
        verb: What it does, for the progress line: "reading text".
        order: Stored in the journal, so that the job can be restarted; its paths give the title.

    Raises:
        LibraryError: Nothing can be stored any more.
        RecognitionError: The engine cannot be used.
    """
    from db.errors import ClaimLost, LibraryError
    from indexer.media.errors import Cancelled, UnreadableVideo
    from indexer.workers.limits import WorkerLimits
    from indexer.workers.pool import WorkerPool
    from indexer.workers.task import WorkersUnavailable
    from recognition.errors import RecognitionError

    report = RecognitionReport()
    jobs = Jobs(library.directory)
    before = library.texts.sources_of(video.id for video in videos if video.id is not None)
    with (
        LiveLine() as line,
        stop_on_interrupt(line, _STOPPING) as stopped,
        jobs.begin(kind, title_of(order.paths) or "the library", order) as job,
        WorkerPool(WorkerLimits()) as pool,
        contextlib.ExitStack() as until_the_end,
    ):
        progress = _Progress(line, job, kind, verb, [video.duration_seconds for video in videos])

        def cancelled() -> bool:
            return stopped() or job.stop_requested()

        library = waiting_for_server(library, line, job, cancelled)
        claims = until_the_end.enter_context(library.claims(kind))
        for number, video in enumerate(videos):
            if cancelled():
                report.interrupted = True
                break
            assert video.id is not None
            name, begun = f"{kind}-{video.fingerprint}", time.monotonic()
            show = progress.of(number, video, len(report.failed))
            show(0.0)
            with claims.holding(name, video.path) as free:
                now = _of_kind(library.texts.sources(video.id), text_kind)
                if not free or now != _of_kind(before.get(video.id, ()), text_kind):
                    report.elsewhere += 1
                    continue
                try:
                    found = recognize(video, pool, cancelled, show)
                except Cancelled:
                    report.interrupted = True
                    break
                except (RecognitionError, LibraryError):
                    raise
                except WorkersUnavailable as error:
                    raise CommandError(str(error), MISSING) from error
                except Exception as error:  # noqa: BLE001  engines and decoders raise errors of their libraries
                    reason = error.reason if isinstance(error, UnreadableVideo) else _reason(error)
                    report.failed.append((video.path, reason))
                    job.add_failure(video.path, reason)
                    continue
                with contextlib.suppress(KeyError):  # it was removed from the library meanwhile
                    try:
                        library.texts.replace(video.id, found.source, found.lines, claim=claims.claim(name))
                    except ClaimLost:
                        report.elsewhere += 1
                        continue
                    report.add(video, found, time.monotonic() - begun)
        counts = count_text(report.done, "video") if report.done else "no video"
        message = f"{verb}: {counts}, {count_text(report.lines, 'line')}"
        job.finish("stopped" if report.interrupted else "done", report.record(), message)
    return report


def require_writable(library: Library, undone: str) -> None:
    """Raise CommandError if a library is read-only.

    Args:
        library: The library.
        undone: What comes of it: "nothing was transcribed".
    """
    if library.read_only:
        raise CommandError(
            f"the library {printable(library.name)} is read-only: {undone}; copy it to a writable disk, or "
            "choose another with --library",
            MISSING,
        )


def report_failures(report: RecognitionReport) -> None:
    """Print what failed. End the command with the exit code for it, unless that is 0."""
    if report.elsewhere:
        print_note(f"{count_text(report.elsewhere, 'video')} left to other jobs, which had them in work")
    for path, reason in report.failed:
        print_note(f"{display_path(path)}: {printable(reason)}")
    if report.interrupted:
        print_note(STOPPED if report.done else NOTHING_FINISHED)
        raise click.exceptions.Exit(stopped_code())
    if report.failed:
        raise click.exceptions.Exit(FAILED)


def _of_kind(sources: Iterable[TextSource], kind: TextKind) -> list[TextSource]:
    return [source for source in sources if source.kind == kind]


def _reason(error: Exception) -> str:
    cause = " ".join(f"{type(error).__name__}: {error}".split())
    return f"Its words could not be recognised ({cause})."


class _Progress:
    """How far a job is: by the seconds of its videos."""

    def __init__(self, line: LiveLine, job: Job, stage: str, verb: str, work: Sequence[float]) -> None:
        self._line = line
        self._job = job
        self._stage = stage
        self._verb = verb
        self._work = work
        self._since = time.monotonic()

    def of(self, number: int, video: Video, failed: int) -> Callable[[float], None]:
        """Return the function that shows how much of a video is done, 0 to 1."""
        before, whole, total = sum(self._work[:number]), self._work[number], sum(self._work)

        def show(share: float) -> None:
            fraction = (before + share * whole) / total if total else 0.0
            spent = time.monotonic() - self._since
            eta = spent / fraction * (1 - fraction) if fraction and spent > _ETA_SECONDS else None
            text = f"{self._verb}  {number:,}/{count_text(len(self._work), 'video')}  {fraction:4.0%}"
            text += "" if eta is None else f"  {format_duration(eta)} left"
            text += f"  {failed:,} failed" if failed else ""
            self._line.show(
                Shown(
                    stage=self._stage,
                    text=text,
                    done=number,
                    total=len(self._work),
                    unit="files",
                    fraction=fraction,
                    eta_seconds=eta,
                    failed=failed,
                    current=(video.path,),
                    detail=printable(os.path.basename(video.path)),
                )
            )
            self._job.report_progress(
                fraction=fraction,
                eta_seconds=eta,
                phase=self._stage,
                text=text,
                files_done=number,
                files_total=len(self._work),
                current=[video.path],
            )

        return show
