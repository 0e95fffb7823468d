"""The nominal rate of a video: the frames per second that its recorder worked at, and that editing programs count.

Containers state no such thing plainly. FFmpeg has an average, which is too low where frames were dropped (29.8 for 30),
and the coarsest grid that all times lie on, which may be a multiple of the rate (60 for 30) or no rate at all (90000).
"""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING

from indexer.media.field_packets import may_have_field_packets

if TYPE_CHECKING:
    from av.video.stream import VideoStream

DEFAULT = Fraction(25)
MAX_RATE = 10_000  # frames per second; high-speed cameras reach it
_MIN_RATE = Fraction(1, 100_000)
_NTSC = Fraction(1000, 1001)
_ROUNDED = Fraction(1, 2500)
"""Relative difference up to which a rate is a rounded one: 23.98, 29.97 and 30.0003 mean 24000/1001, 30000/1001, 30."""
_DROPPED = Fraction(1, 400)
"""Likewise for a rate measured between frames that come unevenly."""
_SAME = Fraction(1, 100)
"""Relative difference of average and grid up to which only some frames are missing from the grid."""
_MAX_USUAL = 240  # frames per second; beyond, a grid is that of a clock rather than of frames unless they fill it
_MAX_SAMPLES = 5000  # frames whose times are compared
_MAX_DROPPED = 4  # frames in a row, without the time between two of them counting as a pause
_SPARSE = 10  # frames per second; recordings with fewer of them stand still most of the time, as screens do


def nominal_rate(stream: VideoStream) -> Fraction:
    """Return the nominal rate of a video stream in frames per second; 25 if nothing plausible is stated.

    Nothing is read beyond the header.
    """
    rate = _packet_rate(stream)
    if may_have_field_packets(stream):
        frames = _plausible(stream.codec_context.framerate)  # stated within the stream
        if frames is not None and abs(rate / frames / 2 - 1) <= _SAME:
            return rate / 2
    return rate


def _packet_rate(stream: VideoStream) -> Fraction:
    """Return the nominal rate of the packets, which are frames, or else fields.

    Where grid and average disagree, or the grid is no usual rate, the time between
    most frames decides if the header has the times of all (MP4, MOV). Else the frames are taken to come on every second
    to fourth place of the grid, or on the grid with some of them missing, whichever fits the average.
    """
    average, grid = _plausible(stream.average_rate), _plausible(stream.guessed_rate)
    grid = grid or average or _plausible(stream.base_rate)
    if grid is None:
        return DEFAULT
    usual = _nearest_usual(grid, _ROUNDED)
    if average is None or (usual is not None and abs(grid / average - 1) <= _SAME):
        return usual or grid
    on_grid = usual if usual is not None and usual <= _MAX_USUAL else None
    typical = _typical_rate(stream)
    if typical is not None:
        return on_grid if on_grid is not None and typical < _SPARSE else _usual_or_simple(typical)
    places = round(grid / average)
    if 2 <= places <= 4 and abs(grid / average / places - 1) <= _SAME:
        return _usual_or_simple(grid / places)
    return on_grid or _usual_or_simple(average)


def _plausible(rate: Fraction | None) -> Fraction | None:
    """Return a rate, or None if it is unknown (None in PyAV before 19, 0/1 since) or cannot be one."""
    if not rate or not rate.denominator:
        return None
    found = Fraction(rate.numerator, rate.denominator)
    return found if _MIN_RATE <= found <= MAX_RATE else None


def _nearest_usual(rate: Fraction, tolerance: Fraction) -> Fraction | None:
    """Return the nearest rate that is whole or half of a whole one, or either times 1000/1001; None if none is near."""
    halves = (Fraction(round(2 * rate), 2), Fraction(round(2 * rate / _NTSC), 2) * _NTSC)
    nearest = min(halves, key=lambda usual: abs(usual - rate))
    return nearest if nearest > 0 and abs(nearest / rate - 1) <= tolerance else None


def _usual_or_simple(rate: Fraction) -> Fraction:
    """Return the usual rate that a measured one stands for, or else the measured one in small numbers."""
    return _nearest_usual(rate, _DROPPED) or rate.limit_denominator(1001) or rate


def _typical_rate(stream: VideoStream) -> Fraction | None:
    """Return the rate of most frames by their times in the header; None if the header does not have those of all.

    The times are those of decoding: in another order, but mostly as far apart as those of showing.
    """
    entries = stream.index_entries
    count = min(len(entries), _MAX_SAMPLES)
    has_all = "mov" in stream.container.format.name and count >= min(stream.frames, _MAX_SAMPLES)
    if not has_all or count < 3 or not stream.time_base:
        return None
    times = [entries[number].timestamp for number in range(count)]
    steps = [after - before for before, after in pairwise(times) if after > before]
    if not steps:
        return None
    middle = median(steps)
    places = {step: round(step / middle) for step in set(steps)}  # 2 where a frame was dropped, 0 for one too many
    near = [step for step in steps if places[step] <= _MAX_DROPPED]
    return _plausible(Fraction(sum(places[step] for step in near)) / (sum(near) * stream.time_base))
