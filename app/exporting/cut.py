"""The result of cutting one clip, common to all modes."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """A clip that was written, before it gets its final name."""

    suffix: str  # file name suffix that the container needs
    frames: int
    has_audio: bool
    copied: int = 0  # frames copied as packets of the source
    early_seconds: Fraction = Fraction(0)  # before the range, at the key frame
    late_seconds: Fraction = Fraction(0)  # after the range
    has_subtitles: bool = False  # the source's
    has_chapters: bool = False
    note: str | None = None  # shown to the user
