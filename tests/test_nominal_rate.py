"""The nominal rate, from headers of files whose frames come as recorders of several kinds write them."""

from __future__ import annotations

import random
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from synthetic import make_video

from indexer.media.nominal_rate import nominal_rate
from indexer.media.probe import open_source

NTSC24, NTSC30, NTSC60 = (Fraction(rate, 1001) for rate in (24000, 30000, 60000))
MPEG, MILLISECONDS, QUICKTIME = Fraction(1, 90_000), Fraction(1, 1000), Fraction(1, 600)


def uneven(step: float, most: float, dropped: int, frames: int = 240) -> list[int]:
    """Times of a phone: each up to `most` of a frame early or late, and one frame in `dropped` missing."""
    chance = random.Random(5)
    times = [round(at * step + chance.uniform(-most, most) * step) for at in range(frames)]
    return [time for at, time in enumerate(times) if at % dropped != 7]


def rate_of(path: Path, times: list[int], time_base: Fraction, rate: Fraction | int) -> Fraction:
    shots = [("red", len(times))]
    video = make_video(path, shots, rate=rate, times=times, time_base=time_base, size=(16, 16))
    with open_source(str(video)) as source:
        return source.nominal_rate


@pytest.mark.parametrize(
    ("name", "times", "time_base", "nominal"),
    [
        ("dropped.mp4", [512 * at for at in range(300) if at not in (99, 200)], Fraction(1, 15_360), Fraction(30)),
        ("film.mp4", [1001 * at for at in range(48)], Fraction(1, 24_000), NTSC24),
        ("film.mkv", [round(at * 1001 / 24) for at in range(48)], MILLISECONDS, NTSC24),
        ("phone.mp4", uneven(3000, 0.03, 60), MPEG, Fraction(30)),
        ("shaking phone.mp4", uneven(3000, 0.2, 40), MPEG, Fraction(30)),
        ("ntsc phone.mp4", uneven(3003, 0.03, 60), MPEG, NTSC30),
        ("fields.mp4", [2002 * at for at in range(60)], Fraction(1, 60_000), NTSC30),
        ("quicktime.mov", [20 * at + (at % 3 == 1) for at in range(120)], QUICKTIME, Fraction(30)),
        ("slower.mp4", [1001 * at for at in (*range(30), *range(36, 120, 6))], Fraction(1, 30_000), NTSC30),
        ("still screen.mov", [10 * at for at in (0, 1, 2, 3, 60, 120, 180, 240, 300)], QUICKTIME, Fraction(60)),
        ("busy screen.mov", [10 * at for at in range(300) if at % 7 not in (3, 4, 6)], QUICKTIME, Fraction(60)),
        ("security.mp4", [2 * at for at in range(40)], Fraction(1, 25), Fraction(25, 2)),
        ("slow motion.mp4", list(range(100)), MILLISECONDS, Fraction(1000)),
        ("slow motion.mkv", list(range(100)), MILLISECONDS, Fraction(1000)),
        ("odd.mp4", [384 * at for at in range(60)], Fraction(1, 11_456), Fraction(179, 6)),
        ("slide show.mp4", [5 * at for at in range(4)], Fraction(1), Fraction(1, 5)),
    ],
)  # fmt: skip
def test_the_rate_is_that_of_the_recorder(
    name: str, times: list[int], time_base: Fraction, nominal: Fraction, tmp_path: Path
) -> None:
    stated = nominal if nominal >= 1 else 1  # what the encoder is told, as recorders do
    assert rate_of(tmp_path / name, times, time_base, stated) == nominal


def stream(
    guessed: Any, average: Any, base: Any = None, *, entries: tuple[int, ...] = (), container: str = "matroska,webm"
) -> Any:
    return SimpleNamespace(
        codec_context=None,
        guessed_rate=guessed,
        average_rate=average,
        base_rate=base,
        index_entries=[SimpleNamespace(timestamp=time) for time in entries],
        frames=len(entries),
        time_base=MPEG,
        container=SimpleNamespace(format=SimpleNamespace(name=container)),
    )


@pytest.mark.parametrize(
    ("stated", "nominal"),
    [
        (lambda: stream(Fraction(30), Fraction(2997, 100)), Fraction(30)),
        (lambda: stream(Fraction(2997, 100), Fraction(2997, 100)), NTSC30),  # a rounded 29.97
        (lambda: stream(Fraction(23976, 1000), None), NTSC24),
        (lambda: stream(Fraction(1_000_000, 33_333), Fraction(1_000_000, 33_333)), Fraction(30)),  # microseconds of AVI
        (lambda: stream(Fraction(60), Fraction(60)), Fraction(60)),
        (lambda: stream(Fraction(60), Fraction(301, 10)), Fraction(30)),  # a grid of twice as many places
        (lambda: stream(Fraction(120), Fraction(30)), Fraction(30)),
        (lambda: stream(NTSC60 * 2, NTSC30), NTSC30),
        (lambda: stream(Fraction(60), Fraction(1)), Fraction(60)),  # a screen that stands still
        (lambda: stream(Fraction(600), Fraction(239, 10)), Fraction(239, 10)),  # a clock, not frames
        (lambda: stream(Fraction(90_000), Fraction(29_99, 100)), Fraction(30)),
        (lambda: stream(Fraction(600), Fraction(2995, 100)), NTSC30),
        (lambda: stream(Fraction(0, 1), Fraction(0, 1), Fraction(24)), Fraction(24)),
        (lambda: stream(None, None), Fraction(25)),
        (lambda: stream(Fraction(1_000_000), Fraction(1, 1_000_000)), Fraction(25)),
        (lambda: stream(Fraction(2000), Fraction(2000)), Fraction(2000)),
        (lambda: stream(Fraction(41), Fraction(24), entries=(5, 5, 5), container="mov,mp4"), Fraction(41)),
        (lambda: stream(Fraction(41), Fraction(24), entries=(0, 3600), container="mov,mp4"), Fraction(41)),  # too few
        (lambda: stream(Fraction(41), Fraction(24), entries=(0, 3600, 7200), container="mov,mp4"), Fraction(25)),
        (lambda: stream(Fraction(41), Fraction(24), entries=(0, 3600, 7200)), Fraction(41)),  # key frames only
    ],
)
def test_rates_that_headers_state(stated: Callable[[], Any], nominal: Fraction) -> None:
    assert nominal_rate(stated()) == nominal
