"""Cues as the formats of subtitles state them, damage among them, and the times that most formats share."""

from __future__ import annotations

import re
from dataclasses import dataclass

from db.timed_text import TimedWord

MAX_CUES = 200_000
"""Cues of one source. A film has 2,000; word by word, a day of speech has 150,000."""
MAX_TEXT = 5_000
"""Characters of one cue. What is longer is another file's content, or hostile; the rest is left out."""

TIME = r"(?:(\d{1,4}):)?(\d{1,3}):(\d{1,2})(?:(?:[.,]|:(?=\d{3}))(\d{1,9})|[:;]\d\d)?"
"""Hours if there are any, minutes, seconds and their fraction, as four groups: 1:02:03.5, 02:03, 00:01:02,500. The
frames of a timecode, 00:01:02:12, are passed over."""


@dataclass(frozen=True, slots=True)
class Cue:
    """Words with times, as a format states them. Times may still be negative or beyond the video."""

    place: int  # number of its line in the file, from 1; of its entry or packet elsewhere
    start_ms: int
    end_ms: int | None  # None: until the next one begins
    text: str  # without markup
    words: tuple[TimedWord, ...] = ()
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Damage:
    """A cue that cannot be read."""

    place: int
    reason: str  # a clause without subject in front of it: "its times cannot be read"


NO_TIMES = "its times cannot be read"


def milliseconds(hours: str | None, minutes: str, seconds: str, fraction: str | None) -> int:
    """Return the time of the four groups of TIME."""
    whole = int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds)
    return whole * 1000 + (round(int(fraction) * 1000 / 10 ** len(fraction)) if fraction else 0)


def time_of(text: str) -> int | None:
    """Return the milliseconds of a text that is a time; None if it is none."""
    found = re.fullmatch(TIME, text.strip())
    return milliseconds(*found.groups()) if found else None
