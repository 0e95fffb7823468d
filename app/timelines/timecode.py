"""SMPTE timecode: labels of frames, with and without dropped numbers, and the rates at which frames can be labelled.

A label names a frame by hours, minutes, seconds and frames of a whole number of frames a second: 30 for 29.97. So that
its labels keep up with the clock, drop-frame counting leaves out the first labels of each minute but every tenth (two
at 29.97, four at 59.94); no frame is left out. It is written with a semicolon: `01:00:00;02`. Labels begin anew after
24 hours.
"""

from __future__ import annotations

import re
from fractions import Fraction

_LABEL = re.compile(r"(\d{1,2}):(\d{2}):(\d{2})([:;.,])(\d{2,3})")
_NTSC = Fraction(1000, 1001)
_SAME_RATE = Fraction(1, 2500)
"""Relative difference up to which a rate is a rounded one (23.98, 29.97); 24 and 23.976 are 1/1000 apart."""


def nominal_rate(frame_rate: Fraction) -> Fraction:
    """The rate at which editing programs would count a file of this (average) rate: whole, or whole * 1000/1001.

    Such a rate is given back as it is. 23.98 becomes 24000/1001; 12.5 is counted as 25, every frame twice; the average
    of a variable rate becomes the nearest usual one. ValueError unless it is positive.
    """
    if frame_rate <= 0:
        raise ValueError(f"a frame rate is positive, got {frame_rate}")
    if _countable(frame_rate):
        return frame_rate
    for times in (2, 3, 4):
        if frame_rate * times <= 60 and _countable(frame_rate * times):
            return frame_rate * times
    usual = [Fraction(max(1, round(frame_rate)))]
    whole = round(frame_rate / _NTSC)
    if 0 < whole <= 240 and (whole % 24 == 0 or whole % 30 == 0):
        usual.append(whole * _NTSC)
    return min(usual, key=lambda rate: abs(rate - frame_rate))


def is_usual(frame_rate: Fraction) -> bool:
    """Whether nominal_rate counts just this rate, or a multiple of it, and no other one near it."""
    times = nominal_rate(frame_rate) / frame_rate
    return abs(times - round(times)) < _SAME_RATE


def timebase(frame_rate: Fraction) -> int:
    """How many frames labels count in a second: 30 at 30000/1001."""
    return max(1, round(frame_rate))


def is_ntsc(frame_rate: Fraction) -> bool:
    """Whether the rate is its timebase * 1000/1001."""
    return frame_rate == timebase(frame_rate) * _NTSC


def can_drop(frame_rate: Fraction) -> bool:
    """Whether there is drop-frame counting at this rate: 29.97, 59.94 and their multiples."""
    return is_ntsc(frame_rate) and timebase(frame_rate) % 30 == 0


def frames_of_day(frame_rate: Fraction, drop: bool = False) -> int:
    """Frames from one 00:00:00:00 to the next."""
    return _ten_minutes(frame_rate, drop) * 144


def parse_timecode(text: str, frame_rate: Fraction) -> tuple[int, bool]:
    """`01:00:00:12` or `01:00:00;12` -> (frames since 00:00:00:00, whether numbers are dropped).

    A semicolon (or comma, or full stop) means drop-frame, where the rate has such counting. A label that drop-frame
    counting leaves out means the next one that exists. ValueError where it is no label at this rate.
    """
    match = _LABEL.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not a timecode; write 01:00:00:00, or 01:00:00;00 for drop-frame")
    hours, minutes, seconds, frames = (int(match[number]) for number in (1, 2, 3, 5))
    base = timebase(frame_rate)
    if hours > 23 or minutes > 59 or seconds > 59 or frames >= base:
        raise ValueError(f"there is no timecode {text} at {base} frames a second")
    drop = match[4] != ":" and can_drop(frame_rate)
    left_out = _left_out(frame_rate, drop)
    if minutes % 10 and seconds == 0:
        frames = max(frames, left_out)
    minutes += 60 * hours
    return (60 * minutes + seconds) * base + frames - left_out * (minutes - minutes // 10), drop


def format_timecode(frames: int, frame_rate: Fraction, drop: bool = False) -> str:
    """Frames since 00:00:00:00 -> `01:00:00:12`, or `01:00:00;12` where numbers are dropped. Wraps after 24 hours.

    ValueError for drop where the rate has no drop-frame counting.
    """
    if drop and not can_drop(frame_rate):
        raise ValueError(f"there is no drop-frame timecode at {frame_rate} frames a second")
    base, left_out = timebase(frame_rate), _left_out(frame_rate, drop)
    tens, rest = divmod(frames % frames_of_day(frame_rate, drop), _ten_minutes(frame_rate, drop))
    # The first minute of ten is whole; each of the others is short of what it leaves out.
    number = tens * 600 * base + rest + left_out * max(0, (rest - left_out) // (60 * base - left_out))
    seconds, frame = divmod(number, base)
    mark = ";" if drop else ":"
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{mark}{frame:02}"


def _countable(frame_rate: Fraction) -> bool:
    return frame_rate.denominator == 1 or is_ntsc(frame_rate)


def _left_out(frame_rate: Fraction, drop: bool) -> int:
    return timebase(frame_rate) // 15 if drop else 0


def _ten_minutes(frame_rate: Fraction, drop: bool) -> int:
    return 600 * timebase(frame_rate) - 9 * _left_out(frame_rate, drop)
