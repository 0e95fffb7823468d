"""Decoding threads, one video each, in parallel with encoding; a bounded queue keeps them from running ahead.

Their number is `indexer.settings.RunOptions.decode_workers`.
"""

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
from indexer.isolated_pass import could_not_be_decoded
from indexer.media.errors import Cancelled, UnreadableVideo
from indexer.messages import ClipReady, Decoded, Message, OpenTask, Refresh, RunFailed, Stage, Unreadable, VideoReader
from indexer.plan import VideoTask
from indexer.scan import FoundFile
from indexer.workers.task import WorkersUnavailable

if TYPE_CHECKING:
    from db.media import StagedMedia
    from indexer.video_pass import SegmentClip

_log = logging.getLogger(__name__)

_WAIT_SECONDS = 0.1  # between checks whether to stop
_JOIN_SECONDS = 1.0  # a decoder may hang on a disconnected drive, and must not hang the program


class Decoders:
    """Threads that take tasks and send messages; a context manager that starts and stops them."""

    def __init__(
        self, open_task: OpenTask, stage: Stage, *, workers: int, queue_clips: int, refresh: Refresh | None = None
    ) -> None:
        self._open_task = open_task
        self._refresh = refresh or (lambda task, _: refreshed(task))
        self._stage = stage
        self._tasks: queue.SimpleQueue[VideoTask | None] = queue.SimpleQueue()
        self._messages: queue.Queue[Message | None] = queue.Queue(maxsize=queue_clips)
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._in_progress: dict[VideoTask, VideoReader] = {}
        self._decode_seconds = 0.0
        self._store_seconds = 0.0
        # Daemons, so that the program can end even if one hangs on a disconnected drive.
        self._threads = [
            threading.Thread(target=self._work, name=f"decode-{number}", daemon=True) for number in range(workers)
        ]

    def __enter__(self) -> Decoders:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def put(self, task: VideoTask) -> None:
        """Queue a task."""
        self._tasks.put(task)

    def get(self) -> Message | None:
        """Return the next message; None if none arrived within a tenth of a second, or if `wake` was called."""
        try:
            return self._messages.get(timeout=_WAIT_SECONDS)
        except queue.Empty:
            return None

    def wake(self) -> None:
        """Make a blocked `get` return."""
        with suppress(queue.Full):  # then `get` does not block
            self._messages.put_nowait(None)

    def stop(self) -> None:
        """Stop the threads, wait for them and discard everything unfinished."""
        self._stop.set()
        for _ in self._threads:
            self._tasks.put(None)
        deadline = monotonic() + _JOIN_SECONDS
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(max(0.0, deadline - monotonic()))
        with suppress(queue.Empty):
            while True:
                message = self._messages.get_nowait()
                if isinstance(message, Decoded):
                    message.media.discard()

    def in_progress(self) -> list[tuple[VideoTask, VideoReader]]:
        """Return the tasks being decoded and their readers, oldest first."""
        with self._lock:
            return list(self._in_progress.items())

    @property
    def seconds(self) -> tuple[float, float]:
        """Return the seconds spent on decoding (and processing frames) and on writing pictures, summed over threads."""
        with self._lock:
            return self._decode_seconds, self._store_seconds

    # In the decoding threads

    def _work(self) -> None:
        while not self._stop.is_set():
            task = self._tasks.get()
            if task is None:
                return
            with suppress(Cancelled):
                try:
                    self._send(self._result(task))
                except (LibraryError, WorkersUnavailable) as error:
                    self._send(RunFailed(error))
                finally:
                    with self._lock:
                        self._in_progress.pop(task, None)

    def _result(self, task: VideoTask) -> Message:
        """Decode a task and send its clips; return its last message."""
        try:
            return self._decode(task)
        except UnreadableVideo as error:
            return Unreadable(task, error)
        except (Cancelled, LibraryError, WorkersUnavailable):
            raise
        except OSError as error:
            return Unreadable(task, file_error(task.file.path, error))
        except Exception as error:  # noqa: BLE001  no error of a decoder may end the run
            _log.debug("decoding %r", task.file.path, exc_info=True)
            return Unreadable(task, UnreadableVideo(task.file.path, "error", could_not_be_decoded(error)))

    def _decode(self, task: VideoTask) -> Message:
        began = perf_counter()
        task = self._refresh(task, self._stop.is_set)
        reader = self._open_task(task, self._stop.is_set)
        media = self._stage(task.fingerprint)
        waited = stored = 0.0
        with self._lock:
            self._in_progress[task] = reader
        try:
            for clip in reader:
                moment = perf_counter()
                _store(media, clip)
                stored += perf_counter() - moment
                moment = perf_counter()
                self._send(ClipReady(task, clip.segment.number, clip.clips))
                waited += perf_counter() - moment
            video = reader.video
            if (video.size_bytes, video.modified_ns) != (task.file.size_bytes, task.file.modified_ns):
                raise UnreadableVideo(
                    task.file.path, "error", "The file changed while it was read; index it again once it is complete."
                )
            waited += reader.seconds_hashing
            return Decoded(
                task,
                video,
                reader.shots,
                reader.segments,
                media,
                reader.fell_back,
                reader.notes,
                reader.seconds_hashing,
            )
        except BaseException:
            media.discard()
            raise
        finally:
            with self._lock:
                self._in_progress.pop(task, None)
                self._decode_seconds += perf_counter() - began - waited - stored
                self._store_seconds += stored

    def _send(self, message: Message) -> None:
        """Put a message into the queue, waiting for room. Raise Cancelled once the threads are to stop."""
        while not self._stop.is_set():
            try:
                return self._messages.put(message, timeout=_WAIT_SECONDS)
            except queue.Full:
                continue
        if isinstance(message, Decoded):
            message.media.discard()
        raise Cancelled


def refreshed(task: VideoTask) -> VideoTask:
    """Return the task as planned or, if the file has changed since, with its current size, time and fingerprint."""
    status = os.stat(task.file.path)
    if (status.st_size, status.st_mtime_ns) == (task.file.size_bytes, task.file.modified_ns):
        return task
    file = FoundFile(path=task.file.path, size_bytes=status.st_size, modified_ns=status.st_mtime_ns)
    return VideoTask(file=file, fingerprint=fingerprint(file.path), copies=task.copies)


def _store(media: StagedMedia, clip: SegmentClip) -> None:
    """Write the pictures of a segment. Errors are raised as errors of the library, not of the video."""
    try:
        media.add(clip.segment.number, clip.poster, clip.preview)
    except OSError as error:
        raise LibraryError(
            f"Posters and previews cannot be written into the library ({error.strerror or error}). Check that its "
            "folder exists and is writable, and start again: what was finished is kept."
        ) from error


def file_error(path: str, error: OSError | UnreadableVideo) -> UnreadableVideo:
    """Convert an error of the file system to the error of one video."""
    if isinstance(error, UnreadableVideo):
        return error
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return UnreadableVideo(path, "missing", "The file is no longer there.")
    if isinstance(error, PermissionError):
        return UnreadableVideo(path, "permission", "The file cannot be read: permission denied.")
    cause = error.strerror or str(error) or errno.errorcode.get(error.errno or 0, "unknown error")
    return UnreadableVideo(path, "error", f"The file could not be read ({cause}).")
