"""Searches in the words of videos, alone or beside a picture, for `search` and `export`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import click

from app import compose
from app.commands.composing import words_query
from app.compose import Settings
from app.shell.composing_options import TypedTerms
from app.shell.coverage import note_coverage
from app.shell.engine import open_engine
from app.shell.filter_options import passes_any
from app.shell.hits import Output
from app.shell.paths import as_indexed
from app.shell.result_record import encoder_fields
from app.shell.search_options import SearchOptions, nothing_found, open_search, require_segments
from app.shell.terminal import print_note
from app.shell.text_hits import show_fused
from app.shell.text_options import TypedText

if TYPE_CHECKING:
    from db.library import Library
    from db.timed_text import TextKind
    from search.engines import Engine
    from search.fused import FusedHit, FusedQuery
    from search.query import Query

_NAMES: dict[TextKind, str] = {
    "subtitle": "subtitles", "speech": "speech", "screen": "text on screen", "chapter": "chapters", "tag": "tags",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundText:
    """What was found, in which library, facts of the search for JSON, and the line to print if it is nothing."""

    library: Library
    hits: list[FusedHit]
    question: dict[str, Any]
    nothing: str


def show_text(
    settings: Settings, words: str, typed: TypedTerms, asked: TypedText, options: SearchOptions, output: Output
) -> None:
    """Search in text, beside a picture if there are words for one, and print what is found.

    Raises:
        click.exceptions.Exit: Code 1 if there are no hits.
    """
    with find_text_hits(settings, words, typed, asked, options) as found:
        show_fused(found.library, found.hits, output, found.question, nothing=found.nothing)


@contextmanager
def find_text_hits(
    settings: Settings, words: str, typed: TypedTerms, asked: TypedText, options: SearchOptions
) -> Iterator[FoundText]:
    """Search in text; the library is open for the duration of a `with` block. Without words, no encoder is loaded.

    Args:
        settings: The library and its encoder.
        words: For the picture; "" for a search in text alone.
        typed: Other terms of the picture, which need words.
        asked: What to look for in text.
        options: Filters and numbers.

    Raises:
        click.UsageError: The text cannot be searched for, or an option goes with pictures only.
        CommandError, LibraryError, EncoderError: See `open_search`.
    """
    asked.parts()  # whether it can be searched for, before an encoder is loaded
    if not words:
        if typed != TypedTerms():
            raise click.UsageError("--like, --not and --not-like need WORDS, beside --said, --written or --text")
        if asked.weight is not None:
            raise click.UsageError("--text-weight weighs text against WORDS, and there are none")
        with compose.open_library(settings) as library:
            require_segments(library)
            if options.filters.folder is not None:
                folder = as_indexed(library, options.filters.folder)
                options = replace(options, filters=replace(options.filters, folder=folder))
            query = _fused_query(asked, options, None)
            yield _found(library, query, None, asked, options, {"query": None, **asked.record()})
        return
    with open_search(settings, options, files=typed.files) as (library, encoders, options):
        query = _fused_query(asked, options, words_query(library, encoders, words, typed, options))
        question = {"query": words, **typed.record(), **asked.record(), "text_weight": query.text_weight}
        question |= encoder_fields(encoders) | {"looked_at": note_coverage(library, encoders)}
        yield _found(library, query, open_engine(library, encoders), asked, options, question)


def _fused_query(asked: TypedText, options: SearchOptions, picture: Query | None) -> FusedQuery:
    from search.fused import TEXT_WEIGHT, FusedQuery

    return FusedQuery(
        texts=asked.parts(),
        picture=picture,
        text_weight=TEXT_WEIGHT if asked.weight is None else asked.weight,
        filters=options.filters,
        k=options.top_k,
        per_video=options.per_video,
    )


def _found(
    library: Library,
    query: FusedQuery,
    engine: Engine | None,
    asked: TypedText,
    options: SearchOptions,
    question: dict[str, Any],
) -> FoundText:
    from search.fusion import find_fused
    from search.text.matches import MOST_LINES

    answer = find_fused(library, query, engine)
    if not answer.complete:
        print_note(
            f"note: there may be better hits: more lines match than were looked at ({MOST_LINES:,}), or a regular "
            "expression took too long"
        )
    if answer.hits and not answer.matched:
        print_note(f"note: by the picture alone: {_no_lines(library, asked, options)}")
    nothing = "" if answer.hits else _nothing(library, asked, options)
    return FoundText(
        library=library, hits=answer.hits, question={**question, "complete": answer.complete}, nothing=nothing
    )


def _nothing(library: Library, asked: TypedText, options: SearchOptions) -> str:
    """Explain in one sentence why there are no hits, and what to change."""
    if options.filters and not passes_any(library, options.filters):
        return nothing_found(library, options)
    return f"no hits: {_no_lines(library, asked, options)}"


def _no_lines(library: Library, asked: TypedText, options: SearchOptions) -> str:
    """Explain why no words were found."""
    kinds = asked.kinds() or tuple(_NAMES)
    if not any(kind in library.texts.counts() for kind in kinds):
        names = [_NAMES[kind] for kind in kinds]
        listed = " or ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
        return f"no {listed} in this library (docs/words.md says what brings them)"
    if options.filters:
        return "no line of the videos that pass these filters has these words; widen or remove some"
    return "no line has these words; try fewer of them, OR between them, or a beginning such as engin*"
