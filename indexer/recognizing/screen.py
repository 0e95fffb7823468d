"""Text on screen: frames come from a worker process, which is asked for more of them where text changes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from db.timed_text import TextSource
from indexer.media.errors import Cancelled
from indexer.recognizing.lines import RecognizedText, require_as_indexed, timed_lines

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from db.records import Segment, Video
    from indexer.workers.child import Link
    from indexer.workers.pool import WorkerPool
    from indexer.workers.task import Task
    from recognition.protocol import TextReader
    from recognition.screen.merging import Shown

    Frames = list[tuple[int, NDArray[np.uint8]]]

Range = tuple[int, int]
"""Start and end of a stretch, in milliseconds from the first frame shown."""


def read_screen(
    video: Video,
    segments: Sequence[Segment],
    reader: TextReader,
    pool: WorkerPool,
    *,
    cancelled: Callable[[], bool],
    on_progress: Callable[[float], None] = lambda share: None,
) -> RecognizedText:
    """Read the text on screen of an indexed video.

    Args:
        video: The video, whose file must be as it was indexed.
        segments: Its segments: each is a shot, or a part of a long one.
        reader: The engine, which runs in this process.
        pool: Decodes.
        cancelled: Asked before each frame.
        on_progress: Called with the share of segments that are done, 0 to 1.

    Raises:
        UnreadableVideo: The file cannot be read.
        Cancelled: `cancelled()` returned True.
        RecognitionError: The engine cannot be used.
        WorkersUnavailable: No process for decoding can be started.
    """
    import cv2

    from recognition.screen.merging import merge_shown

    cv2.setNumThreads(1)  # rapidocr scales with it, next to the threads of its own that compute
    require_as_indexed(video)
    ranges = ranges_of(video, segments)
    before = time.process_time()
    with pool.task(_send_frames, video.path, video.start_pts, path=video.path, cancelled=cancelled) as task:
        reading = _Reading(task, ranges, reader, cancelled, on_progress)
        lines = timed_lines(merge_shown(reading.shown()))
    return RecognizedText(
        source=TextSource(kind="screen", engine=reader.id),
        lines=lines,
        cpu_seconds=time.process_time() - before + task.result,
        frames=reading.frames,
        shots=len({segment.shot_number for segment in segments}),
    )


def ranges_of(video: Video, segments: Sequence[Segment]) -> list[Range]:
    """Return the stretches to read, which do not overlap, although parts of a long shot may."""

    def at(pts: int) -> int:
        return int((pts - video.start_pts) * video.time_base * 1000)

    ordered = sorted(segments, key=lambda segment: segment.start_pts)
    starts = [at(segment.start_pts) for segment in ordered]
    ends = [min(at(a.end_pts), at(b.start_pts)) for a, b in pairwise(ordered)]
    ends += [at(segment.end_pts) for segment in ordered[-1:]]
    return [(start, end) for start, end in zip(starts, ends, strict=True) if end > start]


class _Reading:
    """Reads the frames that a worker sends, and asks it for the next ones."""

    def __init__(
        self,
        task: Task,
        ranges: Sequence[Range],
        reader: TextReader,
        cancelled: Callable[[], bool],
        on_progress: Callable[[float], None],
    ) -> None:
        self.frames = 0
        self._task = task
        self._ranges = ranges
        self._reader = reader
        self._cancelled = cancelled
        self._on_progress = on_progress

    def shown(self) -> Iterator[Shown]:
        """Yield what frames show, by ascending time."""
        from recognition.screen.frame_times import FrameReading, frame_times, more_times

        done = -1  # the number of the range in work; none yet
        readings: list[FrameReading] = []
        asked: Sequence[int] = ()
        for frames in self._task:
            for at, frame in frames:
                if self._cancelled():
                    raise Cancelled
                readings.append(FrameReading(at, tuple(self._reader.read(frame))))
                self.frames += 1
            more = more_times(readings) if len(frames) == len(asked) else ()  # else the file cannot be sought
            if not more:
                if done >= 0:
                    yield from _shown(readings, self._ranges[done])
                done, readings = done + 1, []
                self._on_progress(done / max(1, len(self._ranges)))
                more = frame_times(*self._ranges[done]) if done < len(self._ranges) else ()
            asked = more
            self._task.answer(asked)


def _shown(readings: Sequence[FrameReading], stretch: Range) -> Iterator[Shown]:
    from recognition.screen.frame_times import shown_ranges
    from recognition.screen.merging import Shown

    ordered = sorted(readings, key=lambda reading: reading.time_ms)
    times = [reading.time_ms for reading in ordered]
    for reading, (start, end) in zip(ordered, shown_ranges(times, *stretch), strict=True):
        yield Shown(start, end, reading.texts)


if TYPE_CHECKING:
    from recognition.screen.frame_times import FrameReading


# In the worker


def _send_frames(link: Link, path: str, start_pts: int) -> float:
    """Send the frames of the times that the other side answers with, until there are none; a task.

    Returns:
        The CPU seconds that it took.
    """
    from indexer.media.probe import open_source
    from indexer.media.shown_frames import ShownFrames

    before = time.process_time()
    with open_source(path) as source:
        frames = ShownFrames(source, start_pts=start_pts, on_frame=link.progress)
        sent: Frames = []
        while times := link.ask(sent):
            sent = list(frames.at(times))
    return time.process_time() - before
