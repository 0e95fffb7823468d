"""SubRip, WebVTT, SBV and SubViewer: a line of two times, and lines of text below it."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

from db.timed_text import TimedWord
from indexer.text.cues import MAX_TEXT, NO_TIMES, TIME, Cue, Damage, milliseconds
from indexer.text.markup import plain

_ARROW = r"\s*(?:-{1,3}|[\u2013\u2014])[>\uff1e]\s*"
_TIMING = re.compile(rf"\s*(-?){TIME}\s*{_ARROW}(-?){TIME}(?:\s+X1:.*|(\s.*))?")
_FULL_TIME = r"()(\d{1,3}):(\d\d):(\d\d)[.](\d{1,3})"
_COMMA_TIMING = re.compile(rf"\s*{_FULL_TIME}\s*,\s*{_FULL_TIME}()\s*")  # groups as those of _TIMING
_LIKE_TIMING = re.compile(r"\s*-?\d{1,4}:\d\d:\d\d[.,:]\d")
_NUMBER = re.compile(r"\s*\d{1,9}\s*")
_LONGEST = 200  # characters of a line of times, settings of WebVTT included
_STAMP = re.compile(rf"<{TIME}>")


def is_blocks(text: str) -> bool:
    """Return whether a text has times as these formats write them: with nothing behind them but a position."""
    return any(found and not (found[11] or "").strip() for found in map(_matched, text.split("\n")))


def read_blocks(text: str) -> Iterator[Cue | Damage]:
    """Yield the cues of a file. Lines that are no part of any cue, such as headers and notes, are passed over.

    Args:
        text: The content, with line feeds between its lines.
    """
    lines = text.split("\n")
    is_vtt = text.startswith("WEBVTT")
    starts = [at for at, line in enumerate(lines) if _is_timing(line)]
    for at, until in itertools.zip_longest(starts, starts[1:], fillvalue=len(lines)):
        rows = lines[at + 1 : until]
        lost: list[int] = []
        if is_vtt:
            rows = list(itertools.takewhile(bool, rows))  # a row of spaces ends nothing
        else:
            rows, lost = _rows(rows, _number(lines[at - 1]) if at else None, is_last=until == len(lines))
        found = _matched(lines[at])
        yield Damage(at + 1, NO_TIMES) if found is None else _cue(at + 1, _times(found), rows)
        yield from (Damage(at + 2 + each, "it has no times") for each in lost)


def _matched(line: str) -> re.Match[str] | None:
    if ":" not in line:
        return None
    return _TIMING.fullmatch(line[:_LONGEST]) or _COMMA_TIMING.fullmatch(line[:_LONGEST])


def _is_timing(line: str) -> bool:
    """Return whether a line has the times of a cue, readable or not."""
    return "-->" in line or _LIKE_TIMING.match(line) is not None or _matched(line) is not None


def _number(line: str) -> int | None:
    return int(line) if _NUMBER.fullmatch(line[:20]) else None


def _rows(rows: list[str], number: int | None, *, is_last: bool) -> tuple[list[str], list[int]]:
    """Return the text below a time, which may have blank lines within, and where cues follow that have lost theirs.

    Args:
        rows: All lines up to the next time.
        number: The number of the cue; None if it has none.
        is_last: Whether no other time follows.
    """
    while rows and not rows[-1].strip():
        rows.pop()
    following = None if number is None else number + 1
    if rows and not is_last:
        last = _number(rows[-1])
        if last is not None and (last == following or len(rows) == 1 or not rows[-2].strip()):
            rows.pop()
    lost = []
    for at in range(1, len(rows)):
        if following is not None and not rows[at - 1].strip() and _number(rows[at]) == following:
            lost.append(at)
            following += 1
    return rows[: lost[0]] if lost else rows, lost


def _times(found: re.Match[str]) -> tuple[int, int]:
    groups = found.groups()
    start, end = milliseconds(*groups[1:5]), milliseconds(*groups[6:10])
    return -start if groups[0] else start, -end if groups[5] else end


def _cue(place: int, times: tuple[int, int], rows: list[str]) -> Cue:
    text = "\n".join(rows)[: 2 * MAX_TEXT].replace("[br]", "\n")
    words = tuple(_words(rows, *times)) if "<" in text and _STAMP.search(text) else ()
    return Cue(place, *times, plain(text), words)


def _words(rows: list[str], start: int, end: int) -> Iterator[TimedWord]:
    """Yield the words of rows that have times within them, as captions made by machines have."""
    for row in rows:
        parts = _STAMP.split(row[:MAX_TEXT])
        if len(parts) == 1:
            continue
        times = [start, *(milliseconds(*parts[at : at + 4]) for at in range(1, len(parts), 5))]
        for at, part in enumerate(parts[::5]):
            until = times[at + 1] if at + 1 < len(times) else end
            word = plain(part).replace("\n", " ")
            if word and 0 <= times[at] <= until:
                yield TimedWord(times[at], until, word)
