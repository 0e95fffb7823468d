"""Terms of a question of several parts: examples, and what is not wanted."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from app.commands.examples import file_example
from app.search_link import EXCLUDED_WEIGHT
from app.shell.composing_options import TypedTerms
from app.shell.search_options import SearchOptions
from app.shell.terminal import print_note
from app.shell.word_notes import word_notes

if TYPE_CHECKING:
    from db.library import Library
    from encoder import Encoder
    from search.query import Query, Term


def further_terms(library: Library, encoder: Encoder, typed: TypedTerms) -> tuple[tuple[Term, ...], frozenset[int]]:
    """Return the terms of a question besides its words, and the examples' own segments, to leave out.

    Raises:
        CommandError, click.UsageError, UnreadableVideo: An example cannot be used; see `video_example`.
    """
    from search.query import TextTerm

    terms: list[Term] = []
    own: set[int] = set()
    for text, weight in typed.like:
        example = file_example(library, encoder, text)
        terms += [replace(term, weight=term.weight * weight) for term in example.terms]
        own |= example.own_ids
    for text in typed.excluded_examples:  # each part of a video counts whole, because what resembles any is not wanted
        example = file_example(library, encoder, text)
        terms += [replace(term, weight=EXCLUDED_WEIGHT) for term in example.terms]
        own |= example.own_ids
    return (*terms, *(TextTerm(each, weight=EXCLUDED_WEIGHT) for each in typed.excluded)), frozenset(own)


def words_query(library: Library, encoder: Encoder, text: str, typed: TypedTerms, options: SearchOptions) -> Query:
    """Return the query for words and the other terms typed. Notes say what is not read of them, or hardly heeded.

    Raises:
        CommandError, click.UsageError, UnreadableVideo: Nothing of a text can be read, or an example cannot be used.
    """
    from search.query import TextTerm

    print_word_notes(encoder, [text, *typed.excluded])
    note_negation(text)
    further, own_ids = further_terms(library, encoder, typed)
    return options.query((TextTerm(text), *further), leave_out=own_ids)


def print_word_notes(encoder: Encoder, texts: Sequence[str]) -> None:
    """Say what the encoder does not read of words. Raise click.UsageError if it can read nothing of a text."""
    try:
        notes = word_notes(encoder, texts)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    for note in notes:
        print_note(note)


def note_negation(words: str) -> None:
    """Say how to exclude what a sentence negates, because an encoder takes "without" for a word like any other."""
    from search.negation import find_negation

    found = find_negation(words)
    if found is not None:
        again = shlex.join([found.kept, *(word for each in found.excluded for word in ("--not", each))])
        print_note(f'"no", "not" and "without" have little effect within a sentence; to exclude something: {again}')
