"""Chapters and tags of an open video file: title, description, comment, keywords, artist, date."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from itertools import islice
from typing import TYPE_CHECKING, Any

from db.timed_text import TextSource, TimedLine
from indexer.text.cues import MAX_TEXT, Cue, Damage
from indexer.text.found import ReadText, TextFound, TextProblem
from indexer.text.lines import to_lines
from indexer.text.markup import tidy

if TYPE_CHECKING:
    from indexer.media.probe import Source

_FIELDS = {
    "title": ("title", "displayname"),
    "description": ("description", "synopsis", "summary", "subject", "information"),
    "comment": ("comment",),
    "keywords": ("keywords", "keyword"),
    "artist": ("artist", "author", "director", "album_artist"),
    "show": ("show", "album", "collection", "episode_id"),
    "place": ("location-name", "location.name"),
    "date": ("date", "creationdate", "date_released", "date_recorded", "year"),
}
"""Our fields, and what containers call them; a prefix such as `com.apple.quicktime.` may stand in front."""
_MOST_CHAPTERS = 10_000


def read_container(source: Source, *, start_pts: int, duration_ms: int) -> TextFound:
    """Return what the header of an open file says in words; nothing is read or decoded.

    Args:
        source: The file.
        start_pts: pts of the first frame shown, from which times count.
        duration_ms: Length of the video, for which tags hold.
    """
    texts = list(_tags(source.container.metadata, duration_ms))
    start_ms = start_pts * source.time_base * 1000
    chapters = list(_chapters(islice(source.container.chapters(), _MOST_CHAPTERS), start_ms))
    found = to_lines(chapters, duration_ms=duration_ms, unit="chapter")
    if found.lines:
        texts.append(ReadText(TextSource(kind="chapter", origin="chapters"), found.lines))
    return TextFound(tuple(texts), tuple(TextProblem("chapters", problem) for problem in found.problems))


def _tags(metadata: Mapping[str, str], duration_ms: int) -> Iterator[ReadText]:
    stated = [(key.lower(), value) for key, value in metadata.items()]
    for title, names in _FIELDS.items():
        values = [value for name in names for key, value in stated if key == name or key.endswith(f".{name}")]
        texts = dict.fromkeys(tidy(value[: 2 * MAX_TEXT])[:MAX_TEXT] for value in values)
        lines = tuple(TimedLine(0, duration_ms, text) for text in texts if text.strip())
        if lines:
            yield ReadText(TextSource(kind="tag", origin=title, title=title), lines)


def _chapters(chapters: Iterator[Any], start_ms: Fraction) -> Iterator[Cue | Damage]:
    for number, chapter in enumerate(chapters, 1):
        text = next((value for key, value in chapter["metadata"].items() if key.lower() == "title"), "")
        base = chapter["time_base"]
        if not text.strip() or not base:
            continue
        start, end = (round(chapter[side] * Fraction(base) * 1000 - start_ms) for side in ("start", "end"))
        yield Cue(number, start, end if end > start else None, tidy(text[:MAX_TEXT]))
