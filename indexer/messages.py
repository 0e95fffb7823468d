"""What decoding threads are given, and what they say to the thread that encodes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from db.errors import LibraryError
from db.records import Segment, Shot, Video
from indexer.media.errors import UnreadableVideo
from indexer.plan import Job

if TYPE_CHECKING:
    from db.media import StagedMedia
    from indexer.video_pass import SegmentClip


class Reading(Protocol):
    """One decode of one video, as `indexer.video_pass.VideoPass` does it."""

    seconds_done: float  # of the video, decoded so far
    seconds_expected: float | None  # its length, if the container says so
    fell_back: bool  # hardware was to decode and the processor did
    shots: list[Shot]
    segments: list[Segment]

    @property
    def video(self) -> Video: ...

    def __iter__(self) -> Iterator[SegmentClip]: ...


OpenVideo = Callable[[str, str, Callable[[], bool]], Reading]
"""(path, fingerprint, cancelled) -> what reads it. Opening may wait until the iteration."""

Stage = Callable[[str], "StagedMedia"]
"""fingerprint -> where its posters and previews go."""


@dataclass(frozen=True, slots=True, eq=False)
class ClipReady:
    job: Job
    number: int  # of the segment
    clip: NDArray[np.uint8]  # (T, S, S, 3) RGB


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """All clips of the job came before this."""

    job: Job
    video: Video
    shots: list[Shot]
    segments: list[Segment]
    media: StagedMedia
    fell_back: bool = False  # hardware was to decode and the processor did


@dataclass(frozen=True, slots=True, eq=False)
class Unreadable:
    """The job came to nothing; clips of it that came before are to be thrown away."""

    job: Job
    error: UnreadableVideo


@dataclass(frozen=True, slots=True, eq=False)
class Broken:
    """The library failed: the run cannot go on."""

    error: LibraryError


Message = ClipReady | Decoded | Unreadable | Broken
