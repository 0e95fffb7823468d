"""MicroDVD and MPL2: one cue a line, with frames or tenths of a second in front of its text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction

from indexer.text.cues import MAX_TEXT, NO_TIMES, Cue, Damage
from indexer.text.markup import plain

_FRAMES = re.compile(r"\s*\{\s*(-?\d{1,9})\s*\}\s*\{\s*(-?\d{0,9})\s*\}(.*)")
_TENTHS = re.compile(r"\s*\[\s*(-?\d{1,9})\s*\]\s*\[\s*(-?\d{0,9})\s*\](.*)")
_RATE = re.compile(r"\s*(\d{1,3}(?:[.,]\d{1,6})?)\s*")
_RATES = (Fraction(10), Fraction(240))
_LOOKED_AT = 20  # lines


def is_framed(text: str) -> bool:
    """Return whether a text is in one of these formats."""
    lines = [line for line in text[:20_000].split("\n") if line.strip()][:_LOOKED_AT]
    return sum(bool(_FRAMES.match(line) or _TENTHS.match(line)) for line in lines) * 2 >= max(1, len(lines))


def read_framed(text: str, rate: Fraction) -> Iterator[Cue | Damage]:
    """Yield the cues of a file.

    Args:
        text: The content, with line feeds between its lines.
        rate: Frames per second of the video. The first line of a file may state another: `{1}{1}23.976`.
    """
    is_first = True
    for place, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        frames = _FRAMES.match(line[: 2 * MAX_TEXT])
        found = frames or _TENTHS.match(line[: 2 * MAX_TEXT])
        if found is None:
            yield Damage(place, NO_TIMES)
            continue
        start, end, words = int(found[1]), int(found[2]) if found[2].strip("-") else None, found[3]
        stated = _RATE.fullmatch(words) if is_first and frames and start == end else None
        is_first = False
        if stated and _RATES[0] <= Fraction(stated[1].replace(",", ".")) <= _RATES[1]:
            rate = Fraction(stated[1].replace(",", "."))
            continue
        per_second = rate if frames else Fraction(10)
        ends = None if end is None else round(end * 1000 / per_second)
        rows = (row.removeprefix("/") for row in words.split("|"))  # MPL2 marks italics so
        yield Cue(place, round(start * 1000 / per_second), ends, plain("\n".join(rows)))
