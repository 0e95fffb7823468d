"""Why a search found no words of videos, and what to change: for the shell and the page."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from search.text.matches import MOST_LINES

if TYPE_CHECKING:
    from db.library import Library
    from db.timed_text import TextKind

NAMES: Mapping[TextKind, str] = MappingProxyType(
    {"subtitle": "subtitles", "speech": "speech", "screen": "text on screen", "chapter": "chapters", "tag": "tags"}
)

INCOMPLETE = f"there may be better hits: more than {MOST_LINES:,} lines match, or a regular expression took too long"


def no_lines(library: Library, kinds: Collection[TextKind] | None, *, filtered: bool) -> str:
    """Return a clause that says why no line was found.

    Args:
        library: The library.
        kinds: The kinds that were searched; None for all.
        filtered: Whether only some videos were searched.
    """
    searched = tuple(NAMES) if kinds is None else kinds
    if not any(kind in library.texts.counts() for kind in searched):
        names = [NAMES[kind] for kind in searched]
        listed = " or ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
        return f"no {listed} in this library (docs/words.md says what brings them)"
    if filtered:
        return "no line of the videos that pass these filters has these words; widen or remove some"
    return "no line has these words; try fewer of them, OR between them, or a beginning such as engin*"
