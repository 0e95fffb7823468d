"""Writes timecode_table.json: labels of frames by walking through a day minute by minute, as SMPTE ST 12-1 words it.

Neither side of the project is asked: a minute holds 60 * base labels, less those that drop-frame counting leaves out in
minutes 1 to 9 of ten. Run it to write the table again: `python tests/timecode_table.py`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from fractions import Fraction
from itertools import accumulate
from pathlib import Path
from typing import Any

TABLE = Path(__file__).with_name("timecode_table.json")
RATES = {
    "24": Fraction(24),
    "23.976": Fraction(24000, 1001),
    "25": Fraction(25),
    "29.97": Fraction(30000, 1001),
    "30": Fraction(30),
    "50": Fraction(50),
    "59.94": Fraction(60000, 1001),
    "60": Fraction(60),
}
DROPPED = {"29.97": 2, "30": 2, "59.94": 4, "60": 4}  # labels that drop-frame counting leaves out in a minute
BASES = {"24": 24, "23.976": 24, "25": 25, "29.97": 30, "30": 30, "50": 50, "59.94": 60, "60": 60}
MINUTES = 24 * 60


class Day:
    """The labels of a day at one rate, by the number of labels before each minute."""

    def __init__(self, rate: str, drop: bool) -> None:
        self.base, self.mark = BASES[rate], ";" if drop else ":"
        self.dropped = DROPPED[rate] if drop else 0
        self.before = [0, *accumulate(60 * self.base - self._dropped_in(minute) for minute in range(MINUTES))]

    def _dropped_in(self, minute: int) -> int:
        return 0 if minute % 10 == 0 else self.dropped

    @property
    def frames(self) -> int:
        """Frames of a whole day."""
        return self.before[-1]

    def label(self, frame: int) -> str:
        """The label of the frame that so many others come before."""
        frame %= self.frames
        minute = next(each for each in range(MINUTES) if frame < self.before[each + 1])
        place = frame - self.before[minute] + self._dropped_in(minute)
        return f"{minute // 60:02}:{minute % 60:02}:{place // self.base:02}{self.mark}{place % self.base:02}"

    def frame(self, hours: int, minutes: int, seconds: int, frame: int) -> int:
        """Frames before a label that exists."""
        minute = 60 * hours + minutes
        return self.before[minute] + seconds * self.base + frame - self._dropped_in(minute)


def made() -> dict[str, list[Any]]:
    """The table: `labels` of frames counted on from a start code, and labels that are not (or need care when) read."""
    labels: list[dict[str, Any]] = []
    for rate in RATES:
        for drop in (False, True) if rate in DROPPED else (False,):
            day = Day(rate, drop)
            ratio = [RATES[rate].numerator, RATES[rate].denominator]
            starts = {day.label(day.frame(*at)): day.frame(*at) for at in ((0, 0, 0, 0), (1, 0, 0, 0), (23, 59, 50, 5))}
            for start, first in starts.items():
                frames = {
                    0,
                    1,
                    day.base - 1,
                    day.base,
                    *(day.before[m] + by for m in (1, 2, 10, 11, 60) for by in (-1, 0, 1)),
                }
                frames |= {day.frames - first + by for by in (-1, 0, 1)} | {day.frames + 1234}
                # Without a start code nothing is dropped.
                for code in (start, "") if not first and not drop else (start,):
                    labels += [
                        {"rate": ratio, "start": code, "frame": frame, "code": day.label(first + frame)}
                        for frame in sorted(frames)
                    ]
    # A semicolon where the rate has no drop-frame counting, and a start code that is left out.
    for rate, start, first, drop in (
        ("24", "01:00:00;00", 86400, False),
        ("30", "16:37:10;02", 1793106, True),  # 298851/5 s, as Final Cut counts it
        ("29.97", "00:01:00;01", 1800, True),
    ):
        day = Day(rate, drop)
        ratio = [RATES[rate].numerator, RATES[rate].denominator]
        for frame in (0, 1, 1799, 1800, 17982, 18000):
            labels.append({"rate": ratio, "start": start, "frame": frame, "code": day.label(first + frame)})
    return {"labels": labels, "read": [*_read()], "times": [*_times()]}


def _times() -> Iterator[dict[str, Any]]:
    """Starts of frames: what is printed of one, and its label. Milliseconds are cut off, never rounded up.

    `labels` is how many labels each frame takes: SMPTE counts no half frames, so 12.5 is counted at 25.
    """
    for rate, labels, day in (
        (Fraction(25, 2), 2, Day("25", False)),
        (Fraction(24000, 1001), 1, Day("23.976", False)),
        (Fraction(30000, 1001), 1, Day("29.97", True)),
        (Fraction(60000, 1001), 1, Day("59.94", True)),
        (Fraction(25, 4), 4, Day("25", False)),
        (Fraction(25, 3), 3, Day("25", False)),
        (Fraction(25), 1, Day("25", False)),
        (Fraction(60), 1, Day("60", True)),
    ):
        for frame in (0, 1, 2, 7, 80, 99, 186, 1799, 1800, 17982, 100_003):
            seconds = frame / rate
            whole, thousandths = divmod(seconds.numerator * 1000 // seconds.denominator, 1000)
            yield {
                "rate": [rate.numerator, rate.denominator],
                "labels": labels,
                "frame": frame,
                "seconds": [seconds.numerator, seconds.denominator],
                "time": f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}.{thousandths:03}",
                "start": day.label(0),
                "code": day.label(frame * labels),
            }


def _read() -> list[dict[str, Any]]:
    """Labels as text: frames since midnight and whether labels are dropped, or null where it is none at this rate."""
    drop30, drop60 = Day("29.97", True), Day("59.94", True)
    rows: list[tuple[str, str, int | None, bool]] = [
        ("29.97", "01:01:00;00", drop30.frame(1, 1, 0, 2), True),  # left out: the next label that exists
        ("29.97", "01:01:00;01", drop30.frame(1, 1, 0, 2), True),
        ("29.97", "01:01:00;02", drop30.frame(1, 1, 0, 2), True),
        ("29.97", "01:10:00;00", drop30.frame(1, 10, 0, 0), True),
        ("29.97", "01:01:00.05", drop30.frame(1, 1, 0, 5), True),
        ("29.97", "01:01:00,05", drop30.frame(1, 1, 0, 5), True),
        ("29.97", "01:01:00:00", 3660 * 30, False),
        ("29.97", "1:00:00:00", 3600 * 30, False),
        ("59.94", "00:01:00;03", drop60.frame(0, 1, 0, 4), True),
        ("59.94", "23:59:59;59", drop60.frames - 1, True),
        ("30", "01:01:00;00", Day("30", True).frame(1, 1, 0, 2), True),  # as recorders do, though 30 needs none
        ("30", "16:37:10;02", 1793106, True),
        ("60", "00:01:00;03", drop60.frame(0, 1, 0, 4), True),
        ("24", "01:01:00;00", 3660 * 24, False),  # there is no drop-frame counting at 24
        ("25", "01:00:00;00", 3600 * 25, False),
        ("50", "00:01:00;02", 60 * 50 + 2, False),
        ("23.976", "00:01:00;00", 60 * 24, False),
    ]
    rows += [("25", "00:00:00:25", None, False), ("29.97", "00:00:00;30", None, False)]
    for text in ("24:00:00:00", "00:60:00:00", "00:00:60:00", "00:00:00", "12", "", "00:00:00:1", "-00:00:00:01"):
        rows.append(("24", text, None, False))
    return [
        {"rate": [RATES[rate].numerator, RATES[rate].denominator], "text": text, "frames": frames, "drop": drop}
        for rate, text, frames, drop in rows
    ]


def written(table: dict[str, list[Any]]) -> str:
    """One row a line, so that a change can be read."""
    parts = (f'"{name}": [\n' + ",\n".join(json.dumps(row) for row in rows) + "\n]" for name, rows in table.items())
    return "{" + ",\n".join(parts) + "}\n"


if __name__ == "__main__":
    TABLE.write_text(written(made()))
