"""Threads that decode, a video each, beside the thread that encodes; a bounded queue keeps them from running ahead."""

from __future__ import annotations

import errno
import logging
import os
import queue
import threading
from contextlib import suppress
from time import monotonic, perf_counter
from typing import TYPE_CHECKING

from db.errors import LibraryError
from indexer.fingerprint import fingerprint
from indexer.media.errors import Cancelled, UnreadableVideo
from indexer.messages import Broken, ClipReady, Decoded, Message, OpenVideo, Reading, Stage, Unreadable
from indexer.plan import Job
from indexer.scan import FoundFile

if TYPE_CHECKING:
    from db.media import StagedMedia
    from indexer.video_pass import SegmentClip

_log = logging.getLogger(__name__)

_WAIT_SECONDS = 0.1  # between looks at whether to stop
_JOIN_SECONDS = 20.0  # a decoder may hang on a drive that went away; it must not hang the program


class Decoders:
    """`workers` threads that take jobs and give messages; a context manager, at whose end they stop."""

    def __init__(self, open_video: OpenVideo, stage: Stage, *, workers: int, queue_clips: int) -> None:
        self._open_video = open_video
        self._stage = stage
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._messages: queue.Queue[Message | None] = queue.Queue(maxsize=queue_clips)
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._at_work: dict[Job, Reading] = {}
        self._decode_seconds = 0.0
        self._store_seconds = 0.0
        # Daemons: should one hang on a drive that went away, the program can end all the same.
        self._threads = [
            threading.Thread(target=self._work, name=f"decode-{number}", daemon=True) for number in range(workers)
        ]

    def __enter__(self) -> Decoders:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def put(self, job: Job) -> None:
        """One more job; it is begun after those before it."""
        self._jobs.put(job)

    def get(self) -> Message | None:
        """The next message, or None if there was none for a tenth of a second or somebody called `wake`."""
        try:
            return self._messages.get(timeout=_WAIT_SECONDS)
        except queue.Empty:
            return None

    def wake(self) -> None:
        """Let whoever waits in `get` go on; where messages wait, it does so by itself."""
        with suppress(queue.Full):
            self._messages.put_nowait(None)

    def stop(self) -> None:
        """Let go of everything that is not finished, and wait until the threads have."""
        self._stop.set()
        for _ in self._threads:
            self._jobs.put(None)
        deadline = monotonic() + _JOIN_SECONDS
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(max(0.0, deadline - monotonic()))
        with suppress(queue.Empty):
            while True:
                message = self._messages.get_nowait()
                if isinstance(message, Decoded):
                    message.media.discard()

    def at_work(self) -> list[tuple[Job, Reading]]:
        """What is being decoded, oldest first."""
        with self._lock:
            return list(self._at_work.items())

    @property
    def seconds(self) -> tuple[float, float]:
        """Spent so far, over all threads: decoding (with all that is derived from frames), and writing pictures."""
        with self._lock:
            return self._decode_seconds, self._store_seconds

    # In the threads

    def _work(self) -> None:
        while not self._stop.is_set():
            job = self._jobs.get()
            if job is None:
                return
            with suppress(Cancelled):
                try:
                    self._send(self._done(job))
                except LibraryError as error:
                    self._send(Broken(error))
                finally:
                    with self._lock:
                        self._at_work.pop(job, None)

    def _done(self, job: Job) -> Message:
        """Decode a job, sending its clips; gives what there is to say at its end."""
        try:
            return self._decode(job)
        except UnreadableVideo as error:
            return Unreadable(job, error)
        except (Cancelled, LibraryError):
            raise
        except OSError as error:
            return Unreadable(job, unreadable(job.file.path, error))
        except Exception as error:  # noqa: BLE001  whatever a decoder raises costs one line, never the run
            _log.debug("decoding %r", job.file.path, exc_info=True)
            said = f"{type(error).__name__}: {error}".strip().splitlines()[0]
            return Unreadable(job, UnreadableVideo(job.file.path, "error", f"It could not be decoded ({said})."))

    def _decode(self, job: Job) -> Message:
        began = perf_counter()
        job = _as_it_is_now(job)
        reading = self._open_video(job.file.path, job.fingerprint, self._stop.is_set)
        media = self._stage(job.fingerprint)
        waited = stored = 0.0
        with self._lock:
            self._at_work[job] = reading
        try:
            for made in reading:
                moment = perf_counter()
                _keep(media, made)
                stored += perf_counter() - moment
                moment = perf_counter()
                self._send(ClipReady(job, made.segment.number, made.clip))
                waited += perf_counter() - moment
            video = reading.video
            if (video.size_bytes, video.modified_ns) != (job.file.size_bytes, job.file.modified_ns):
                raise UnreadableVideo(
                    job.file.path, "error", "The file changed while it was read; index it again once it is complete."
                )
            return Decoded(job, video, reading.shots, reading.segments, media, reading.fell_back)
        except BaseException:
            media.discard()
            raise
        finally:
            with self._lock:
                self._at_work.pop(job, None)
                self._decode_seconds += perf_counter() - began - waited - stored
                self._store_seconds += stored

    def _send(self, message: Message) -> None:
        """Wait for a place in the queue. Raises Cancelled when it is time to stop."""
        while not self._stop.is_set():
            try:
                return self._messages.put(message, timeout=_WAIT_SECONDS)
            except queue.Full:
                continue
        if isinstance(message, Decoded):
            message.media.discard()
        raise Cancelled


def _as_it_is_now(job: Job) -> Job:
    """The job as planned or, if the file was changed since, with its size, time and content of now. Raises OSError."""
    status = os.stat(job.file.path)
    if (status.st_size, status.st_mtime_ns) == (job.file.size_bytes, job.file.modified_ns):
        return job
    file = FoundFile(path=job.file.path, size_bytes=status.st_size, modified_ns=status.st_mtime_ns)
    return Job(file=file, fingerprint=fingerprint(file.path), copies=job.copies)


def _keep(media: StagedMedia, made: SegmentClip) -> None:
    """Write a segment's pictures. What goes wrong there is the library's trouble, not the video's."""
    try:
        media.add(made.segment.number, made.poster, made.preview)
    except OSError as error:
        raise LibraryError(
            f"Posters and previews cannot be written into the library ({error.strerror or error}). See that its folder "
            "exists and may be written to, and start again: what was finished is kept."
        ) from error


def unreadable(path: str, error: OSError) -> UnreadableVideo:
    """An error of the file system, in the words of the library."""
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return UnreadableVideo(path, "missing", "The file is not there any more.")
    if isinstance(error, PermissionError):
        return UnreadableVideo(path, "permission", "The file may not be read: permission denied.")
    said = error.strerror or str(error) or errno.errorcode.get(error.errno or 0, "unknown error")
    return UnreadableVideo(path, "error", f"The file could not be read ({said}).")
