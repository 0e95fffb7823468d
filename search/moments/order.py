"""Rule that tells whether a question has a direction or an order, so that it may matter which way time runs.

It is wrong now and then, which costs little: a question with such a word is looked at once more, backwards.
"""

from __future__ import annotations

import re
from pathlib import Path

_WORDS = frozenset(Path(__file__).with_name("order_words.txt").read_text("utf-8").split())
"""Adverbs of direction and order, and verbs for what does not look the same backwards."""


def has_order(text: str) -> bool:
    """Return whether any word of an English sentence is one of direction or order, or a form of such a verb."""
    return any(not _WORDS.isdisjoint(_stems(word)) for word in re.findall(r"[^\W\d_]+", text.lower()))


def _stems(word: str) -> set[str]:
    """Return what a word may be a form of."""
    stems = {word}
    for ending in ("s", "es", "ed", "d", "ing"):
        if word.endswith(ending) and len(word) > len(ending) + 2:
            stem = word.removesuffix(ending)
            stems |= {stem, f"{stem}e"}
            if stem[-1] == stem[-2]:  # dropping, stopped
                stems.add(stem[:-1])
    if word.endswith(("ies", "ied")):
        stems.add(f"{word[:-3]}y")
    return stems
