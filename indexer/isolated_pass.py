"""The decode pass over a video in a worker process: a VideoReader here, and the task that it follows.

Clips and pictures come through the pipe. The network that scores frames as shot boundaries stays in this process.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from db.records import Segment, Shot, Video
from indexer.media.errors import UnreadableVideo

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from encoder import ClipSpec
    from encoder.shot_boundaries import ScoreStream, ShotBoundaryScorer
    from indexer.settings import IndexSettings
    from indexer.video_pass import SegmentClip, VideoPass
    from indexer.workers.child import Link
    from indexer.workers.pool import WorkerPool
    from indexer.workers.task import Task


@dataclass(frozen=True, slots=True)
class PassOrder:
    """What a worker needs to know to read a video."""

    path: str
    specs: tuple[ClipSpec, ...]
    settings: dict[str, Any]  # fields of IndexSettings
    fingerprint: str
    scored: bool  # whether this process has a scorer
    key_frames: bool = False


@dataclass(frozen=True, slots=True)
class PassResult:
    """What is known about a video at its end, apart from its clips."""

    video: Video
    shots: list[Shot]
    fell_back: bool
    notes: tuple[str, ...]
    seconds_hashing: float


@dataclass(frozen=True, slots=True)
class FramesToScore:
    """A question of the worker; the answer has the scores, and how many more frames may be held back for the next."""

    frames: NDArray[np.uint8] | None  # None: there are no more


RunPass = Callable[["Link", PassOrder], PassResult]


class IsolatedPass:
    """A VideoReader over a `VideoPass` in a worker process; see there. Iterate it once."""

    def __init__(
        self,
        pool: WorkerPool,
        path: str,
        specs: Sequence[ClipSpec],
        settings: IndexSettings,
        *,
        fingerprint: str,
        cancelled: Callable[[], bool],
        scorer: ShotBoundaryScorer | None = None,
        run: RunPass | None = None,
        key_frames: bool = False,
    ) -> None:
        """Prepare a pass. run: the task for the worker; by default `run_pass`."""
        self.fell_back = False
        self.notes: tuple[str, ...] = ()
        self.seconds_hashing = 0.0
        self.shots: list[Shot] = []
        self.segments: list[Segment] = []
        self._pool = pool
        self._order = PassOrder(
            path, tuple(specs), _fields_of(settings), fingerprint, scored=scorer is not None, key_frames=key_frames
        )
        self._cancelled = cancelled
        self._scorer = scorer
        self._run = run or run_pass
        self._task: Task | None = None
        self._video: Video | None = None

    @property
    def seconds_done(self) -> float:
        """Seconds of video decoded so far."""
        return self._progress[0]

    @property
    def seconds_expected(self) -> float | None:
        """Length of the video, if the container states it."""
        return self._progress[1]

    @property
    def video(self) -> Video:
        """The video as indexed; RuntimeError before the end of the iteration."""
        if self._video is None:
            raise RuntimeError(f"{self._order.path} has not been read to the end")
        return self._video

    def __iter__(self) -> Iterator[SegmentClip]:
        """Yield the segments. Raises as `VideoPass` and `Task` do."""
        stream: ScoreStream | None = None
        order = self._order
        with self._pool.task(self._run, order, path=order.path, cancelled=self._cancelled) as task:
            self._task = task
            for message in task:
                if isinstance(message, FramesToScore):
                    assert self._scorer is not None
                    stream = stream or self._scorer.stream()
                    task.answer(_scores(stream, message))
                    continue
                self.segments.append(message.segment)
                yield message
            result: PassResult = task.result
        self._video, self.shots = result.video, result.shots
        self.fell_back, self.notes, self.seconds_hashing = result.fell_back, result.notes, result.seconds_hashing

    @property
    def _progress(self) -> tuple[float, float | None]:
        if self._video is not None:
            return self._video.duration_seconds, self._video.duration_seconds
        state = None if self._task is None else self._task.progress
        return state if isinstance(state, tuple) else (0.0, None)


def _fields_of(settings: IndexSettings) -> dict[str, Any]:
    """Return the fields of settings, which cannot be pickled as they are."""
    values = {field.name: getattr(settings, field.name) for field in fields(settings)}
    return {**values, "detector_options": dict(settings.detector_options)}


def _scores(stream: ScoreStream, asked: FramesToScore) -> tuple[NDArray[np.float32], int]:
    scores = stream.finish() if asked.frames is None else stream.feed(asked.frames)
    return scores, stream.until_scores


def pass_class(*, key_frames: bool) -> type[VideoPass]:
    """Return the class of passes: over key frames only, or over all."""
    if key_frames:
        from indexer.key_frame_pass import KeyFramePass

        return KeyFramePass
    from indexer.video_pass import VideoPass

    return VideoPass


# In the worker


def import_decoders() -> None:
    """Import what a pass needs, for `WorkerPool(prepare=...)`; takes a few tenths of a second before the first file."""
    import indexer.media.preview
    import indexer.notes
    import indexer.shots.learned
    import indexer.shots.segmenter
    import indexer.video_pass  # noqa: F401


def run_pass(link: Link, order: PassOrder) -> PassResult:
    """Read a video and send its segments; a task."""
    from indexer.settings import IndexSettings

    def alive() -> bool:
        link.progress((reading.seconds_done, reading.seconds_expected))
        return False  # the task is cancelled by the end of this process

    reading = pass_class(key_frames=order.key_frames)(
        order.path,
        order.specs[0],
        IndexSettings(**order.settings),
        fingerprint=order.fingerprint,
        cancelled=alive,
        scorer=_AskedScorer(link) if order.scored else None,
        further=order.specs[1:],
    )
    try:
        for made in reading:
            link.send(made)
    except (UnreadableVideo, OSError, MemoryError):
        raise
    except Exception as error:
        raise UnreadableVideo(order.path, "error", could_not_be_decoded(error)) from error
    return PassResult(reading.video, reading.shots, reading.fell_back, reading.notes, reading.seconds_hashing)


def could_not_be_decoded(error: Exception) -> str:
    """Return the reason for an error that nobody expected."""
    cause = f"{type(error).__name__}: {error}".strip().splitlines()[0]
    return f"It could not be decoded ({cause})."


class _AskedScorer:
    """A ShotBoundaryScorer whose network is in another process."""

    def __init__(self, link: Link) -> None:
        self._link = link

    def prepare(self) -> None:
        """See `ShotBoundaryScorer.prepare`: the other process has done it."""

    def scores(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """See `ShotBoundaryScorer.scores`."""
        import numpy as np

        stream = self.stream()
        return np.concatenate([stream.feed(frames), stream.finish()])

    def stream(self) -> _AskedStream:
        """See `ShotBoundaryScorer.stream`."""
        return _AskedStream(self._link)


class _AskedStream:
    """A ScoreStream that sends frames when, and only when, they are enough for scores: these come with the same frame
    as they would without another process, so that segments are the same."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._held: list[NDArray[np.uint8]] = []
        self.until_scores = 1

    def feed(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """See `ScoreStream.feed`."""
        import numpy as np

        self._held.append(frames)
        self.until_scores -= len(frames)
        if self.until_scores > 0:
            return np.empty((0, 2), np.float32)
        return self._ask(np.concatenate(self._held))

    def finish(self) -> NDArray[np.float32]:
        """See `ScoreStream.finish`."""
        import numpy as np

        before = self._ask(np.concatenate(self._held)) if self._held else np.empty((0, 2), np.float32)
        return np.concatenate([before, self._ask(None)])

    def _ask(self, frames: NDArray[np.uint8] | None) -> NDArray[np.float32]:
        self._held.clear()
        scores: NDArray[np.float32]
        scores, self.until_scores = self._link.ask(FramesToScore(frames))
        return scores
