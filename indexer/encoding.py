"""The thread that encodes and stores: clips come in from the decoders, videos go out into the library when complete."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Set
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from indexer.batches import Batches, Row
from indexer.decoding import Decoders
from indexer.media.errors import Cancelled, UnreadableVideo
from indexer.messages import Broken, ClipReady, Decoded, OpenVideo, Unreadable
from indexer.plan import Job
from indexer.progress import ProgressMeter
from indexer.scan import FoundFile
from indexer.tally import Tally

if TYPE_CHECKING:
    from db.library import Library
    from encoder import Encoder


class Encoding:
    """Does jobs. In memory are at most `queue_clips` + 3 `batch_size` clips (being encoded, collected, and copied side
    by side), one more per worker, and the rows of videos in flight; pictures go to disk as they come."""

    def __init__(
        self,
        library: Library,
        encoder: Encoder,
        recipe: str,
        *,
        batch_size: int,
        known: Set[str],
        meter: ProgressMeter,
        tally: Tally,
    ) -> None:
        """known: paths under which the library had something before."""
        self._library = library
        self._encoder = encoder
        self._recipe = recipe
        self._known = known
        self._meter = meter
        self._tally = tally
        self._wake: Callable[[], None] = lambda: None
        self._batches = Batches(encoder, batch_size, done=lambda: self._wake())
        self._begun: dict[str, Job] = {}  # by path, as planned, until stored or failed
        self._rows: dict[str, dict[int, NDArray[np.float32]]] = {}  # by path and number of segment
        self._decoded: dict[str, Decoded] = {}  # by path: waiting for their last rows

    def run(
        self,
        jobs: Iterable[Job],
        open_video: OpenVideo,
        *,
        workers: int,
        queue_clips: int,
        cancelled: Callable[[], bool],
    ) -> None:
        """Raises Cancelled, LibraryError or EncodingFailed; a video that fails is a line in the tally."""
        jobs = list(jobs)
        self._meter.start(
            "index",
            files_total=sum(1 + len(job.copies) for job in jobs),
            bytes_total=sum(job.file.size_bytes for job in jobs),
        )
        decoders = Decoders(
            open_video,
            lambda content: self._library.stage_media(content, self._recipe),
            workers=max(1, min(workers, len(jobs))),
            queue_clips=queue_clips,
        )
        self._wake = decoders.wake
        try:
            with decoders:
                for job in jobs:
                    self._begin(job, decoders)
                while self._begun or self._decoded:
                    if cancelled():
                        raise Cancelled
                    self._step(decoders)
                    self._tell(decoders)
        finally:
            self._batches.close()
            for decoded in self._decoded.values():
                decoded.media.discard()
            decoding, storing = decoders.seconds
            self._tally.seconds["decode"] += decoding
            self._tally.seconds["store"] += storing
            self._tally.seconds["encode"] += self._batches.seconds

    def _begin(self, job: Job, decoders: Decoders) -> None:
        self._begun[job.file.path] = job
        decoders.put(job)

    def _step(self, decoders: Decoders) -> None:
        """Take one message, or wait a moment for one; once nothing more will come, encode what waits."""
        self._take(self._batches.finished(), decoders)
        message = decoders.get()
        if message is None:
            self._take(self._batches.nudge(), decoders)
        if isinstance(message, ClipReady):
            self._take(self._batches.add(message.job.file.path, message.number, message.clip), decoders)
        elif isinstance(message, Decoded):
            self._decoded[message.job.file.path] = message
            self._store_if_complete(message.job.file.path, decoders)
        elif isinstance(message, Unreadable):
            self._fail(message.job.file, message.error, decoders)
        elif isinstance(message, Broken):
            self._take(self._batches.settle(), decoders)  # what is finished is kept, if that is still possible
            raise message.error
        if self._begun and self._begun.keys() <= self._decoded.keys():
            self._take(self._batches.flush(), decoders)
            for decoded in list(self._decoded.values()):  # a decoder that names segments without giving their clips
                lacking = UnreadableVideo(decoded.job.file.path, "error", "Some of its segments came without a clip.")
                self._fail(decoded.job.file, lacking, decoders)

    def _take(self, rows: list[Row], decoders: Decoders) -> None:
        self._meter.clips_done = self._batches.clips
        for row in rows:
            self._rows.setdefault(row.path, {})[row.number] = row.row
        for path in dict.fromkeys(row.path for row in rows):
            self._store_if_complete(path, decoders)

    def _store_if_complete(self, path: str, decoders: Decoders) -> None:
        decoded, rows = self._decoded.get(path), self._rows.get(path, {})
        if decoded is None or len(rows) < len(decoded.segments):
            return
        matrix = np.stack([rows[segment.number] for segment in decoded.segments])
        file = decoded.job.file
        # The path as scanned: a decoder may have normalised it, and the library must know it as the next scan will.
        video = replace(decoded.video, path=path, fingerprint=decoded.job.fingerprint)
        try:
            with self._tally.timed("store"):
                video_id = self._library.add_video(
                    video,
                    decoded.shots,
                    decoded.segments,
                    matrix,
                    encoder_id=self._encoder.id,
                    recipe=self._recipe,
                    media=decoded.media,
                )
        except ValueError as error:  # rows that are no unit rows, parts that do not fit together
            reason = f"What came of it could not be stored: {error}."
            self._fail(file, UnreadableVideo(path, "error", reason), decoders)
            return
        planned = self._settle(path)
        self._tally.video_seconds += video.duration_seconds
        self._tally.clips += len(rows)
        self._tally.frames += video.frames
        self._tally.fell_back += decoded.fell_back
        self._meter.seconds_done = self._tally.video_seconds
        if path in self._known:
            self._tally.updated += 1
        else:
            self._tally.added += 1
        if decoded.job.fingerprint == planned.fingerprint:
            self._copy(planned, video_id, decoders)
        else:  # the file was changed since it was planned, its copies were not
            self._begin_first_copy(planned, decoders)

    def _copy(self, planned: Job, video_id: int, decoders: Decoders) -> None:
        for number, file in enumerate(planned.copies):
            try:
                with self._tally.timed("store"):
                    self._library.copy_video(
                        video_id, path=file.path, size_bytes=file.size_bytes, modified_ns=file.modified_ns
                    )
            except KeyError:  # another process has removed the original
                self._begin_first_copy(replace(planned, copies=planned.copies[number:]), decoders)
                return
            self._tally.duplicates += 1
            self._meter.files_done += 1

    def _begin_first_copy(self, planned: Job, decoders: Decoders) -> None:
        """What was to be a copy of a video has to be decoded itself: the first of them, for the others to copy."""
        for file in planned.copies[:1]:
            self._meter.bytes_total += file.size_bytes
            job = Job(
                file=file,
                fingerprint=planned.fingerprint,
                copies=planned.copies[1:],
            )
            self._begin(job, decoders)

    def _fail(self, file: FoundFile, error: UnreadableVideo, decoders: Decoders) -> None:
        """One line in the report; the copies of a file that failed are tried themselves."""
        self._batches.drop(file.path)
        planned = self._settle(file.path)
        self._tally.failed_file(file, error)
        self._begin_first_copy(planned, decoders)

    def _settle(self, path: str) -> Job:
        """A job has come to its end, good or bad; gives it as it was planned."""
        planned = self._begun.pop(path)
        self._rows.pop(path, None)
        decoded = self._decoded.pop(path, None)
        if decoded is not None:
            decoded.media.discard()  # does nothing once the library has taken them
        self._meter.files_done += 1
        self._meter.bytes_done += planned.file.size_bytes
        return planned

    def _tell(self, decoders: Decoders) -> None:
        """Where the encoder is the slower one, what is decoded waits for it: only what is encoded counts as done."""
        at_work = decoders.at_work()
        bytes_done = seconds_done = 0.0
        for job, reading in at_work:
            encoded = self._encoded(job.file.path, len(reading.segments))
            seconds_done += reading.seconds_done * encoded
            if reading.seconds_expected:
                share = min(0.99, reading.seconds_done / reading.seconds_expected)
                bytes_done += job.file.size_bytes * share * encoded
        for path, decoded in self._decoded.items():
            encoded = self._encoded(path, len(decoded.segments))
            seconds_done += decoded.video.duration_seconds * encoded
            bytes_done += self._begun[path].file.size_bytes * encoded
        self._meter.tell(
            current=tuple(
                dict.fromkeys([*self._batches.paths, *self._decoded, *(job.file.path for job, _ in at_work)])
            ),
            bytes_in_flight=bytes_done,
            seconds_in_flight=seconds_done,
        )

    def _encoded(self, path: str, segments: int) -> float:
        """Share of a video's finished segments that the encoder is through with; 1 where there are none yet."""
        return min(1.0, len(self._rows.get(path, ())) / segments) if segments else 1.0
