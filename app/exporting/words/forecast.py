"""Forecast of the words that clips will carry, found as an export does, without reading a video."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING

from app.exporting.clip_words import WordsFrom, cut_lines, is_language
from app.exporting.request import ClipRequest
from app.exporting.words.choosing import chosen_sources, kinds_of, sources_of_clips

if TYPE_CHECKING:
    from db.library import Library
    from db.timed_text import TextKind, TextSource

_KINDS: tuple[TextKind, ...] = ("subtitle", "speech", "screen")


@dataclass(frozen=True, slots=True, kw_only=True)
class WordsForecast:
    """The words of some clips.

    Attributes:
        kinds: Kinds of words that any of their videos has.
        languages: Languages of these words, of the kinds that were asked for, that can be asked for.
        carried: Number of clips by kind and language of the words that they carry.
        silent: Number of those in which nothing is said.
        without: Number of clips that carry none, by the reason, which names the file.
    """

    kinds: tuple[TextKind, ...] = ()
    languages: tuple[str, ...] = ()
    carried: Mapping[tuple[TextKind, str], int] = field(default_factory=dict)
    silent: int = 0
    without: Mapping[str, int] = field(default_factory=dict)


def words_forecast(
    library: Library,
    requests: Sequence[ClipRequest],
    pad: Fraction,
    *,
    language: str = "",
    words_from: WordsFrom = "best",
) -> WordsForecast:
    """Return what `choosing.with_words` would give clips.

    Args:
        library: The library.
        requests: The clips.
        pad: Handles in seconds.
        language, words_from: As for `with_words`.
    """
    sources = sources_of_clips(library, requests)
    there = {each.id: each for own in sources for each in own or () if each.lines and each.kind in _KINDS}
    asked = kinds_of(words_from)
    carried: Counter[tuple[TextKind, str]] = Counter()
    without: Counter[str] = Counter()
    silent = 0
    for request, source in zip(
        requests, chosen_sources(sources, language=language, words_from=words_from), strict=True
    ):
        if isinstance(source, str):
            without[f"{os.path.basename(request.path)}: {source}"] += 1
        else:
            carried[source.kind, source.language] += 1
            silent += not _is_said(library, source, *request.padded(pad))
    return WordsForecast(
        kinds=tuple(kind for kind in _KINDS if any(each.kind == kind for each in there.values())),
        languages=tuple(
            sorted({each.language for each in there.values() if each.kind in asked and is_language(each.language)})
        ),
        carried=carried,
        silent=silent,
        without=without,
    )


def _is_said(library: Library, source: TextSource, start: Fraction, end: Fraction) -> bool:
    """Return whether a clip has a cue of a source."""
    lines = library.texts.lines(
        source.video_id or 0, source_id=source.id, start_ms=int(start * 1000), end_ms=int(end * 1000) + 1
    )
    return bool(cut_lines([each.line for each in lines], start, end))
