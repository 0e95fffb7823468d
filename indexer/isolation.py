"""Places where a run reads files and decodes videos: worker processes, or threads of its own process."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

from indexer.content_hash import content_hash
from indexer.decoding import refreshed
from indexer.isolated_pass import IsolatedPass, RunPass, import_decoders, pass_class
from indexer.messages import OpenVideo, VideoReader
from indexer.plan import VideoTask
from indexer.reading import Reading
from indexer.scan import Scan, find_videos
from indexer.scanning import scan_in_worker
from indexer.settings import RunOptions
from indexer.workers.limits import WorkerLimits
from indexer.workers.pool import WorkerPool

if TYPE_CHECKING:
    from db.records import Video
    from encoder import ClipSpec
    from encoder.shot_boundaries import ShotBoundaryScorer
    from indexer.settings import IndexSettings
    from indexer.words import WordsRead, WordsTask
    from indexer.workers.child import Link


class Isolation:
    """The worker processes of a run, which are started when they are needed; a context manager that ends them.

    Attributes:
        reading: Reads files.
    """

    def __init__(
        self,
        options: RunOptions,
        settings: IndexSettings,
        *,
        scorer: ShotBoundaryScorer | None,
        cancelled: Callable[[], bool],
        open_video: OpenVideo | None = None,
        run_pass: RunPass | None = None,
        key_frames: bool = False,
    ) -> None:
        """Prepare a run.

        Args:
            options: Whether there are worker processes, how many, and their limits.
            settings, scorer: As in `VideoPass`.
            cancelled: Polled in the thread of the run.
            open_video: Opens videos in this process, instead of VideoPass; there are no worker processes then.
            run_pass: The task of a worker that decodes a video; by default `indexer.isolated_pass.run_pass`.
            key_frames: Read key frames only, as in `KeyFramePass`.
        """
        self._settings = settings
        self._scorer = scorer
        self._cancelled = cancelled
        self._opened = open_video
        self._run_pass = run_pass
        self._key_frames = key_frames
        self._exit = ExitStack()
        self._readers = self._decoders = None
        self._decoding = False
        if options.isolated and open_video is None:
            limits = WorkerLimits(
                stall_seconds=options.stall_seconds,
                memory_gib=options.decode_memory_gib,
                on_device=settings.hardware != "none",
            )
            self._readers = self._exit.enter_context(WorkerPool(limits))
            self._decoders = self._exit.enter_context(WorkerPool(limits, prepare=import_decoders))
        self.reading = Reading(self._readers, workers=options.decode_workers, cancelled=cancelled)

    def __enter__(self) -> Isolation:
        return self

    def __exit__(self, *_: object) -> None:
        self._exit.close()

    def scan(
        self,
        roots: Sequence[str | os.PathLike[str]],
        *,
        exclude: Sequence[str],
        avoid: Sequence[str],
        on_found: Callable[[int], None],
    ) -> Scan:
        """Find videos; see `indexer.scan.find_videos`."""
        if self._readers is None:
            return find_videos(roots, exclude=exclude, avoid=avoid, on_found=on_found, cancelled=self._cancelled)
        paths = [os.path.abspath(os.fspath(root)) for root in roots]
        return scan_in_worker(
            self._readers, paths, exclude=exclude, avoid=avoid, on_found=on_found, cancelled=self._cancelled
        )

    def read_hash(self, path: str, stopped: Callable[[], bool]) -> str:
        """Return the hash of a file's content; see `indexer.content_hash`, and WorkerPool for what else is raised."""
        if self._readers is None:
            return content_hash(path, cancelled=stopped)
        with self._readers.task(_hash, path, path=path, cancelled=stopped) as task:
            for _ in task:
                pass
        return str(task.result)

    def start_decoders(self, count: int) -> None:
        """Start processes that decode, so that the first videos need not wait for them; those that read end."""
        if self._readers is not None and self._decoders is not None:
            self._decoding = True
            self._decoders.start(count)
            self._readers.close()

    @property
    def opens_videos(self) -> bool:
        """Whether videos are files that FFmpeg opens; `open_video` may take others."""
        return self._opened is None

    def read_words(self, task: WordsTask, video: Video) -> WordsRead:
        """Read the words that a video and the files beside it hold; see `indexer.words_reading`, also for errors."""
        from indexer.words_reading import read_words, read_words_here

        pool = self._decoders if self._decoding else self._readers
        if pool is not None:
            return read_words(task, video, pool, self._cancelled)
        stop = threading.Event()
        try:
            return self.reading.wait(lambda: read_words_here(task, video, stop.is_set))
        finally:
            stop.set()

    def open_video(
        self, path: str, content: str, specs: Sequence[ClipSpec], stopped: Callable[[], bool]
    ) -> VideoReader:
        """Open a video for decoding; an `indexer.messages.OpenVideo`."""
        if self._opened is not None:
            return self._opened(path, content, specs, stopped)
        if self._decoders is None:
            return pass_class(key_frames=self._key_frames)(
                path,
                specs[0],
                self._settings,
                fingerprint=content,
                cancelled=stopped,
                scorer=self._scorer,
                further=specs[1:],
            )
        return IsolatedPass(
            self._decoders,
            path,
            specs,
            self._settings,
            fingerprint=content,
            cancelled=stopped,
            scorer=self._scorer,
            run=self._run_pass,
            key_frames=self._key_frames,
        )

    def refresh(self, task: VideoTask, stopped: Callable[[], bool]) -> VideoTask:
        """Bring a task up to date with its file; an `indexer.messages.Refresh`."""
        if self._decoders is None:
            return refreshed(task)
        return self._decoders.call(refreshed, task, path=task.file.path, cancelled=stopped)


def _hash(link: Link, path: str) -> str:
    def alive() -> bool:
        link.progress()
        return False

    return content_hash(path, cancelled=alive)
