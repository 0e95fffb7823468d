"""The beginning of the next line, which is indexed together with a line: people search for sentences, not for lines.

A subtitle ends where it is wide enough, in the middle of a sentence. Eight words of the next one let every phrase of up
to nine words be found that begins in a line, wherever it is split.
"""

from __future__ import annotations

from collections.abc import Sequence

from db.timed_text import TextKind, TimedLine

_WORDS = 8
_CHARACTERS = 64
_LONGEST_GAP_MS = 3000  # between lines that may be of one sentence
_JOINED_KINDS: frozenset[TextKind] = frozenset({"subtitle", "speech"})
END = "  "
"""Ends every line's joined text, so that its last character begins a trigram, too."""

_UNSPACED = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x0F00, 0x0FFF),  # Tibetan
    (0x1000, 0x109F),  # Myanmar
    (0x1100, 0x11FF),  # Hangul, in parts
    (0x1780, 0x17FF),  # Khmer
    (0x2E80, 0x2FDF),  # radicals
    (0x3005, 0x3007),
    (0x3031, 0x318F),  # kana, bopomofo, Hangul in parts
    (0x31A0, 0x31BF),
    (0x31F0, 0x31FF),
    (0x3400, 0x4DBF),  # Han
    (0x4E00, 0x9FFF),
    (0xA960, 0xA97F),
    (0xAC00, 0xD7FF),  # Hangul: it has spaces, but endings are written together with the word
    (0xF900, 0xFAFF),
    (0xFF66, 0xFFDC),  # of half width
    (0x1B000, 0x1B16F),
    (0x20000, 0x3FFFF),
)


def is_unspaced(letter: str) -> bool:
    """Return whether a character is of a script that does not separate words by spaces."""
    code = ord(letter)
    return code >= 0x0E00 and any(first <= code <= last for first, last in _UNSPACED)


def beginnings_of_next(kind: TextKind, lines: Sequence[TimedLine]) -> list[str]:
    """Return, for each line of a source in order, what `text_lines.next` stores.

    Returns:
        The separator, the beginning of the next line, and END; END alone if no sentence goes on.
    """
    found = []
    for line, following in zip(lines, [*lines[1:], None], strict=False):
        head = ""
        if following is not None and kind in _JOINED_KINDS and following.start_ms - line.end_ms <= _LONGEST_GAP_MS:
            head = " ".join(following.text.split(maxsplit=_WORDS)[:_WORDS])[:_CHARACTERS]
        if head and not (is_unspaced(line.text[-1]) and is_unspaced(head[0])):
            head = " " + head
        found.append(head + END)
    return found
