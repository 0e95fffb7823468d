"""Negation in a sentence, to offer as an exclusion: encoders hardly heed "no", "not" and "without".

"a dog without people" asks for a dog, and finds people: their rows say what is named, not whether it is wanted. The
sentence is never changed by itself; a person may take the offer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_AUXILIARY = "is|are|was|were|does|do|did|has|have|can|could|will|would|should"
_OPENING = re.compile(
    rf"(?:\b(?:but|and|with|that|which|who|there|it|{_AUXILIARY})\s+)*"
    r"\b(?:without(?:\s+any)?|no(?!\s+(?:one|longer|matter|doubt)\b)|not(?!\s+(?:only|just|even)\b)(?:\s+any)?"
    rf"|(?:{_AUXILIARY}|ca|wo)n['’]t|(?:is|are|was|were|does|do|did)nt)\s+",
    re.IGNORECASE,
)
_END = re.compile(
    r"\s*(?:[,;:.!?]|$|\b(?:but|while|(?:and\s+)?with|and\s+(?:no|not|without))\b)",
    re.IGNORECASE,
)
_OR = re.compile(r"\s+n?or\s+", re.IGNORECASE)
_ARTICLE = re.compile(r"^(?:a|an|the|any)\s+", re.IGNORECASE)
_JOINT = re.compile(r"^(?:[\s,;:.!?]+|(?:but|and)\b)+|[\s,;:.!?]+$", re.IGNORECASE)
_EMPTY = frozenset(
    {"", "a", "an", "the", "it", "and", "but", "with", "there", "is", "are", "something", "video", "shot"}
)


@dataclass(frozen=True, slots=True)
class Negation:
    """A sentence with negations, taken apart.

    Attributes:
        kept: The rest of the sentence, which is never blank.
        excluded: What is negated, each without its negation and article.
    """

    kept: str
    excluded: tuple[str, ...]


def find_negation(text: str) -> Negation | None:
    """Return the negations of an English sentence, or None if there are none, or nothing else is asked for.

    A negation reaches from "without", "no", "not" or "-n't" to the next punctuation, "but", "while" or "with", or to
    the end; "or" separates what is negated.
    """
    kept: list[str] = []
    excluded: list[str] = []
    at = 0
    while found := _OPENING.search(text, at):
        end = _END.search(text, found.end())
        assert end is not None, "the end of the text is an end"
        kept.append(text[at : found.start()])
        at = end.start()
        each = [_ARTICLE.sub("", part.strip()) for part in _OR.split(text[found.end() : at])]
        excluded += [what for what in each if what.lower() not in _EMPTY]
    kept.append(text[at:])
    parts = [_JOINT.sub("", part) for part in kept]
    rest = re.sub(r"\s+", " ", " ".join(part for part in parts if part)).strip()
    if not excluded or rest.lower() in _EMPTY:
        return None
    return Negation(rest, tuple(excluded))
