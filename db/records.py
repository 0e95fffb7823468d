"""The nouns of the library: plain frozen values, standard library only, checked when made.

Times are integer pts in the video's own time base, half open [start, end); seconds are derived, for show.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class Video:
    """A file as it was indexed. `width` x `height` are as shown: rotation and sample aspect applied."""

    path: str  # absolute; bytes that are not UTF-8 as surrogates (os.fsdecode)
    fingerprint: str  # content, not name: indexer.fingerprint
    size_bytes: int
    modified_ns: int
    time_base: Fraction  # seconds per pts unit
    start_pts: int  # of the first frame shown
    end_pts: int  # one past the last frame shown: its pts plus its duration
    frame_rate: Fraction  # average, frames per second
    frames: int  # decoded
    width: int
    height: int
    codec: str
    rotation: int = 0  # degrees clockwise that the container asks for: 0, 90, 180, 270
    has_audio: bool = False
    damaged: int = 0  # times decoding had to go on past an error
    id: int | None = None  # given by the library

    def __post_init__(self) -> None:
        if self.time_base <= 0 or self.frame_rate <= 0:
            raise ValueError(f"time base and frame rate must be positive: {self.time_base}, {self.frame_rate}")
        if self.end_pts <= self.start_pts:
            raise ValueError(f"a video must end after it starts: {self.start_pts}..{self.end_pts}")
        if self.rotation not in (0, 90, 180, 270):
            raise ValueError(f"rotation must be 0, 90, 180 or 270 degrees, got {self.rotation}")

    @property
    def duration_seconds(self) -> float:
        return float((self.end_pts - self.start_pts) * self.time_base)

    def seconds(self, pts: int) -> float:
        """Seconds from the first frame shown, which is what players and people count from."""
        return float((pts - self.start_pts) * self.time_base)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """What lies between two cuts of one video; `number` counts from 0."""

    number: int
    start_pts: int
    end_pts: int

    def __post_init__(self) -> None:
        if self.number < 0 or self.end_pts <= self.start_pts:
            raise ValueError(f"a shot needs a number >= 0 and a length: {self}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """The unit that is embedded and retrieved: a whole shot, or one of the equal parts of a long one.

    `number` counts the segments of the video from 0. `id` is given by the library and never used twice; it is the key
    in the vector index.
    """

    number: int
    shot_number: int
    start_pts: int
    end_pts: int
    id: int | None = None

    def __post_init__(self) -> None:
        if self.number < 0 or self.shot_number < 0 or self.end_pts <= self.start_pts:
            raise ValueError(f"a segment needs numbers >= 0 and a length: {self}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A file that could not be indexed, kept with the reason until it is retried or goes away."""

    path: str
    size_bytes: int
    modified_ns: int
    kind: str  # missing, permission, empty, not_video, audio_only, still_image, broken, error
    reason: str  # one sentence for a person
    attempts: int = 1
    failed_at: str = ""  # ISO 8601, UTC; filled in by the library


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What narrows a search before any vector is compared. None means no limit."""

    folder: str | None = None  # videos below this absolute folder (or this very file)
    min_seconds: float | None = None  # length of the segment
    max_seconds: float | None = None
    since_ns: int | None = None  # modification time of the file, Unix nanoseconds
    until_ns: int | None = None

    def __bool__(self) -> bool:
        return any(getattr(self, name) is not None for name in self.__slots__)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownFile:
    """What a scan compares a file with, to see without opening it that nothing changed.

    `recipe` is the one under which the encoder asked about embedded the video; empty when it has not: not `embedded`.
    """

    video_id: int
    size_bytes: int
    modified_ns: int
    fingerprint: str
    recipe: str
    embedded: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderRow:
    """A space of embeddings: the encoder's id, its number of columns and how many segments it has embedded."""

    id: str
    dim: int
    segments: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """The state of one encoder's embeddings, for whoever keeps a copy of them.

    Same `generation`: every row of the copy still stands, and what came since has ids above the copy's `last_id`.
    Another `generation` (or library, or dim): rows went, changed or came in between, so the copy has to be made anew.
    """

    library_id: str
    encoder_id: str
    dim: int  # 0 while the library has never seen this encoder
    count: int
    last_id: int  # the highest segment id that has an embedding; 0 when there is none
    generation: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """How much a library holds."""

    videos: int
    shots: int
    segments: int
    seconds: float  # of video
    database_bytes: int  # the SQLite file and its write-ahead log
    media_bytes: int  # posters and previews
    failures: int
    encoders: tuple[EncoderRow, ...]
