"""Times, file ranges and dates as users type and read them: `1m30s`, `0:12.5`, `film.mp4@12-15`, `7d`.

Frame-accurate SMPTE timecode is in `app.timelines.timecode`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

_COLONS = re.compile(r"(?:(?:(\d+):)?(\d{1,2}):)?(\d+(?:\.\d*)?|\.\d+)")
_UNITS = re.compile(r"(?:(\d+(?:\.\d*)?)h)?(?:(\d+(?:\.\d*)?)m)?(?:(\d+(?:\.\d*)?)s)?")
_AGE = re.compile(r"(\d+(?:\.\d*)?)(m|h|d|w|y)")
_AGE_UNITS = {
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
    "y": timedelta(days=365),
}
_MAX_CHARACTERS = 60
_FLOAT_SLACK = Fraction(1, 10_000)  # milliseconds
MAX_SECONDS = 1_000_000_000
_TIME_FORMATS = "write seconds (12.5), 12s, 1m30s, 0:12.5 or 00:00:12.500"


@dataclass(frozen=True, slots=True)
class FileRange:
    """A file and optionally a range in it, in exact seconds from the first frame shown.

    Raises ValueError for an end without a start, or one that is not after the start.
    """

    path: str
    start_seconds: Fraction | None = None
    end_seconds: Fraction | None = None

    def __post_init__(self) -> None:
        if self.start_seconds is None and self.end_seconds is not None:
            raise ValueError("a range needs a start")
        if self.start_seconds is not None and self.end_seconds is not None and self.end_seconds <= self.start_seconds:
            end, start = format_timestamp(self.end_seconds), format_timestamp(self.start_seconds)
            raise ValueError(f"the range ends ({end}) before it starts ({start})")


def parse_seconds(text: str) -> Fraction:
    """Parse a time such as `12.5`, `12s`, `1m30s`, `0:12.5` or `00:00:12.500`.

    Returns:
        Exact seconds.

    Raises:
        ValueError: The text is not a time; the message lists the accepted formats.
    """
    if len(text) > _MAX_CHARACTERS:  # no video is that long, and messages would be
        raise ValueError(f"'{text[:20]}...' is not a time; {_TIME_FORMATS}")
    value = _exact_seconds(text)
    if value > MAX_SECONDS:
        raise ValueError(f"{text!r} is longer than any video; {_TIME_FORMATS}")
    return value


def _exact_seconds(text: str) -> Fraction:
    word = text.strip().lower()
    if match := _COLONS.fullmatch(word):
        hours, minutes, seconds = match.groups()
        value = Fraction(seconds)
        if minutes is not None and value >= 60:
            raise ValueError(f"{text!r} has {seconds} seconds after the minutes; {_TIME_FORMATS}")
        if hours is not None and int(minutes) >= 60:
            raise ValueError(f"{text!r} has {minutes} minutes after the hours; {_TIME_FORMATS}")
        return value + 60 * int(minutes or 0) + 3600 * int(hours or 0)
    if word and (match := _UNITS.fullmatch(word)):
        hours, minutes, seconds = match.groups()
        return 3600 * Fraction(hours or 0) + 60 * Fraction(minutes or 0) + Fraction(seconds or 0)
    raise ValueError(f"{text!r} is not a time; {_TIME_FORMATS}")


def parse_file_range(text: str, file_exists: Callable[[str], bool]) -> FileRange:
    """Parse `FILE`, `FILE@START` or `FILE@START-END`.

    The longest existing path wins: a file named `me@home.mp4` is found, and `me@home.mp4@3-5` is its seconds 3 to 5.

    Args:
        text: As typed.
        file_exists: Returns whether a path is an existing file.

    Returns:
        The file and its range; the path is not changed.

    Raises:
        FileNotFoundError: No part of the text names an existing file.
        ValueError: The file exists, but the rest is not a range.
    """
    if file_exists(text):
        return FileRange(text)
    at = text.rfind("@")
    while at > 0:
        if file_exists(text[:at]):
            start, end = parse_range(text[at + 1 :])
            return FileRange(text[:at], start, end)
        at = text.rfind("@", 0, at)
    raise FileNotFoundError(text)


def parse_range(text: str) -> tuple[Fraction, Fraction | None]:
    """Parse `START` or `START-END` to exact seconds. Raise ValueError for anything else."""
    first, dash, second = text.partition("-")
    start = parse_seconds(first)
    return start, parse_seconds(second) if dash else None


def whole_milliseconds(seconds: float | Fraction) -> int:
    """Return the whole milliseconds of a time; what is left over is cut off.

    A time between two milliseconds is never rounded up: typed back as a start, it would leave out the frame that begins
    there, and as an end it would take in the next one. Floating-point numbers just below a whole one count as it.
    """
    return math.floor(Fraction(seconds) * 1000 + _FLOAT_SLACK)


def format_timestamp(seconds: float | Fraction) -> str:
    """Format seconds as hh:mm:ss.mmm, cut to whole milliseconds: `3725.0509` becomes `01:02:05.050`."""
    milliseconds = whole_milliseconds(seconds)
    sign, milliseconds = ("-" if milliseconds < 0 else ""), abs(milliseconds)
    whole, milliseconds = divmod(milliseconds, 1000)
    return f"{sign}{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}.{milliseconds:03}"


def format_duration(seconds: float) -> str:
    """Format a length of time for a glance: `7.4s`, `42s`, `4:05`, `1:02:05`."""
    if seconds < 9.95:
        return f"{seconds:.1f}s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02}"
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"


def parse_date(text: str, *, now: datetime, end: bool = False) -> int:
    """Parse a day (`2025-03-01`), a time (`2025-03-01 14:30`), `today`, `yesterday` or an age (`7d`, `12h`).

    Args:
        text: As typed. Dates and times without a time zone are local.
        now: The current time, with the local time zone.
        end: Return the last nanosecond of a whole day, so that `--until 2025-03-01` includes that day.

    Returns:
        Nanoseconds since the Unix epoch.

    Raises:
        ValueError: The text is not a date; the message lists the accepted formats.
    """
    word = text.strip().lower()
    if match := _AGE.fullmatch(word):
        try:
            return _nanoseconds(now - float(match[1]) * _AGE_UNITS[match[2]])
        except OverflowError as error:
            raise ValueError(f"{text!r} is too long ago") from error
    if word in ("today", "yesterday"):
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
        day = (midnight - timedelta(days=word == "yesterday")).astimezone()
    else:
        try:
            date = datetime.fromisoformat(text.strip())
        except ValueError as error:
            raise ValueError(
                f"{text!r} is not a date; write 2025-03-01, '2025-03-01 14:30', today, yesterday or an age (7d, 12h)"
            ) from error
        # astimezone() on a naive date applies the local rules of that day, daylight saving time included.
        date = date.astimezone() if date.tzinfo is None else date
        if len(text.strip()) > 10:
            return _nanoseconds(date)
        day = date
    return _nanoseconds(_next_day(day)) - 1 if end else _nanoseconds(day)


def _next_day(day: datetime) -> datetime:
    return (day.replace(tzinfo=None) + timedelta(days=1)).astimezone()


def _nanoseconds(date: datetime) -> int:
    whole = date.replace(microsecond=0)
    return round(whole.timestamp()) * 1_000_000_000 + date.microsecond * 1000
