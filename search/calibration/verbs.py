"""Rule that tells whether a question has a verb, for plain English: by endings and a list of common verbs.

The rule needs no model and no dictionary. It is wrong now and then, which costs little: the forms of questions only
decide with which null questions one is compared most.
"""

from __future__ import annotations

import re
from pathlib import Path

_AUXILIARIES = frozenset(["is", "are", "was", "were", "am", "be", "has", "have", "does", "do", "did"])

_NO_VERBS = frozenset(
    {
        "anything", "building", "ceiling", "clothing", "earring", "evening", "everything", "king", "lightning",
        "morning", "nothing", "pudding", "railing", "ring", "sibling", "something", "spring", "string", "thing",
        "wedding", "wing",
    }
)  # fmt: skip
"""Words that end in -ing and are hardly ever verbs."""

_VERBS = frozenset(Path(__file__).with_name("verbs.txt").read_text("utf-8").split())
"""Common verbs for what videos show."""


def has_verb(text: str) -> bool:
    """Return whether any word is an auxiliary, ends in -ing, or is the third person of a common verb."""
    return any(_is_verb(word) for word in re.findall(r"[^\W\d_]+", text.lower()))


def _is_verb(word: str) -> bool:
    if word in _AUXILIARIES or (word.endswith("ing") and len(word) > 4 and word not in _NO_VERBS):
        return True
    stems = (word[:-1] if word.endswith("s") else "", word[:-2] if word.endswith("es") else "")
    return any(stem in _VERBS for stem in stems) or (word.endswith("ies") and f"{word[:-3]}y" in _VERBS)
