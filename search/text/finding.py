"""Lines of timed text that match words or a regular expression, best first."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from db.records import Filters
from db.text.reading import StoredLine
from db.timed_text import TextKind
from search.text.candidates import candidates
from search.text.occurrences import Occurrences, Range
from search.text.parsing import parse
from search.text.patterns import match_texts, required_trigrams
from search.text.terms import Term, TextQueryError
from search.text.word_times import said_at

if TYPE_CHECKING:
    from db.library import Library

_MOST_PATTERN_LINES = 100_000  # with the trigrams of a pattern
_MOST_PLAIN_LINES = 30_000  # of a pattern that needs none: as many as the time is enough for
PATTERN_SECONDS = 0.4


@dataclass(frozen=True, slots=True, kw_only=True)
class TextQuery:
    """What to search for in timed text.

    Attributes:
        words: What a person typed (see `search.text.parsing`), or a regular expression.
        is_pattern: Whether it is a regular expression of Python. It is matched against lines alone; case is ignored.
        kinds: Only lines of these; None for all.
        filters: Only videos that pass these. Limits on the length of segments are left out.
        k: Hits wanted, at least 1.
        per_video: At most this many of a video; None: no limit.
        seconds: The time that a regular expression may take.

    Raises:
        TextQueryError: A value is out of range.
    """

    words: str
    is_pattern: bool = False
    kinds: Collection[TextKind] | None = None
    filters: Filters = field(default_factory=Filters)
    k: int = 50
    per_video: int | None = None
    seconds: float = PATTERN_SECONDS

    def __post_init__(self) -> None:
        if self.k < 1:
            raise TextQueryError(f"k is the number of hits wanted and must be at least 1, got {self.k}")
        if self.per_video is not None and self.per_video < 1:
            raise TextQueryError(f"at least 1 hit of a video must be wanted, got {self.per_video}")


@dataclass(frozen=True, slots=True, kw_only=True)
class TextHit:
    """A line that matches.

    Attributes:
        line: The line, with its video and kind.
        text: Its text, with the beginning of the next line if the match goes on there.
        ranges: What to highlight in `text`: first character, and one past the last one; in order.
        at_ms: When the first of these words is said, from the first frame shown; if that is unknown, the line's start.
        segment_ids: The segments that the line lies in, by time.
    """

    line: StoredLine
    text: str
    ranges: tuple[Range, ...]
    at_ms: int
    segment_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TextAnswer:
    """Hits, best first.

    Attributes:
        hits: At most `k`.
        complete: False if there were more lines than were looked at, or the time was over: better ones may be missing.
    """

    hits: tuple[TextHit, ...]
    complete: bool


def find_text(library: Library, query: TextQuery) -> TextAnswer:
    """Return the lines that match a query.

    Words are ranked by bm25, by the length of the line alone where a word is very common (see `db.text.matching`), and
    then by video and time; matches of regular expressions by video and time.

    Raises:
        TextQueryError: The words or the pattern cannot be searched for; the message says what to change.
        ValueError: The filters' folder is not an absolute path.
        LibraryError: The library cannot be read.
    """
    find = _find_pattern if query.is_pattern else _find_words
    videos = library.filtered_videos(query.filters) if query.filters else None
    found, complete = find(library, query, videos)
    spans = [(each.line.video_id, each.line.line.start_ms, each.end_ms) for each in found]
    segment_ids = library.segments_at(spans)
    hits = (
        TextHit(
            line=each.line, text=each.text, ranges=tuple(each.ranges), segment_ids=ids,
            at_ms=said_at(each.line.line, each.ranges[0][0] if each.ranges else 0),
        )
        for each, ids in zip(found, segment_ids, strict=True)
    )  # fmt: skip
    return TextAnswer(hits=tuple(hits), complete=complete)


@dataclass(frozen=True, slots=True)
class _Found:
    line: StoredLine
    text: str
    ranges: Sequence[Range]

    @property
    def end_ms(self) -> int:
        return self.line.line.end_ms


Found = tuple[list[_Found], bool]


def _find_words(library: Library, query: TextQuery, videos: NDArray[np.int64] | None) -> Found:
    term = parse(query.words)
    wanted = candidates(library, term, query.kinds, videos)
    occurrences = Occurrences(term)
    matches = (
        found
        for line in _lines(library, wanted.ids, query.k)
        if (found := _occurring(term, occurrences, line, checked=wanted.checked)) is not None
    )
    return _first(matches, query), wanted.complete


def _occurring(term: Term, occurrences: Occurrences, line: StoredLine, *, checked: bool) -> _Found | None:
    """Return a line with the places of the words; None if it does not match, or only the next line does.

    Args:
        term: What is searched for.
        occurrences: Its occurrences.
        line: A candidate.
        checked: Whether the index has compared the words; else their trigrams may be anywhere.
    """
    text = line.line.text
    alone = occurrences.ranges(text)
    if alone is not None:
        return _Found(line, text, alone)
    joined = text + line.next
    together = occurrences.ranges(joined, len(text))
    if together is None:
        # SQLite and Python may disagree on what is a letter: then nothing is highlighted.
        return _Found(line, text, ()) if checked else None
    if together[0][0] >= len(text):
        return None
    return _Found(line, joined.rstrip(), together)


def _find_pattern(library: Library, query: TextQuery, videos: NDArray[np.int64] | None) -> Found:
    began = time.monotonic()
    trigrams = required_trigrams(query.words)
    if trigrams:
        wanted = library.texts.match_trigrams(trigrams, query.kinds, videos, limit=_MOST_PATTERN_LINES)
    else:
        wanted = library.texts.all_lines(query.kinds, videos, _MOST_PLAIN_LINES)
    ids = wanted.ids[np.lexsort([wanted.ids, library.texts.videos_of(wanted.ids)])]
    stored = dict(library.texts.texts(ids))
    ids = ids[[number in stored for number in ids.tolist()]] if len(stored) < ids.size else ids
    left = query.seconds - (time.monotonic() - began)
    limit = len(ids) if query.per_video else query.k
    matched = match_texts(query.words, [stored[number] for number in ids.tolist()], seconds=left, limit=limit + 1)
    places = {int(ids[number]): spans for number, spans in matched.spans.items()}
    lines = _lines(library, ids[sorted(matched.spans)], query.k)
    return _first((_Found(line, line.line.text, places[line.id]) for line in lines), query), (
        wanted.complete and (matched.complete or len(matched.spans) > limit)
    )


def _lines(library: Library, ids: NDArray[np.int64], k: int) -> Iterator[StoredLine]:
    """Yield lines in the order of their ids given here, without those that are gone; about k are read at a time."""
    size = min(max(k, 20), 1000)
    for at in range(0, ids.size, size):
        block = ids[at : at + size].tolist()
        stored = library.texts.lines_by_id(block)
        yield from (stored[number] for number in block if number in stored)


def _first(matches: Iterator[_Found], query: TextQuery) -> list[_Found]:
    """Return the first k matches, at most `per_video` of each video."""
    found: list[_Found] = []
    of_video: dict[int, int] = {}
    for match in matches:
        count = of_video.get(match.line.video_id, 0) + 1
        if query.per_video is None or count <= query.per_video:
            of_video[match.line.video_id] = count
            found.append(match)
            if len(found) == query.k:
                break
    return found
