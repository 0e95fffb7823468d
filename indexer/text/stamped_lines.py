"""Transcripts as plain text: lines with a time in front, a time above them, or tables of labels."""

from __future__ import annotations

import re
from collections.abc import Iterator

from indexer.text.cues import MAX_TEXT, NO_TIMES, TIME, Cue, Damage, milliseconds
from indexer.text.markup import tidy

_TO = r"\s*(?:-{1,3}>?|[\u2013\u2014\u2192]|to|bis)\s*"
_RANGE = rf"[\[(<]?{TIME}[\])>]?(?:{_TO}[\[(<]?{TIME})?[\])>]?"
_STAMPED = re.compile(rf"\s*{_RANGE}(?:\s*$|\s*[-\u2013\u2014:|]\s+|\s+|(?<=[\])>])\s*)(.*)")
_ONLY_BRACKETED = re.compile(r"\s*[\[(<]")
_SPEAKER = re.compile(rf"\s*(\S.{{0,60}}?)[\s,:|-]+[\[(]?{TIME}[\])]?(?:{_TO}[\[(]?{TIME}[\])]?)?\s*:?\s*")
_SECONDS = re.compile(r"\s*(-?\d{1,7}(?:[.,]\d{1,9})?)\t(-?\d{1,7}(?:[.,]\d{1,9})?)\t(.*)")
_TABLE_HEADS = ("start\tend\ttext",)
_LOOKED_AT = 200  # lines, of which one must have a time


def is_stamped(text: str) -> bool:
    """Return whether a text has lines with times."""
    lines = [line for line in text[:50_000].split("\n") if line.strip()][:_LOOKED_AT]
    return any(_SECONDS.match(line[:MAX_TEXT]) or _stamp(line) is not None for line in lines)


def read_stamped(text: str) -> Iterator[Cue | Damage]:
    """Yield the cues of a transcript. What stands before the first time is passed over.

    Lines without a time continue the one before. A cue without an end lasts until the next one.

    Args:
        text: The content, with line feeds between its lines.
    """
    lines = text.split("\n")
    head = next((line.strip().lower() for line in lines if line.strip()), "")
    if head in _TABLE_HEADS or any(_SECONDS.match(line[:MAX_TEXT]) for line in lines[:_LOOKED_AT]):
        yield from _table(lines, per_second=1 if head in _TABLE_HEADS else 1000)
        return
    place = 0
    times: tuple[int, int | None] | None = None
    rows: list[str] = []
    for at, line in enumerate(lines, 1):
        found = _stamp(line)
        if found is None:
            if times is not None and sum(map(len, rows)) < MAX_TEXT:
                rows.append(line[:MAX_TEXT])
            continue
        if times is not None:
            yield Cue(place, *times, tidy("\n".join(rows)))
        place, times, rows = at, found[:2], [found[2][:MAX_TEXT]]
    if times is not None:
        yield Cue(place, *times, tidy("\n".join(rows)))


def _stamp(line: str) -> tuple[int, int | None, str] | None:
    """Return start, end and words of a line with a time; of one that names a speaker beside it, no words."""
    if ":" not in line:
        return None
    found = _STAMPED.fullmatch(line[: 2 * MAX_TEXT])
    if found is not None:
        groups = found.groups()
        words = groups[8] or ""
    else:
        found = _SPEAKER.fullmatch(line[:200])
        if found is None:
            return None
        groups = found.groups()[1:]
        words = ""
    if ":" not in found[0]:
        return None
    start = milliseconds(*groups[:4])
    end = milliseconds(*groups[4:8]) if groups[5] is not None else None
    return start, end, words


def _table(lines: list[str], per_second: int) -> Iterator[Cue | Damage]:
    """Yield the rows of a table of start, end and text: Audacity's in seconds, Whisper's in milliseconds."""
    for place, line in enumerate(lines, 1):
        if not line.strip() or line.strip().lower() in _TABLE_HEADS or line.startswith("\\"):
            continue  # Audacity's second line of a label states frequencies
        found = _SECONDS.fullmatch(line[: 2 * MAX_TEXT])
        if found is None:
            yield Damage(place, NO_TIMES)
            continue
        start, end = (round(float(found[at].replace(",", ".")) * per_second) for at in (1, 2))
        yield Cue(place, start, end, tidy(found[3]))
