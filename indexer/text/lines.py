"""Cues to lines: within the video, in order, each text once, and an account of what was left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from db.timed_text import TimedLine, TimedWord
from indexer.text.cues import MAX_TEXT, Cue, Damage

_NAMED = 5
"""Damaged cues that a message names; the others are counted."""
_SAME_MS = 100
"""Gap between cues of the same text that are one: captions that roll are written anew for each row."""
_MOST_ROWS = 8  # that roll


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines, and what became of the other cues."""

    lines: tuple[TimedLine, ...]
    problems: tuple[str, ...]  # clauses


def to_lines(cues: Iterable[Cue | Damage], *, duration_ms: int, unit: str = "line") -> Lines:
    """Return the lines of cues.

    Cues of times before the video or behind it are left out, others end within it. Cues of one text that follow each
    other are merged, and captions that roll lose the rows that were there before. Empty cues are passed over.

    Args:
        cues: The cues, in any order.
        duration_ms: Length of the video.
        unit: What the places of cues count, for messages.
    """
    damage: list[Damage] = []
    usable: list[tuple[int, int, Cue]] = []
    counts: Counter[str] = Counter()
    total = 0
    for cue in _with_ends(cues, duration_ms):
        total += 1
        if isinstance(cue, Damage):
            damage.append(cue)
            continue
        start, end = cue.start_ms, cue.end_ms or 0
        if end < start:
            damage.append(Damage(cue.place, "it ends before it begins"))
        elif end < 0 or (end == 0 > start):
            counts["before"] += 1
        elif start >= duration_ms:
            counts["after"] += 1
        elif cue.text.strip():
            usable.append((max(0, start), min(end, duration_ms), cue))
    usable.sort(key=lambda each: each[:2])
    return Lines(tuple(_merged(usable, duration_ms)), tuple(_problems(damage, counts, total, unit)))


def _with_ends(cues: Iterable[Cue | Damage], end_ms: int) -> list[Cue | Damage]:
    """Return cues of which each has an end: where none is stated, the start of the next, or the end of the video."""
    cues = list(cues)
    if all(isinstance(cue, Damage) or cue.end_ms is not None for cue in cues):
        return cues
    starts = sorted({cue.start_ms for cue in cues if isinstance(cue, Cue)})
    following = dict(zip(starts, [*starts[1:], max(end_ms, starts[-1])], strict=True))
    return [
        replace(cue, end_ms=following[cue.start_ms]) if isinstance(cue, Cue) and cue.end_ms is None else cue
        for cue in cues
    ]


def _merged(usable: Sequence[tuple[int, int, Cue]], duration_ms: int) -> list[TimedLine]:
    """Return lines of cues in order, those that repeat merged into one."""
    lines: list[TimedLine] = []
    by_text: dict[str, int] = {}  # the last line of each text
    rows_before: list[str] = []
    end_before = -1
    for start, end, cue in usable:
        text = cue.text[:MAX_TEXT].rstrip()
        rows = text.split("\n")
        if start <= end_before + _SAME_MS:
            rolled = _rolled(rows_before, rows)
            rows_before = rows
            if rolled == len(rows) and text not in by_text:  # all of it was there: its last rows go on
                end_before = max(end_before, end)
                continue
            text = "\n".join(rows[rolled:]) or text
        else:
            rows_before = rows
        end_before = max(end_before, end) if start <= end_before else end
        at = by_text.get(text)
        if at is not None and start <= lines[at].end_ms + _SAME_MS:
            lines[at] = replace(lines[at], end_ms=max(lines[at].end_ms, end))
            continue
        by_text[text] = len(lines)
        lines.append(TimedLine(start, end, text, cue.confidence, _within(cue.words, duration_ms)))
    return lines


def _rolled(before: list[str], rows: list[str]) -> int:
    """Return how many of the first rows of a cue are the last rows of the one before."""
    for count in range(min(len(before), len(rows), _MOST_ROWS), 0, -1):
        if before[-count:] == rows[:count]:
            return count
    return 0


def _within(words: tuple[TimedWord, ...], duration_ms: int) -> tuple[TimedWord, ...]:
    """Return the words that are within the video."""
    if all(word.end_ms <= duration_ms for word in words):
        return words
    return tuple(replace(word, end_ms=min(word.end_ms, duration_ms)) for word in words if word.start_ms <= duration_ms)


def _problems(damage: Sequence[Damage], counts: Counter[str], total: int, unit: str) -> Iterable[str]:
    if damage:
        listed = ", ".join(f"{unit} {each.place:,} ({each.reason})" for each in damage[:_NAMED])
        more = f", and {len(damage) - _NAMED:,} more" if len(damage) > _NAMED else ""
        yield f"{len(damage):,} of {total:,} cues were left out: {listed}{more}"
    if counts["after"]:
        yield f"{counts['after']:,} of {total:,} cues begin after the end of the video and were left out"
    if counts["before"]:
        yield f"{counts['before']:,} of {total:,} cues end before the video begins and were left out"
