"""Timelines: ranges of source files in order, from which edit lists are written. Reads no file."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from app.timelines.timecode import counted_rate, labels_per_frame, nominal_rate

if TYPE_CHECKING:
    from db.media_facts import AudioTrack, FieldOrder


@dataclass(frozen=True, slots=True)
class Marker:
    """A text at a time of a file: start and end in exact seconds from the first frame shown, within the clip."""

    start_seconds: Fraction
    end_seconds: Fraction
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineClip:
    """A range of a video: start <= time < end, in exact seconds from the first frame shown.

    The file need not exist. Raises ValueError for a range that is empty or starts before 0, or a rate that is not
    positive.
    """

    name: str  # chosen by the user; empty: the file's own name
    path: str  # absolute, of any operating system; bytes that are not UTF-8 as surrogates (os.fsdecode)
    start_seconds: Fraction
    end_seconds: Fraction
    video_seconds: Fraction  # length of the whole video; 0: unknown
    frame_rate: Fraction  # frames per second: the constant one, or the average
    nominal_rate: Fraction | None = None  # frames per second that the file states; None: derived from `frame_rate`
    timecode: str = ""  # of the first frame shown, read from the file; drop-frame with `;`
    width: int = 0  # pixels as shown; 0: unknown
    height: int = 0
    square_pixels: bool = True  # in the file, whose size is then the one shown
    has_audio: bool = False
    audio: tuple[AudioTrack, ...] = ()  # sound tracks, in the file's order; empty with `has_audio`: one stereo track
    field_order: FieldOrder = ""  # "" if unknown
    reel: str = ""  # name of the tape or reel that the file states; "" if none
    note: str = ""
    markers: tuple[Marker, ...] = ()  # by start: what is said
    score: float | None = None
    rank: int | None = None
    variable_rate: bool = False  # the frame rate is known to vary

    def __post_init__(self) -> None:
        if self.start_seconds < 0 or self.end_seconds <= self.start_seconds:
            raise ValueError(
                f"a range must start at 0 or later and end after it starts, "
                f"got {float(self.start_seconds)}-{float(self.end_seconds)}"
            )
        for rate in (self.frame_rate, self.nominal_rate):
            if rate is not None and rate <= 0:
                raise ValueError(f"a frame rate is positive, got {rate}")

    @property
    def rate(self) -> Fraction:
        """The rate of the file's timecode, at which edit lists count."""
        return nominal_rate(self.nominal_rate or self.frame_rate)

    @property
    def labels_per_frame(self) -> int:
        """How many timecode numbers each frame of the file takes."""
        return labels_per_frame(self.nominal_rate or self.frame_rate)

    @property
    def channels(self) -> tuple[int, ...]:
        """The number of channels of each sound track; one stereo track if only the presence of sound is known."""
        if self.has_audio and not self.audio:
            return (2,)
        return tuple(max(1, track.channels) for track in self.audio)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """Clips in order, without gaps.

    Raises ValueError if there is no clip, or the frame rate is not positive.
    """

    name: str
    clips: tuple[TimelineClip, ...]
    frame_rate: Fraction | None = None  # None: the most common one of the clips
    drop_frame: bool = False  # count the timeline in drop-frame timecode, if its rate supports that
    start_timecode: str = "00:00:00:00"  # of the timeline's first frame

    def __post_init__(self) -> None:
        if not self.clips:
            raise ValueError("there is no clip to list; add one first")
        if self.frame_rate is not None and self.frame_rate <= 0:
            raise ValueError(f"a frame rate is positive, got {self.frame_rate}")


def frame_range(start_seconds: Fraction, end_seconds: Fraction, frame_rate: Fraction) -> tuple[int, int]:
    """Return the in and out frames of a range of seconds.

    This is the only place that computes them, so that the page and all lists show the same numbers.

    Args:
        start_seconds: Start of the range from the first frame shown, inclusive.
        end_seconds: End of the range from the first frame shown, exclusive.
        frame_rate: The file's frames per second, nominal if known.

    Returns:
        The first frame, counted from 0 at `counted_rate`, and the one after the last, by the nearest frame. Halfway
        between two frames it is the later one, which an exported clip begins with. The range has at least one frame.
    """
    rate = counted_rate(frame_rate)
    first, last = (math.floor(seconds * rate + Fraction(1, 2)) for seconds in (start_seconds, end_seconds))
    return first, max(first + 1, last)
