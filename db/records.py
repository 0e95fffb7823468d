"""The library's records: frozen dataclasses, validated on creation. Standard library only.

Times are integer pts in the video's own time base, in half-open ranges [start, end). Seconds are derived, for display.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, get_args

from db.media_facts import MediaFacts

Orientation = Literal["landscape", "portrait", "square"]
Fit = Literal["stretch", "crop", "pad"]
DetectorOption = int | float | str | bool | tuple[float, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Video:
    """A video file as it was indexed."""

    path: str  # absolute; bytes that are not UTF-8 become surrogates (os.fsdecode)
    fingerprint: str  # digest of the content: see indexer.fingerprint
    size_bytes: int
    modified_ns: int
    time_base: Fraction  # seconds per pts unit
    start_pts: int  # pts of the first frame shown
    end_pts: int  # one past the last frame shown: its pts plus its duration
    frame_rate: Fraction  # average, frames per second
    frames: int  # decoded
    width: int  # as shown: rotation and sample aspect ratio applied
    height: int  # likewise
    codec: str
    rotation: int = 0  # clockwise degrees stated by the container: 0, 90, 180, 270
    has_audio: bool = False
    damaged: int = 0  # decoding errors that were skipped
    timecode: str = ""  # of the first frame, from the file: hh:mm:ss:ff, drop-frame hh:mm:ss;ff; "" if none
    facts: MediaFacts | None = None  # stated by the header; None: indexed by a version that did not read them
    kinds: frozenset[str] = frozenset()  # of VideoKind: what the decode pass treats in a special way
    content_hash: str = ""  # BLAKE2b-256 of the whole content, hexadecimal; "" in these three: not known
    file_id: str = ""  # device and inode when it was indexed, as decimal numbers: "2049:131"
    volume: str = ""  # of the file system, such as its UUID
    recorded_at: int | None = None  # Unix seconds; None if neither file nor name states it
    id: int | None = None  # assigned by the library

    def __post_init__(self) -> None:
        if self.time_base <= 0 or self.frame_rate <= 0:
            raise ValueError(f"time base and frame rate must be positive: {self.time_base}, {self.frame_rate}")
        if self.end_pts <= self.start_pts:
            raise ValueError(f"a video must end after it starts: {self.start_pts}..{self.end_pts}")
        if self.rotation not in (0, 90, 180, 270):
            raise ValueError(f"rotation must be 0, 90, 180 or 270 degrees, got {self.rotation}")

    @property
    def duration_seconds(self) -> float:
        """The length in seconds."""
        return float((self.end_pts - self.start_pts) * self.time_base)

    @property
    def clock_jumps(self) -> bool | None:
        """Whether the times in the file jump, so that it cannot be sought by them; None if that is not known."""
        return None if self.facts is None else "clock" in self.kinds

    @property
    def nominal_rate(self) -> Fraction:
        """Frames per second as the header states them; the average if the header was not read."""
        return self.frame_rate if self.facts is None else self.facts.nominal_rate

    def seconds(self, pts: int) -> float:
        """Return seconds from the first frame shown, as players count them."""
        return float((pts - self.start_pts) * self.time_base)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileState:
    """Where a video's file is, and what the file system says about it."""

    path: str  # absolute
    size_bytes: int
    modified_ns: int  # Unix nanoseconds
    file_id: str = ""  # as in Video
    volume: str = ""  # likewise


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """The frames between two cuts of a video."""

    number: int  # within the video, from 0
    start_pts: int
    end_pts: int

    def __post_init__(self) -> None:
        if self.number < 0 or self.end_pts <= self.start_pts:
            raise ValueError(f"a shot needs a number >= 0 and a length: {self}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """The unit that is embedded and retrieved: a whole shot, or one of the equal parts of a long one."""

    number: int  # within the video, from 0
    shot_number: int
    start_pts: int
    end_pts: int
    id: int | None = None  # assigned by the library and never reused; the key in the vector index

    def __post_init__(self) -> None:
        if self.number < 0 or self.shot_number < 0 or self.end_pts <= self.start_pts:
            raise ValueError(f"a segment needs numbers >= 0 and a length: {self}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A file that could not be indexed, stored with the reason until it is retried or deleted."""

    path: str
    size_bytes: int
    modified_ns: int
    kind: str  # missing, permission, empty, not_video, audio_only, still_image, encrypted, unsupported, broken, error,
    # crashed, stalled, memory
    reason: str  # one sentence for the user
    attempts: int = 1
    failed_at: str = ""  # ISO 8601, UTC; filled in by the library


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Conditions on segments and videos, applied before vectors are compared. None means no limit."""

    folder: str | None = None  # videos below this absolute folder (or this very file)
    min_seconds: float | None = None  # length of the segment
    max_seconds: float | None = None
    since_ns: int | None = None  # modification time of the file, Unix nanoseconds
    until_ns: int | None = None
    recorded_since: int | None = None  # date of recording, Unix seconds; videos without one do not pass
    recorded_until: int | None = None
    name: str | None = None  # part of the file's name, without its folder; ignores case
    min_short_side: int | None = None  # the smaller of width and height as shown, in pixels
    max_short_side: int | None = None
    orientation: Orientation | None = None  # orientation of the video as shown
    codec: str | None = None  # FFmpeg's name, such as hevc, or a usual one, such as H.265
    frame_rate: float | None = None  # nominal frames per second; 29.97 is 30000/1001, and 30 is not
    camera: str | None = None  # make and model as in `Facets.cameras`, or words that are all in them; ignores case
    has_sound: bool | None = None  # whether the video has a sound track

    def __post_init__(self) -> None:
        if self.orientation not in (None, "landscape", "portrait", "square"):
            raise ValueError(f"orientation must be landscape, portrait or square, got {self.orientation!r}")

    def __bool__(self) -> bool:
        return any(getattr(self, name) is not None for name in self.__slots__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facets:
    """The values that the videos of a library have, for a choice of filters. Each is in ascending order."""

    codecs: tuple[str, ...] = ()  # FFmpeg's names
    frame_rates: tuple[float, ...] = ()  # nominal frames per second, to five digits: 23.976, 25.0
    cameras: tuple[str, ...] = ()  # make and model


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """A named, ordered list of subclips. The first collection is the tray."""

    id: int
    name: str
    revision: int  # increases with every change of the collection, its subclips, and their videos
    items: int  # subclips in it
    created_at: str  # ISO 8601, UTC, as all timestamps here
    updated_at: str
    owner: int | None = None  # the person whose tray it is; None: everybody's


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSubclip:
    """A subclip to add."""

    segment_id: int
    start_pts: int | None = None  # None: the segment's
    end_pts: int | None = None  # likewise
    name: str = ""
    note: str = ""
    score: float | None = None  # score of the hit it was created from


@dataclass(frozen=True, slots=True, kw_only=True)
class Subclip:
    """A saved range [start_pts, end_pts) of a video.

    It has a copy of the fields of its video that it needs, so it outlasts the video's removal or re-indexing. While the
    library has the content, `video_id`, `segment_id` and `path` are the current ones, even if the file was moved; else
    the ids are None and the path is the last known one.
    """

    id: int
    collection_id: int
    revision: int  # increases with every change of range, name or note
    video_id: int | None
    segment_id: int | None  # the one it was created from, or the one that overlaps it most now
    fingerprint: str
    path: str
    time_base: Fraction
    video_start_pts: int
    video_end_pts: int
    frame_rate: Fraction
    timecode: str  # as in Video
    start_pts: int
    end_pts: int
    name: str
    note: str
    has_audio: bool
    width: int
    height: int
    score: float | None
    created_at: str
    facts: MediaFacts | None = None  # as in Video
    content_hash: str = ""  # likewise

    @property
    def start_seconds(self) -> float:
        """Seconds from the first frame shown of the video."""
        return float((self.start_pts - self.video_start_pts) * self.time_base)

    @property
    def end_seconds(self) -> float:
        """Seconds from the first frame shown of the video."""
        return float((self.end_pts - self.video_start_pts) * self.time_base)

    @property
    def duration_seconds(self) -> float:
        return float((self.end_pts - self.start_pts) * self.time_base)


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedSearch:
    """A search saved under a name."""

    id: int
    name: str
    link: str  # the query string of the page's URL
    created_at: str  # when it was last saved
    text_id: str = ""  # of the encoder that it was made with; "" if that is not known


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownFile:
    """The state of a file when it was indexed. A scan that finds it unchanged need not open the file."""

    video_id: int
    size_bytes: int
    modified_ns: int
    fingerprint: str
    recipe: str  # recipe of the embeddings by the requested encoder; "" without embeddings
    embedded: bool  # whether the requested encoder has embedded it
    kinds: frozenset[str] = frozenset()
    facts_read: bool = False  # False: indexed by a version that read no facts
    content_hash: str = ""  # as in Video
    file_id: str = ""  # likewise
    volume: str = ""  # likewise
    quick: bool = False  # only a quick pass was made over it, by any encoder: its full pass is to come
    revision: int = 0  # raised whenever the requested encoder's rows of the same segments are written again


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderChoice:
    """How an encoder of the library is loaded: its name and options, which result in the encoder `encoder_id`."""

    name: str  # a full name, or an absolute path
    encoder_id: str
    frames: int | None  # per clip; None: the encoder's own
    fit: Fit
    still_frames: int = 0  # per nearly still clip; 0: as many as for any clip
    text_id: str = ""  # of its text encoder, which `encoder_id` does not cover; "" if it has none, or that is not known

    def __post_init__(self) -> None:
        if self.fit not in get_args(Fit):
            raise ValueError(f"fit must be {', '.join(get_args(Fit))}, got {self.fit!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class CutSettings:
    """How the library's videos are cut into shots and segments; see `indexer.settings` for the fields."""

    detector: str
    detector_options: Mapping[str, DetectorOption]
    segment_seconds: float
    overlap_seconds: float
    decode: str
    hash_content: str | None = None  # None: the default


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderRow:
    """An encoder that has embedded segments of the library."""

    id: str
    dim: int  # columns of its rows
    segments: int  # embedded
    former_id: str | None = None  # by which an earlier version stored them
    quick_of: str | None = None  # of a space of quick passes: the id of the full one


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """The state of one encoder's embeddings, for copies of them such as the vector index.

    If `generation` is the same, every row of a copy is still valid, and new rows have ids above the copy's `last_id`.
    Otherwise (or with another library or dim), rows were removed, changed or inserted below `last_id`.
    """

    library_id: str
    encoder_id: str
    dim: int  # 0 while the encoder has no embeddings
    count: int
    last_id: int  # the highest segment id with an embedding; 0 for none
    generation: int

    def holds_at(self, now: Stamp) -> bool:
        """Return whether every row of a copy made at this stamp is still valid at the stamp `now`."""
        mine = self.library_id, self.encoder_id, self.dim, self.generation
        return mine == (now.library_id, now.encoder_id, now.dim, now.generation)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """Statistics of a library."""

    videos: int
    shots: int
    segments: int
    seconds: float  # total duration of all videos
    database_bytes: int  # the SQLite file and its write-ahead log
    media_bytes: int  # posters and previews of its videos
    failures: int
    encoders: tuple[EncoderRow, ...]
    quick_videos: int = 0  # of those, the ones that wait for their full pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """A process, on any machine, that works for a library on a server."""

    machine: str
    process: int
    version: str  # of prismsearch
    doing: str  # the kind of its work: "index"
    seconds: float  # since its first claim
    paths: tuple[str, ...]  # the videos that it has in work, the first ones first
    path_seconds: tuple[float, ...] = ()  # for how long it has had each of them
