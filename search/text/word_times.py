"""The time at which a word of a line is said."""

from __future__ import annotations

from db.timed_text import TimedLine


def said_at(line: TimedLine, place: int) -> int:
    """Return when the word at a place in a line's text is said, in milliseconds; the line's start if unknown."""
    at, said = 0, line.start_ms
    for word in line.words:
        begin = line.text.find(word.text, at)
        if begin < 0:
            continue
        if begin > place:
            break
        at, said = begin + len(word.text), word.start_ms
    return said
