"""One box for two kinds of search: what is in quotes is searched for in text, the rest in pictures."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from search.text.terms import TextQueryError

if TYPE_CHECKING:
    from db.timed_text import TextKind
    from search.text.matches import TextPart

_CLOSING = {'"': '"”', "“": '”"', "„": '“”"', "«": "»", "＂": "＂"}
"""Opening quotes, each with those that close it. An apostrophe is none."""
_OPERATORS = ("AND", "OR", "NOT")
_TOKEN = re.compile(r"\S+")
_PATTERN = re.compile(r'"/[^"]+/"')


@dataclass(frozen=True, slots=True)
class BoxText:
    """The two parts of what was typed.

    Attributes:
        picture: Words to search for in pictures; "" if there are none.
        words: What `search.text.parsing` takes, with the quotes; "" if there is none. A regular expression is
            in quotes and slashes: "/colou?r/".
    """

    picture: str
    words: str

    def part(self, kinds: tuple[TextKind, ...] | None = None) -> TextPart:
        """Return what to look for in text; there must be words.

        Args:
            kinds: Only in lines of these; None for all.

        Raises:
            TextQueryError: A regular expression stands beside other quoted words.
        """
        from search.text.matches import TextPart

        pattern = _PATTERN.search(self.words)
        if pattern is None:
            return TextPart(self.words, kinds)
        if pattern.group() != self.words:
            raise TextQueryError(
                "a regular expression is searched for by itself: leave out the other words in quotes, or its slashes"
            )
        return TextPart(self.words[1:-1], kinds)


def split_box(text: str) -> BoxText:
    """Return what a person typed into one box as a picture query and a text query.

        a red car "start the engine"        a red car       "start the engine"
        "engine" OR "motor" a red car       a red car       "engine" OR "motor"
        a red car -"radio" "engin"*         a red car       -"radio" "engin"*
        a red car "/colou?r/"               a red car       "/colou?r/", a regular expression

    A quote begins after a space or at the start, so that inches and a stray quote within a word are words; one that is
    not closed reaches to the end. AND, OR and NOT belong to the text only right between, or before, quoted parts, and
    empty quotes are left out.
    """
    parts = _parts(text)
    kept: list[str] = []
    plain: list[str] = []
    for at, (is_text, part) in enumerate(parts):
        if is_text or (part in _OPERATORS and _joins(parts, at)):
            kept.append(part)
        else:
            plain.append(part)
    return BoxText(" ".join(plain), " ".join(kept))


def _parts(text: str) -> list[tuple[bool, str]]:
    """Return quoted parts (True) and words (False), in order."""
    parts: list[tuple[bool, str]] = []
    at = 0
    while (token := _TOKEN.search(text, at)) is not None:
        start = token.start()
        opening = start + (text[start] == "-")
        closing = _CLOSING.get(text[opening : opening + 1])
        if closing is None:
            parts.append((False, token.group()))
            at = token.end()
            continue
        end = next((place for place in range(opening + 1, len(text)) if text[place] in closing), len(text))
        inner, at = text[opening + 1 : end].strip(), end + 1
        starred = text[at : at + 1] == "*"
        at += starred
        if inner:
            parts.append((True, f'{text[start:opening]}"{inner}"{"*" if starred else ""}'))
    return parts


def _joins(parts: list[tuple[bool, str]], at: int) -> bool:
    """Return whether an operator stands before a quoted part, and after one too unless it is NOT."""
    following = parts[at + 1] if at + 1 < len(parts) else (False, "")
    if parts[at][1] == "NOT":
        return following[0]
    before = at > 0 and parts[at - 1][0]
    return before and (following[0] or (following[1] == "NOT" and _joins(parts, at + 1)))
