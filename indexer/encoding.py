"""The encode-and-store loop: receives clips from the decoders and stores complete videos in the library."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import replace
from typing import TYPE_CHECKING

from db.errors import ClaimLost
from db.video_rows import VideoRows
from indexer.decoding import Decoders
from indexer.kinds import recipe_for
from indexer.media.errors import Cancelled, UnreadableVideo
from indexer.messages import ClipReady, Decoded, OpenVideo, Refresh, RunFailed, Unreadable
from indexer.plan import VideoTask
from indexer.progress import ProgressMeter
from indexer.report import ReportBuilder
from indexer.rows_in_flight import RowsInFlight
from indexer.run_parts import RunEncoder, specs_of
from indexer.scan import FoundFile, Problem
from indexer.shared_tasks import SharedTasks
from indexer.storing import TAKEN_OVER, reason_of, store_video

if TYPE_CHECKING:
    from db.library import Library
    from encoder import ClipSpec


class Encoding:
    """Runs tasks: decodes, encodes and stores videos.

    One decoding of a video is for all encoders that its task lacks, and their rows are stored in one transaction. What
    one encoder cannot encode is a failure, beside which the rows of the others are stored.

    Memory holds at most `queue_clips` clips and, for each encoder, 3 `batch_size` (being encoded, collected, and
    stacked) and one more per worker, and the rows of videos in flight. Pictures go to disk as they come.
    """

    def __init__(
        self,
        library: Library,
        encoders: Sequence[RunEncoder],
        shared: SharedTasks,
        *,
        batch_size: int | None,
        known: Set[str],
        deepened: Set[str] = frozenset(),
        meter: ProgressMeter,
        report: ReportBuilder,
    ) -> None:
        """Set up a loop.

        Args:
            library, encoders, meter, report: Of the run.
            shared: Tasks that other runs may have, too; none yet.
            batch_size: Clips per call of each encoder; None for its default.
            known: Paths with videos in the library before the run, which count as updated, not added.
            deepened: Those of them that get the full pass that they have waited for, which count as such.
        """
        self._library = library
        self._encoders = encoders
        self._shared = shared  # not begun
        self._known = known
        self._deepened = deepened
        self._quick = any(each.quick_of is not None for each in encoders)
        self._meter = meter
        self._report = report
        self._wake: Callable[[], None] = lambda: None
        self._cancelled: Callable[[], bool] = lambda: False
        self._rows = RowsInFlight(
            [each.encoder for each in encoders],
            batch_size,
            on_batch=lambda: self._wake(),
            cancelled=lambda: self._cancelled(),
        )
        self._begun: dict[str, VideoTask] = {}  # by path, as planned, until stored or failed
        self._decoded: dict[str, Decoded] = {}  # by path, waiting for their last rows
        self._state: object = None  # differs while the run makes progress

    def run(
        self,
        tasks: Iterable[VideoTask],
        open_video: OpenVideo,
        *,
        refresh: Refresh | None = None,
        workers: int,
        queue_clips: int,
        cancelled: Callable[[], bool],
    ) -> None:
        """Run all tasks. A video that fails is only recorded in the report.

        Raises:
            Cancelled: If `cancelled()` returns True.
            LibraryError: If the library fails.
            EncodingFailed: If the encoder fails on a single clip.
            WorkersUnavailable: If no process can be started.
        """
        tasks, self._cancelled = list(tasks), cancelled
        self._meter.start(
            "index",
            files_total=sum(1 + len(task.copies) for task in tasks),
            bytes_total=sum(task.file.size_bytes for task in tasks),
        )
        decoders = Decoders(
            lambda task, stopped: open_video(task.file.path, task.fingerprint, self._specs(task), stopped),
            lambda content: self._library.stage_media(content, self._encoders[0].recipe),
            workers=max(1, min(workers, len(tasks))),
            queue_clips=max(1, queue_clips // len(specs_of(self._encoders))),
            refresh=refresh,
        )
        self._wake = decoders.wake
        try:
            with decoders:
                self._shared.put(tasks)
                while self._shared or self._begun or self._decoded:
                    if cancelled():
                        raise Cancelled
                    self._begin_some(decoders, workers)
                    self._step(decoders)
                    self._report_progress(decoders)
        finally:
            self._rows.close()
            for decoded in self._decoded.values():
                decoded.media.discard()
            decoding, storing = decoders.seconds
            self._report.add_seconds("decode", decoding)
            self._report.add_seconds("store", storing)
            self._report.add_seconds("encode", self._rows.seconds)

    def _begin_some(self, decoders: Decoders, workers: int) -> None:
        """Begin tasks that no other run has claimed, as many as decoders can take. The rest wait until it ends."""
        room = 2 * workers + 1 - (len(self._begun) - len(self._decoded))  # so many that no decoder waits
        for task in self._shared.take(room):
            if (video_id := self._shared.stored_by_others(task)) is not None:
                self._pass_over(task, video_id)
            elif (failure := self._shared.failed_for_others(task)) is not None:
                self._report.add(skipped_failed=(failure,))
                self._count_done(task)
                self._begin_first_copy(task)
                self._shared.release(task)
            else:
                self._begin(task, decoders)

    def _pass_over(self, task: VideoTask, video_id: int) -> None:
        """Count a task that another run has done; copy what it did not."""
        copies = tuple(file for file in task.copies if self._shared.stored(file) is None)
        others = len(task.copies) - len(copies)
        self._report.add(unchanged=1 + others)
        self._count_done(task, others)
        self._copy(replace(task, copies=copies), video_id)
        self._shared.release(task)

    def _begin(self, task: VideoTask, decoders: Decoders) -> None:
        self._begun[task.file.path] = task
        decoders.put(task)

    def _numbers(self, task: VideoTask) -> Sequence[int]:
        """Return the numbers of the encoders that encode a video."""
        return task.lacks or range(len(self._encoders))

    def _specs(self, task: VideoTask) -> tuple[ClipSpec, ...]:
        numbers = (0,) if task.only_media else self._numbers(task)
        return specs_of(self._encoders[number] for number in numbers)

    def _step(self, decoders: Decoders) -> None:
        """Handle one message, waiting briefly for it; encode the waiting clips once no more will come."""
        self._take(self._rows.finished(), decoders)
        message = decoders.get()
        if message is None:
            self._take(self._rows.start_if_idle(), decoders)
        if isinstance(message, ClipReady):
            if not message.task.only_media:
                of_spec = dict(zip(self._specs(message.task), message.clips, strict=True))
                clips = {k: of_spec[self._encoders[k].encoder.clip_spec] for k in self._numbers(message.task)}
                self._take(self._rows.add(message.task.file.path, message.number, clips), decoders)
        elif isinstance(message, Decoded) and message.task.only_media:
            self._replace_media(message)
        elif isinstance(message, Decoded):
            self._decoded[message.task.file.path] = message
            self._store_if_complete(message.task.file.path, decoders)
        elif isinstance(message, Unreadable):
            self._fail(message.task.file, message.error)
        elif isinstance(message, RunFailed):
            self._take(self._rows.wait(), decoders)  # store finished videos, if that is still possible
            raise message.error
        if self._begun and self._begun.keys() <= self._decoded.keys():
            self._take(self._rows.flush(), decoders)
            for decoded in list(self._decoded.values()):  # a reader that lists segments without yielding their clips
                lacking = UnreadableVideo(decoded.task.file.path, "error", "Some of its shots could not be read.")
                self._fail(decoded.task.file, lacking)

    def _take(self, paths: Iterable[str], decoders: Decoders) -> None:
        self._meter.clips_done = self._rows.clips
        for path in paths:
            self._store_if_complete(path, decoders)

    def _store_if_complete(self, path: str, decoders: Decoders) -> None:
        decoded = self._decoded.get(path)
        if decoded is None:
            return
        numbers, count = self._numbers(decoded.task), len(decoded.segments)
        if self._rows.share(path, numbers, count) < 1.0:
            return
        made: list[VideoRows] = []
        problems: dict[str, str] = {}
        for number in numbers:
            each = self._encoders[number]
            if problem := self._rows.problem(path, number):
                problems[each.encoder.id] = problem
            else:
                matrix, recipe = self._rows.of(path, number, count), recipe_for(each.recipe, decoded.video.kinds)
                made.append(
                    VideoRows(encoder_id=each.encoder.id, recipe=recipe, embeddings=matrix, quick_of=each.quick_of)
                )
        file = decoded.task.file
        # The path as scanned: the reader may have normalised it, but the next scan will not.
        video = replace(decoded.video, path=path, fingerprint=decoded.task.fingerprint, file_id=file.file_id)
        if made:
            try:
                some = len(numbers) < len(self._encoders)
                if some and not self._library.is_cut_so(video, decoded.shots, decoded.segments):
                    self._encode_by_all(path, decoders)
                    return
                claim = self._shared.claim(self._begun[path])
                video_id = store_video(self._library, decoded, video, made, self._report, claim)
            except ClaimLost:
                self._drop(path)
                return
            except ValueError as error:  # rows not of unit length, or inconsistent segments
                reason = f"The result could not be stored: {error}."
                self._fail(file, UnreadableVideo(path, "error", reason))
                return
            except OSError as error:  # of its posters and previews, unless the disk is full
                reason = f"Its posters and previews could not be stored in the library ({error.strerror or error})."
                self._fail(file, UnreadableVideo(path, "error", reason))
                return
        if problems:
            reason = reason_of(problems, several=len(self._encoders) > 1, stored=bool(made))
            self._fail(file, UnreadableVideo(path, "error", reason))
            return
        planned = self._finish(path)
        self._report.add(**{self._counted_as(path): 1})
        self._meter.seconds_done = self._report.video_seconds
        if decoded.task.file == planned.file:
            self._copy(planned, video_id)
        else:  # the file has changed since it was planned, its copies have not
            self._begin_first_copy(planned)
        self._shared.release(planned)

    def _encode_by_all(self, path: str, decoders: Decoders) -> None:
        """Begin again with a video that turned out to be cut otherwise than it was: no encoder may lose its rows."""
        planned = self._begun[path]
        self._rows.drop(path)
        self._decoded.pop(path).media.discard()
        self._begin(replace(planned, lacks=()), decoders)

    def _counted_as(self, path: str) -> str:
        if path in self._deepened and not self._quick:
            return "deepened"
        return "updated" if path in self._known else "added"

    def _replace_media(self, decoded: Decoded) -> None:
        path = decoded.task.file.path
        video = replace(decoded.video, path=path, fingerprint=decoded.task.fingerprint)
        with self._report.timed("store"):
            claim = self._shared.claim(self._begun[path])
            try:
                mended = self._library.replace_media(video, decoded.shots, decoded.segments, decoded.media, claim=claim)
            except ClaimLost:
                self._decoded[path] = decoded
                self._drop(path)
                return
        self._shared.release(self._finish(path))
        if mended:
            self._report.add(mended=1)
        else:
            reason = (
                "its posters are damaged, and it would be cut differently now: prismsearch index --redo does both again"
            )
            self._report.add(problems=(Problem(path=path, reason=reason),))

    def _copy(self, planned: VideoTask, video_id: int) -> None:
        for number, file in enumerate(planned.copies):
            try:
                with self._report.timed("store"):
                    self._library.copy_video(
                        video_id,
                        path=file.path,
                        size_bytes=file.size_bytes,
                        modified_ns=file.modified_ns,
                        file_id=file.file_id,
                    )
            except KeyError:  # another process has removed the original
                self._begin_first_copy(replace(planned, copies=planned.copies[number:]))
                return
            self._report.add(duplicates=1)
            self._meter.files_done += 1

    def _begin_first_copy(self, planned: VideoTask) -> None:
        """Decode the first copy of a video next; the other copies reuse its result."""
        for file in planned.copies[:1]:
            self._meter.bytes_total += file.size_bytes
            self._shared.put_first(VideoTask(file=file, fingerprint=planned.fingerprint, copies=planned.copies[1:]))

    def _fail(self, file: FoundFile, error: UnreadableVideo) -> None:
        """Record a failed file; its copies are then decoded instead."""
        planned = self._finish(file.path)
        self._report.fail(file, error)
        self._begin_first_copy(planned)
        self._shared.release(planned)

    def _drop(self, path: str) -> None:
        """Drop what was made of a video that another run has taken over, and wait for that run."""
        planned = self._clear(path)
        self._shared.release(planned)
        self._shared.put([planned])
        self._report.add(notes=(Problem(path=path, reason=TAKEN_OVER),))

    def _finish(self, path: str) -> VideoTask:
        """Clean up after a task that was stored or failed; return it as planned."""
        planned = self._clear(path)
        self._count_done(planned)
        return planned

    def _clear(self, path: str) -> VideoTask:
        planned = self._begun.pop(path)
        self._rows.drop(path)
        decoded = self._decoded.pop(path, None)
        if decoded is not None:
            decoded.media.discard()  # does nothing once published in the library
        return planned

    def _count_done(self, task: VideoTask, copies: int = 0) -> None:
        self._meter.files_done += 1 + copies
        self._meter.bytes_done += task.file.size_bytes

    def _report_progress(self, decoders: Decoders) -> None:
        """Report progress. Decoded clips may wait for a slower encoder, so only encoded ones count as done."""
        in_progress = decoders.in_progress()
        state = (
            self._rows.clips,
            self._meter.files_done,
            len(self._decoded),
            [reader.seconds_done for _, reader in in_progress],
        )
        if state != self._state:
            self._state = state
            self._shared.progress()
        bytes_done = seconds_done = 0.0
        for task, reader in in_progress:
            encoded = self._rows.share(task.file.path, self._numbers(task), len(reader.segments))
            seconds_done += reader.seconds_done * encoded
            if reader.seconds_expected:
                share = min(0.99, reader.seconds_done / reader.seconds_expected)
                bytes_done += task.file.size_bytes * share * encoded
        for path, decoded in self._decoded.items():
            encoded = self._rows.share(path, self._numbers(decoded.task), len(decoded.segments))
            seconds_done += decoded.video.duration_seconds * encoded
            bytes_done += self._begun[path].file.size_bytes * encoded
        self._meter.report(
            current=tuple(
                dict.fromkeys([*self._rows.paths, *self._decoded, *(task.file.path for task, _ in in_progress)])
            ),
            bytes_in_flight=bytes_done,
            seconds_in_flight=seconds_done,
            waits_for=self._shared.waited_for() if self._shared and not self._begun else (),
        )
