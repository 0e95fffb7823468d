"""Terms of a question of several parts: examples, and what is not wanted."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from app.commands.examples import file_example
from app.search_link import EXCLUDED_WEIGHT
from app.shell.composing_options import Parts
from app.shell.terminal import print_note
from app.shell.word_notes import word_notes

if TYPE_CHECKING:
    from db.library import Library
    from encoder import Encoder
    from search.query import Term


def further_terms(library: Library, encoder: Encoder, parts: Parts) -> tuple[tuple[Term, ...], frozenset[int]]:
    """Return the terms of the parts of a question besides its words, and the examples' own segments, to leave out.

    Raises:
        CommandError, click.UsageError, UnreadableVideo: An example cannot be used; see `video_example`.
    """
    from search.query import TextTerm

    terms: list[Term] = []
    own: set[int] = set()
    for text, weight in parts.like:
        example = file_example(library, encoder, text)
        terms += [replace(term, weight=term.weight * weight) for term in example.terms]
        own |= example.own_ids
    for text in parts.unlike:  # each part of a video counts whole, because what resembles any is not wanted
        example = file_example(library, encoder, text)
        terms += [replace(term, weight=EXCLUDED_WEIGHT) for term in example.terms]
        own |= example.own_ids
    return (*terms, *(TextTerm(each, weight=EXCLUDED_WEIGHT) for each in parts.unwanted)), frozenset(own)


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
        print_note(f'"no", "not" and "without" are hardly heeded within a sentence; to exclude: {again}')
