"""Segments whose time a matching line shares: the text channel of a search for shots."""

from __future__ import annotations

from collections import Counter
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

_FOUND = 0.3  # value of a match that many shots share
_BESIDE = 0.9  # value of a shot with the rest of a line, for one with the word itself


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


def text_values(parts: Sequence[TextMatches]) -> dict[int, float]:
    """Return how much it says for each segment that text was found in it: 1 for the only one that a part matches.

    Each part that matches counts _FOUND, in however many segments, because all of them may be meant. The rest is the
    chance of each if only one is meant: 1 by the number of segments in which as many of the parts are said. The size of
    the library does not matter. Where only the rest of a line is said, the value is a little less.
    """
    found = {
        segment: frozenset(at for at, part in enumerate(parts) if segment in part.lines)
        for segment in dict.fromkeys(each for part in parts for each in part.lines)
    }
    said = frozenset().union(*(part.said for part in parts))
    counts = Counter(some for segment, some in found.items() if segment in said)
    alike = {some: sum(counts[each] for each in counts if some <= each) for some in set(found.values())}
    return {
        segment: (1 if segment in said else _BESIDE) * (_FOUND * len(some) + (1 - _FOUND) / max(alike[some], 1))
        for segment, some in found.items()
    }


def _first_before(first: Sequence[int], every: Sequence[int]) -> list[int]:
    """Return the segments of a line, those where the word is said before the others."""
    return [*(each for each in first if each in every), *(each for each in every if each not in first)]
