"""The result of cutting one clip, common to all modes."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """A clip as it was written, before it has its final name."""

    suffix: str  # that its name must have: the container
    frames: int
    has_audio: bool
    copied: int = 0  # frames whose packets are the source's own
    early_seconds: Fraction = Fraction(0)  # before the range, at the key frame
    late_seconds: Fraction = Fraction(0)  # after the range
    note: str | None = None  # for the user
