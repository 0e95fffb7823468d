"""The words of a clip's video in the library: which of its sources a clip carries."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from app.exporting.clip_words import ClipWords, SubtitlePlace, WordsFrom
from app.exporting.request import ClipRequest
from indexer.identity import Identity, IdentityCheck, Verdict

if TYPE_CHECKING:
    from db.library import Library
    from db.records import Video
    from db.timed_text import TextKind, TextSource

_BEST: tuple[TextKind, ...] = ("subtitle", "speech")


def with_words(
    library: Library | None,
    requests: Iterable[ClipRequest],
    place: SubtitlePlace,
    *,
    language: str = "",
    words_from: WordsFrom = "best",
) -> tuple[list[ClipRequest], list[str]]:
    """Return the clips with the words of their videos, and a sentence for each video without any.

    Args:
        library: None if there is none.
        requests: The clips.
        place: Where the words go.
        language: BCP 47; "" for that of the first source.
        words_from: See WordsFrom.
    """
    if library is None:
        return list(requests), ["without words: there is no library that could hold any"]
    requests = list(requests)
    clips: list[ClipRequest] = []
    notes: dict[str, None] = {}
    known: dict[int | None, ClipWords] = {}
    chosen = chosen_sources(sources_of_clips(library, requests), language=language, words_from=words_from)
    for request, source in zip(requests, chosen, strict=True):
        if isinstance(source, str):
            notes[f"{os.path.basename(request.path)}: without words, because {source}"] = None
            clips.append(request)
            continue
        if source.id not in known:
            known[source.id] = _words_of(library, source, place)
        clips.append(replace(request, words=known[source.id]))
    return clips, list(notes)


def sources_of_clips(library: Library, requests: Iterable[ClipRequest]) -> list[list[TextSource] | None]:
    """Return for each clip the sources of words of its video; None if the library does not know the video."""
    found: dict[tuple[str, Identity | None], list[TextSource] | None] = {}
    sources = []
    for request in requests:
        key = (request.path, request.identity)
        if key not in found:
            video = _video_of(library, request)
            found[key] = None if video is None or video.id is None else library.texts.sources(video.id)
        sources.append(found[key])
    return sources


def chosen_sources(
    sources: Iterable[Sequence[TextSource] | None], *, language: str, words_from: WordsFrom
) -> list[TextSource | str]:
    """Return for each clip the source that it carries, or why it carries none.

    Args:
        sources: Of `sources_of_clips`.
        language, words_from: As for `choose_source`.
    """
    return [
        "the library does not know this video"
        if own is None
        else choose_source(own, language=language, words_from=words_from)
        or missing_text(own, language=language, words_from=words_from)
        for own in sources
    ]


def choose_source(
    sources: Sequence[TextSource], *, language: str = "", words_from: WordsFrom = "best"
) -> TextSource | None:
    """Return the source that a clip carries, or None if none fits.

    Subtitles come before speech, and of these, in this order: what is not forced (which is only signs), what the file
    marks as its default, what does not describe sounds, and the first. Without a language, it is that of this source.
    """
    kinds = kinds_of(words_from)
    fitting = [
        each
        for each in sources
        if each.kind in kinds and each.lines and (not language or _is_language(each.language, language))
    ]
    return min(
        fitting,
        key=lambda each: (kinds.index(each.kind), each.forced, not each.default, each.for_deaf),
        default=None,
    )


def kinds_of(words_from: WordsFrom) -> tuple[TextKind, ...]:
    """Return the kinds of words that are meant, the preferred one first."""
    return _BEST if words_from == "best" else (words_from,)


def _is_language(stated: str, wanted: str) -> bool:
    """Return whether a language is the wanted one, or that of one of its regions: pt-BR is pt."""
    own, asked = (text.casefold().replace("_", "-") for text in (stated, wanted))
    return own == asked or own.startswith(f"{asked}-")


def _words_of(library: Library, source: TextSource, place: SubtitlePlace) -> ClipWords:
    lines = library.texts.lines(source.video_id or 0, source_id=source.id)
    return ClipWords(
        lines=tuple(each.line for each in lines),
        place=place,
        language=source.language,
        title=source.title,
        in_file=source.kind == "subtitle" and not source.file and source.origin.startswith("track"),
    )


def missing_text(sources: Sequence[TextSource], *, language: str, words_from: WordsFrom) -> str:
    """Return why `choose_source` found none of these."""
    kinds = kinds_of(words_from)
    there = [each for each in sources if each.kind in kinds and each.lines]
    named = {"subtitle": "subtitles", "speech": "recognised speech", "screen": "text read on screen"}
    if not there:
        return f"the library has no {' or '.join(named[kind] for kind in kinds)} of it"
    languages = ", ".join(sorted({each.language or "an unknown language" for each in there}))
    return f"it has none in {language}, only in {languages}"


def _video_of(library: Library, request: ClipRequest) -> Video | None:
    """Return the video whose words belong to a clip: at its path, or another one with its content."""
    at_path = library.video_at(request.path)
    identity = request.identity
    if identity is None:  # the file is cut as it is now
        try:
            check = None if at_path is None else IdentityCheck().compare(Identity.of(at_path), request.path)
        except OSError:
            check = None
        return at_path if check is Verdict.SAME else None
    candidates = [] if at_path is None else [at_path]
    candidates += library.videos_with_fingerprint(identity.fingerprint)
    same = [video for video in candidates if identity.may_share_content(Identity.of(video))]
    return next(iter(same), None)
