"""Messages from the decoding threads to the thread that encodes, and the protocol of a video reader."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from db.errors import LibraryError
from db.records import Segment, Shot, Video
from indexer.media.errors import UnreadableVideo
from indexer.plan import VideoTask
from indexer.workers.task import WorkersUnavailable

if TYPE_CHECKING:
    from db.media import StagedMedia
    from encoder import ClipSpec
    from indexer.video_pass import SegmentClip


class VideoReader(Protocol):
    """One decode of one video; implemented by `indexer.video_pass.VideoPass`."""

    fell_back: bool  # decoded on the CPU although hardware was requested
    notes: tuple[str, ...]  # what a person should know about the file, a clause each; after the iteration
    seconds_hashing: float  # spent on reading the whole content for its hash; after the iteration
    shots: list[Shot]
    segments: list[Segment]

    @property
    def video(self) -> Video: ...

    @property
    def seconds_done(self) -> float: ...  # seconds of video decoded so far

    @property
    def seconds_expected(self) -> float | None: ...  # length of the video, if the container states it

    def __iter__(self) -> Iterator[SegmentClip]: ...


OpenVideo = Callable[[str, str, "Sequence[ClipSpec]", Callable[[], bool]], VideoReader]
"""(path, fingerprint, shapes of the clips to make, cancelled) -> reader. The file need not be opened before the
iteration."""

OpenTask = Callable[[VideoTask, Callable[[], bool]], VideoReader]
"""The same for the file of a task: (task, cancelled) -> reader."""

Refresh = Callable[[VideoTask, Callable[[], bool]], VideoTask]
"""(task, cancelled) -> the task, brought up to date with its file."""

Stage = Callable[[str], "StagedMedia"]
"""fingerprint -> staging area for posters and previews."""


@dataclass(frozen=True, slots=True, eq=False)
class ClipReady:
    """The clips of one segment, ready to encode."""

    task: VideoTask
    number: int  # number of the segment
    clips: tuple[NDArray[np.uint8], ...]  # (T, S, S, 3) RGB, of the shapes that the reader was opened with


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """The end of a task, after all its clips."""

    task: VideoTask
    video: Video
    shots: list[Shot]
    segments: list[Segment]
    media: StagedMedia
    fell_back: bool = False  # decoded on the CPU although hardware was requested
    notes: tuple[str, ...] = ()
    seconds_hashing: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Unreadable:
    """The failure of a task; clips of it that were sent before must be discarded."""

    task: VideoTask
    error: UnreadableVideo


@dataclass(frozen=True, slots=True, eq=False)
class RunFailed:
    """A failure that ends the run, because it is no fault of a file."""

    error: LibraryError | WorkersUnavailable


Message = ClipReady | Decoded | Unreadable | RunFailed
