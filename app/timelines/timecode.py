"""SMPTE timecode, drop-frame and non-drop, and the frame rates that it can count.

A timecode names a frame by hours, minutes, seconds and frames, at a whole number of frames per second: 30 for 29.97. To
keep up with the clock, drop-frame timecode skips the first numbers of every minute except each tenth (two at 29.97,
four at 59.94); no frame is skipped. It is written with a semicolon: `01:00:00;02`. Recorders also write it at exactly
30 and 60, where it runs ahead of the clock; at other rates the mark means nothing. Timecode wraps after 24 hours.
"""

from __future__ import annotations

import re
from fractions import Fraction

_TIMECODE = re.compile(r"(\d{1,2}):(\d{2}):(\d{2})([:;.,])(\d{2,3})")
_NTSC = Fraction(1000, 1001)
_SAME_RATE = Fraction(1, 2500)
"""Relative difference up to which a rate counts as rounded (23.98, 29.97); 24 and 23.976 are 1/1000 apart."""


def nominal_rate(frame_rate: Fraction) -> Fraction:
    """Return the rate at which editing programs count frames of a file.

    Args:
        frame_rate: The file's frames per second; the average if variable.

    Returns:
        A whole rate, or a whole one times 1000/1001. Such a rate is returned unchanged; 23.98 becomes 24000/1001; 12.5
        becomes 25, with every frame counted twice; the average of a variable rate becomes the nearest standard one.

    Raises:
        ValueError: The rate is not positive.
    """
    if frame_rate <= 0:
        raise ValueError(f"a frame rate is positive, got {frame_rate}")
    if _countable(frame_rate * labels_per_frame(frame_rate)):
        return frame_rate * labels_per_frame(frame_rate)
    standard = [Fraction(max(1, round(frame_rate)))]
    whole = round(frame_rate / _NTSC)
    if 0 < whole <= 240 and (whole % 24 == 0 or whole % 30 == 0):
        standard.append(whole * _NTSC)
    return min(standard, key=lambda rate: abs(rate - frame_rate))


def labels_per_frame(frame_rate: Fraction) -> int:
    """Return how many timecode numbers each frame of a file takes: two at 12.5, which is counted at 25; mostly one."""
    several = (times for times in (2, 3, 4) if frame_rate * times <= 60 and _countable(frame_rate * times))
    return 1 if _countable(frame_rate) else next(several, 1)


def counted_rate(frame_rate: Fraction) -> Fraction:
    """Return the rate at which the frames of a file are numbered: each of them once, also at 12.5.

    Raises:
        ValueError: The rate is not positive.
    """
    return nominal_rate(frame_rate) / labels_per_frame(frame_rate)


def is_standard_rate(frame_rate: Fraction) -> bool:
    """Return whether nominal_rate is exactly this rate or a multiple of it, rather than the nearest standard rate."""
    times = nominal_rate(frame_rate) / frame_rate
    return abs(times - round(times)) < _SAME_RATE


def timebase(frame_rate: Fraction) -> int:
    """Return the whole number of frames that timecode counts per second: 30 at 30000/1001."""
    return max(1, round(frame_rate))


def is_ntsc(frame_rate: Fraction) -> bool:
    """Return whether the rate is its timebase times 1000/1001."""
    return frame_rate == timebase(frame_rate) * _NTSC


def supports_drop_frame(frame_rate: Fraction) -> bool:
    """Return whether drop-frame timecode exists at this rate: 29.97, 30, 59.94, 60 and their multiples."""
    return _countable(frame_rate) and timebase(frame_rate) % 30 == 0


def frames_per_day(frame_rate: Fraction, drop: bool = False) -> int:
    """Return the number of frames in 24 hours of timecode, after which it wraps."""
    return _frames_per_ten_minutes(frame_rate, drop) * 144


def parse_timecode(text: str, frame_rate: Fraction) -> tuple[int, bool]:
    """Parse a timecode such as `01:00:00:12` or, in drop-frame, `01:00:00;12`.

    Args:
        text: A semicolon, comma or full stop before the frames means drop-frame, if the rate supports it.
        frame_rate: Nominal, in frames per second.

    Returns:
        Frames since 00:00:00:00, and whether it is drop-frame. A number skipped by drop-frame means the next one.

    Raises:
        ValueError: The text is not a timecode at this rate.
    """
    match = _TIMECODE.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not a timecode; write 01:00:00:00, or 01:00:00;00 for drop-frame")
    hours, minutes, seconds, frames = (int(match[number]) for number in (1, 2, 3, 5))
    base = timebase(frame_rate)
    if hours > 23 or minutes > 59 or seconds > 59 or frames >= base:
        raise ValueError(f"there is no timecode {text} at {base} frames per second")
    drop = match[4] != ":" and supports_drop_frame(frame_rate)
    dropped = _dropped_per_minute(frame_rate, drop)
    if minutes % 10 and seconds == 0:
        frames = max(frames, dropped)
    minutes += 60 * hours
    return (60 * minutes + seconds) * base + frames - dropped * (minutes - minutes // 10), drop


def format_timecode(frames: int, frame_rate: Fraction, drop: bool = False) -> str:
    """Format frames as timecode: `01:00:00:12`, or `01:00:00;12` in drop-frame.

    Args:
        frames: Since 00:00:00:00; wraps after 24 hours.
        frame_rate: Nominal, in frames per second.
        drop: Drop-frame.

    Raises:
        ValueError: `drop` at a rate without drop-frame timecode.
    """
    if drop and not supports_drop_frame(frame_rate):
        raise ValueError(f"there is no drop-frame timecode at {frame_rate} frames per second")
    base, dropped = timebase(frame_rate), _dropped_per_minute(frame_rate, drop)
    tens, rest = divmod(frames % frames_per_day(frame_rate, drop), _frames_per_ten_minutes(frame_rate, drop))
    # The first minute of ten is complete; the others lack the skipped numbers.
    number = tens * 600 * base + rest + dropped * max(0, (rest - dropped) // (60 * base - dropped))
    seconds, frame = divmod(number, base)
    mark = ";" if drop else ":"
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{mark}{frame:02}"


def _countable(frame_rate: Fraction) -> bool:
    return frame_rate.denominator == 1 or is_ntsc(frame_rate)


def _dropped_per_minute(frame_rate: Fraction, drop: bool) -> int:
    return timebase(frame_rate) // 15 if drop else 0


def _frames_per_ten_minutes(frame_rate: Fraction, drop: bool) -> int:
    return 600 * timebase(frame_rate) - 9 * _dropped_per_minute(frame_rate, drop)
