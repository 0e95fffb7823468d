"""Times and ranges as people type and read them: `1m30s`, `0:12.5`, `film.mp4@12-15`, `7d`. Knows no library."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

_COLONS = re.compile(r"(?:(?:(\d+):)?(\d{1,2}):)?(\d+(?:\.\d*)?|\.\d+)")
_UNITS = re.compile(r"(?:(\d+(?:\.\d*)?)h)?(?:(\d+(?:\.\d*)?)m)?(?:(\d+(?:\.\d*)?)s)?")
_AGO = re.compile(r"(\d+(?:\.\d*)?)(m|h|d|w|y)")
_AGO_UNITS = {
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
    "y": timedelta(days=365),
}
_TIMES_TEXT = "write seconds (12.5), 12s, 1m30s, 0:12.5 or 00:00:12.500"


@dataclass(frozen=True, slots=True)
class Place:
    """A file and, perhaps, a range in it: exact seconds from the first frame shown. `end_seconds` only with a start."""

    path: str
    start_seconds: Fraction | None = None
    end_seconds: Fraction | None = None

    def __post_init__(self) -> None:
        if self.start_seconds is None and self.end_seconds is not None:
            raise ValueError("a range needs a start")
        if self.start_seconds is not None and self.end_seconds is not None and self.end_seconds <= self.start_seconds:
            raise ValueError(
                f"the range ends ({timecode(self.end_seconds)}) before it starts ({timecode(self.start_seconds)})"
            )


def parse_seconds(text: str) -> Fraction:
    """`12.5`, `12s`, `1m30s`, `0:12.5`, `00:00:12.500` -> exact seconds. ValueError says what can be written."""
    word = text.strip().lower()
    if match := _COLONS.fullmatch(word):
        hours, minutes, seconds = match.groups()
        value = Fraction(seconds)
        if minutes is not None and value >= 60:
            raise ValueError(f"{text!r} has {seconds} seconds after the minutes; {_TIMES_TEXT}")
        if hours is not None and int(minutes) >= 60:
            raise ValueError(f"{text!r} has {minutes} minutes after the hours; {_TIMES_TEXT}")
        return value + 60 * int(minutes or 0) + 3600 * int(hours or 0)
    if word and (match := _UNITS.fullmatch(word)):
        hours, minutes, seconds = match.groups()
        return 3600 * Fraction(hours or 0) + 60 * Fraction(minutes or 0) + Fraction(seconds or 0)
    raise ValueError(f"{text!r} is not a time; {_TIMES_TEXT}")


def parse_place(text: str, known: Callable[[str], bool]) -> Place:
    """`FILE`, `FILE@START` or `FILE@START-END`, where the longest path that `known` accepts wins.

    So a file named `me@home.mp4` is found, and `me@home.mp4@3-5` is its seconds 3 to 5. FileNotFoundError where no
    reading names a known file; ValueError where the file is known and the range is not one.
    """
    if known(text):
        return Place(text)
    at = text.rfind("@")
    while at > 0:
        if known(text[:at]):
            start, end = _parse_range(text[at + 1 :])
            return Place(text[:at], start, end)
        at = text.rfind("@", 0, at)
    raise FileNotFoundError(text)


def _parse_range(text: str) -> tuple[Fraction, Fraction | None]:
    first, dash, second = text.partition("-")
    start = parse_seconds(first)
    return start, parse_seconds(second) if dash else None


def timecode(seconds: float | Fraction) -> str:
    """hh:mm:ss.mmm, rounded to the nearest millisecond: `3725.0504` -> `01:02:05.050`."""
    milliseconds = round(Fraction(seconds) * 1000)
    sign, milliseconds = ("-" if milliseconds < 0 else ""), abs(milliseconds)
    whole, milliseconds = divmod(milliseconds, 1000)
    return f"{sign}{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}.{milliseconds:03}"


def clock(seconds: float) -> str:
    """A length of time for a glance: `7s`, `4:05`, `1:02:05`; `0.4s` where less than ten seconds need more."""
    if seconds < 9.95:
        return f"{seconds:.1f}s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02}"
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"


def parse_when(text: str, *, now: datetime, end: bool = False) -> int:
    """A day (`2025-03-01`), a moment (`2025-03-01 14:30`), `today`, `yesterday` or an age (`7d`) -> Unix nanoseconds.

    Dates and times without a zone are local ones; now: aware, in the local zone. end: a whole day then means its last
    nanosecond, so that `--until 2025-03-01` keeps that day in.
    """
    word = text.strip().lower()
    if match := _AGO.fullmatch(word):
        try:
            return _nanoseconds(now - float(match[1]) * _AGO_UNITS[match[2]])
        except OverflowError as error:
            raise ValueError(f"{text!r} is longer ago than there are dates") from error
    if word in ("today", "yesterday"):
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
        day = (midnight - timedelta(days=word == "yesterday")).astimezone()
    else:
        try:
            moment = datetime.fromisoformat(text.strip())
        except ValueError as error:
            raise ValueError(
                f"{text!r} is not a date; write 2025-03-01, '2025-03-01 14:30', today, yesterday or an age (7d, 12h)"
            ) from error
        # astimezone() on a time without a zone takes the local rules of that very day, summer time included.
        moment = moment.astimezone() if moment.tzinfo is None else moment
        if len(text.strip()) > 10:
            return _nanoseconds(moment)
        day = moment
    return _nanoseconds(_next_day(day)) - 1 if end else _nanoseconds(day)


def _next_day(day: datetime) -> datetime:
    return (day.replace(tzinfo=None) + timedelta(days=1)).astimezone()


def _nanoseconds(moment: datetime) -> int:
    whole = moment.replace(microsecond=0)
    return round(whole.timestamp()) * 1_000_000_000 + moment.microsecond * 1000
