"""What is asked of an export, clip by clip, and what became of it: frozen values, checked when made."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal

ExportMode = Literal["exact", "smart", "copy"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFacts:
    """What lists for editing programs say about a file, known without opening it. See app.timelines.model."""

    video_seconds: Fraction
    frame_rate: Fraction
    timecode: str = ""
    width: int = 0
    height: int = 0
    has_audio: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipRequest:
    """A range to be cut: start <= time < end, seconds counted from the first frame shown, exact as Fractions.

    rank: comes first in the clip's name; the place among the requests where None. name_hint: what a person called it,
    instead of the source's own name. collection, score: for names and lists; note and facts: for lists. fingerprint:
    of the source's content, where it is known.
    """

    path: str
    start_seconds: Fraction | float
    end_seconds: Fraction | float
    rank: int | None = None
    name_hint: str = ""
    score: float | None = None
    collection: str = ""
    fingerprint: str = ""
    note: str = ""
    facts: SourceFacts | None = None

    def __post_init__(self) -> None:
        try:
            start, end = Fraction(self.start_seconds), Fraction(self.end_seconds)
        except (ValueError, OverflowError) as error:
            raise ValueError(f"the range {self.start_seconds}-{self.end_seconds} is not made of numbers") from error
        if start < 0 or end <= start:
            raise ValueError(f"a range begins at 0 or later and ends after it begins, got {float(start)}-{float(end)}")
        if self.rank is not None and self.rank < 0:
            raise ValueError(f"a rank is not negative, got {self.rank}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedClip:
    """What became of a request. `error` is None where there is a file, and says why where there is none.

    Seconds count from the source's first frame shown. In `exact` and `smart` mode the clip holds just what
    start_seconds and end_seconds say; in `copy` mode it begins early_seconds before and ends late_seconds after that.
    """

    request: ClipRequest
    mode: ExportMode
    file: Path | None = None
    start_seconds: Fraction | None = None  # of the first frame asked for, padding included
    end_seconds: Fraction | None = None
    early_seconds: Fraction = Fraction(0)
    late_seconds: Fraction = Fraction(0)
    frames: int = 0  # in the clip
    copied_frames: int = 0  # of them: packets as they are in the source, not encoded again
    frame_rate: Fraction | None = None  # of the source, nominal
    has_audio: bool = False
    note: str | None = None  # what a person should know about a clip that was written
    error: str | None = None
