"""Searches in the words of videos, alone or beside a picture, for `search` and `export`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
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
from app.shell.result_record import encoder_fields
from app.shell.search_options import SearchOptions, nothing_found, open_search, require_segments
from app.shell.terminal import print_note
from app.shell.text_hits import show_fused
from app.shell.text_options import TypedText

if TYPE_CHECKING:
    from db.library import Library
    from search.engines import Engine
    from search.fused import FusedHit, FusedQuery


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
        with open_texts(settings, options) as (library, options):
            query = options.fused_query(asked.parts(), None, text_weight=asked.weight)
            yield found_text(library, query, None, options, {"query": None, **asked.record()})
        return
    with open_search(settings, options, files=typed.files) as (library, encoders, options):
        picture = words_query(library, encoders, words, typed, options)
        query = options.fused_query(asked.parts(), picture, text_weight=asked.weight)
        question = {"query": words, **typed.record(), **asked.record(), "text_weight": query.text_weight}
        question |= encoder_fields(encoders) | {"looked_at": note_coverage(library, encoders)}
        yield found_text(library, query, open_engine(library, encoders), options, question)


@contextmanager
def open_texts(settings: Settings, options: SearchOptions) -> Iterator[tuple[Library, SearchOptions]]:
    """Open the library for a search in text alone: `open_search` without an encoder."""
    with compose.open_library(settings) as library:
        require_segments(library)
        yield library, options.in_library(library)


def found_text(
    library: Library,
    query: FusedQuery,
    engine: Engine | None,
    options: SearchOptions,
    question: dict[str, Any],
) -> FoundText:
    """Return what a query finds, and print what limits it.

    Args:
        library: The library.
        query: What to look for.
        engine: Of this library; needed for a query with a picture.
        options: Filters and numbers.
        question: Facts of the search for JSON.
    """
    from app.shell.no_words import INCOMPLETE, no_lines
    from search.fusion import find_fused

    answer = find_fused(library, query, engine)
    if not answer.complete:
        print_note(f"note: {INCOMPLETE}")
    nothing = ""
    if not answer.hits and options.filters and not passes_any(library, options.filters):
        nothing = nothing_found(library, options)
    elif not answer.matched:
        why = no_lines(library, query.kinds, filtered=bool(options.filters))
        if answer.hits:
            print_note(f"note: by the picture alone: {why}")
        else:
            nothing = f"no hits: {why}"
    return FoundText(
        library=library, hits=answer.hits, question={**question, "complete": answer.complete}, nothing=nothing
    )
