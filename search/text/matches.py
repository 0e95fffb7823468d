"""Segments whose time a matching line shares: the text channel of a search for shots."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from db.records import Filters
from db.timed_text import TextKind
from search.text.finding import TextHit, TextQuery, find_text
from search.text.parsing import parse
from search.text.patterns import required_trigrams
from search.text.terms import TextQueryError

if TYPE_CHECKING:
    from db.library import Library

MOST_LINES = 1000
"""Lines that are looked at: as many as the full-text index ranks."""

_BESIDE = 0.9
"""Value of a shot with the rest of a line, for one with the word itself."""


@dataclass(frozen=True, slots=True)
class TextPart:
    """What to look for in text, as typed.

    Attributes:
        typed: Words (see `search.text.parsing`), or a regular expression between slashes: /colou?r/.
        kinds: Only in lines of these; None for all.
    """

    typed: str
    kinds: tuple[TextKind, ...] | None = None

    def query(self, filters: Filters | None = None) -> TextQuery:
        """Return the query for lines.

        Raises:
            TextQueryError: It is blank.
        """
        typed = self.typed.strip()
        if not typed:
            raise TextQueryError("there is no word to search for; write one, or a phrase in quotes")
        is_pattern = len(typed) > 1 and typed[0] == typed[-1] == "/"
        words = typed[1:-1] if is_pattern else typed
        return TextQuery(
            words=words, is_pattern=is_pattern, kinds=self.kinds, filters=filters or Filters(), k=MOST_LINES
        )

    def check(self) -> None:
        """Raise TextQueryError if it cannot be searched for, without searching."""
        query = self.query()
        (required_trigrams if query.is_pattern else parse)(query.words)


@dataclass(frozen=True, slots=True, eq=False)
class TextMatches:
    """Segments that a part matches.

    Attributes:
        lines: By segment, the lines that match in it, best first. The segments are in the order of their best lines; of
            the segments of one line, that where the word is said comes first.
        said: The segments in which a word is said. A line may begin before, or go on after.
        complete: False if there are more lines than were looked at.
    """

    lines: dict[int, list[TextHit]]
    said: frozenset[int]
    complete: bool

    def values(self, segments: int) -> dict[int, float]:
        """Return how much it says that each segment matches: 1 for the only one, 0 if all do.

        It is the inverse frequency, -log(share of the segments that match), as a part of the largest possible one, so
        that a word of one shot counts alike in libraries of any size; squared, so that words of several shots leave the
        choice to the picture. Where only the rest of a line is said, it is a little less.

        Args:
            segments: How many are searched.
        """
        if not self.lines:
            return {}
        every = max(segments, len(self.lines))
        value = (1 - math.log(len(self.lines)) / math.log(every)) ** 2 if every > 1 else 0.0
        return {each: value if each in self.said else _BESIDE * value for each in self.lines}


def match_segments(library: Library, part: TextPart, filters: Filters) -> TextMatches:
    """Return the segments whose lines match.

    Args:
        library: The library.
        part: What to look for.
        filters: Only in videos that pass these. Limits on the length of segments are left out.

    Raises:
        TextQueryError: It cannot be searched for; the message says what to change.
        LibraryError: The library cannot be read.
    """
    answer = find_text(library, part.query(filters))
    said = library.segments_at([(hit.line.video_id, hit.at_ms, hit.at_ms) for hit in answer.hits])
    lines: dict[int, list[TextHit]] = {}
    for hit, first in zip(answer.hits, said, strict=True):
        for segment in _first_before(first, hit.segment_ids):
            lines.setdefault(segment, []).append(hit)
    return TextMatches(lines, frozenset(each for some in said for each in some), answer.complete)


def _first_before(first: Sequence[int], every: Sequence[int]) -> list[int]:
    """Return the segments of a line, those where the word is said before the others."""
    return [*(each for each in first if each in every), *(each for each in every if each not in first)]
