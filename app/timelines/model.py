"""What a list for an editing program is made of: ranges of files, one after the other. Reads no file."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from app.timelines.timecode import nominal_rate


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineClip:
    """A range of a video. Seconds are exact and count from the first frame shown: start <= time < end.

    The file need not be there. Raises ValueError for a range without length, or before the video.
    """

    name: str  # what a person called it; the file's own name where empty
    path: str  # absolute, of any system; bytes that are not UTF-8 as surrogates (os.fsdecode)
    start_seconds: Fraction
    end_seconds: Fraction
    video_seconds: Fraction  # length of the whole video, 0 where unknown
    frame_rate: Fraction  # frames per second: the constant one, or the average
    timecode: str = ""  # of the first frame shown, as the file carries it; `;` before the frames: drop-frame
    width: int = 0  # as shown; 0 where unknown
    height: int = 0
    has_audio: bool = False
    note: str = ""
    score: float | None = None
    rank: int | None = None
    variable_rate: bool = False  # known to have no constant frame rate

    def __post_init__(self) -> None:
        if self.start_seconds < 0 or self.end_seconds <= self.start_seconds:
            raise ValueError(
                f"a range begins at 0 or later and ends after it begins, "
                f"got {float(self.start_seconds)}-{float(self.end_seconds)}"
            )
        if self.frame_rate <= 0:
            raise ValueError(f"a frame rate is positive, got {self.frame_rate}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """Clips in the order in which they are shown, without gaps. At least one."""

    name: str
    clips: tuple[TimelineClip, ...]
    frame_rate: Fraction | None = None  # None: the most common one among the clips
    drop_frame: bool = False  # count the timeline itself in drop-frame timecode, where its rate has that
    start_timecode: str = "00:00:00:00"  # of the timeline's first frame

    def __post_init__(self) -> None:
        if not self.clips:
            raise ValueError("there is no clip to list; add one first")
        if self.frame_rate is not None and self.frame_rate <= 0:
            raise ValueError(f"a frame rate is positive, got {self.frame_rate}")


def frame_range(start_seconds: Fraction, end_seconds: Fraction, frame_rate: Fraction) -> tuple[int, int]:
    """First frame and the one after the last, counted from 0 at the nominal rate; at least one frame.

    The one place where these numbers are made, so that the page and all lists show the same ones.
    """
    rate = nominal_rate(frame_rate)
    first = round(start_seconds * rate)
    return first, max(first + 1, round(end_seconds * rate))
