"""Comparison of two readings: they may be of one text although the engine misread letters of one of them.

The standard library's difflib compares them: rapidfuzz would be faster, but a comparison takes microseconds and
reading a frame half a second, so that a dependency would save nothing.
"""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Sequence

from recognition.protocol import FoundText

SAME = 0.8
"""Share of characters that two readings of one text have in common: one wrong letter in five, or fewer."""


def plain(text: str) -> str:
    """Return what engines read alike: no spaces, no case, no accents, one form of each character."""
    parts = unicodedata.normalize("NFKD", text).casefold()
    return "".join(c for c in parts if not c.isspace() and not unicodedata.combining(c))


def likeness(a: str, b: str) -> float:
    """Return how alike two plain texts are, 0 to 1: the share of characters that they have in common, in order.

    Numbers differ by one digit and mean something else: texts whose digits differ are compared as they are, but never
    count as the same ("Lap 12", "Lap 13"; a clock).
    """
    if a == b:
        return 1.0
    matcher = difflib.SequenceMatcher(None, a, b, autojunk=False)
    if min(matcher.real_quick_ratio(), matcher.quick_ratio()) < SAME:
        return 0.0
    ratio = matcher.ratio()
    return min(ratio, SAME - 0.01) if _digits(a) != _digits(b) else ratio


def is_same(a: str, b: str) -> bool:
    """Return whether two readings, as they were read, are of one text."""
    return likeness(plain(a), plain(b)) >= SAME


def same_texts(before: Sequence[FoundText], after: Sequence[FoundText]) -> bool:
    """Return whether two pictures show the same texts, wherever they are."""
    if len(before) != len(after):
        return False
    left = [plain(found.text) for found in after]
    for text in (plain(found.text) for found in before):
        match = next((other for other in left if likeness(text, other) >= SAME), None)
        if match is None:
            return False
        left.remove(match)
    return True


def joined(before: str, after: str, *, least: int = 6) -> str | None:
    """Return two readings of a text that moves through the picture as one; None if they do not overlap.

    The end of `before` must be the beginning of `after`, by at least `least` characters and a third of the shorter one;
    or one must contain the other.

    Args:
        before, after: The readings, the older one first.
        least: Characters, without spaces.
    """
    a, b = plain(before), plain(after)
    needed = max(least, min(len(a), len(b)) // 3)
    if len(a) < needed or len(b) < needed:
        return None
    if b in a:
        return before
    if a in b:
        return after
    # Letters at the border of the picture are cut and misread: the overlap may begin or end a few characters inside.
    matcher = difflib.SequenceMatcher(None, a, b, autojunk=False)
    block = matcher.find_longest_match(0, len(a), 0, len(b))
    moved = block.a > block.b  # a text that begins as before has changed, not moved: "Lap 12", "Lap 13"
    if not moved or block.size < needed or len(a) - (block.a + block.size) > 2 or block.b > 2:
        return None
    return before[: _place(before, block.a + block.size)] + after[_place(after, block.b + block.size) :]


def _place(text: str, count: int) -> int:
    """Return the index in a text after its first `count` plain characters."""
    seen = 0
    for i, character in enumerate(text):
        if seen >= count:
            return i
        seen += len(plain(character))
    return len(text)


def _digits(text: str) -> str:
    return "".join(c for c in text if c.isdigit())
