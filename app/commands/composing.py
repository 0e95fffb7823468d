"""Terms of a question of several parts: examples, and what is not wanted."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import click

from app.asked_encoders import AskedEncoders
from app.commands.examples import file_example
from app.search_link import EXCLUDED_WEIGHT
from app.shell.composing_options import TypedTerms
from app.shell.errors import CommandError
from app.shell.search_options import SearchOptions
from app.shell.terminal import print_note
from app.shell.word_notes import word_notes

if TYPE_CHECKING:
    from db.library import Library
    from encoder import Encoder
    from search.query import Query, Term


@dataclass(frozen=True, slots=True)
class EachTerms:
    """The terms of a question for each of several encoders.

    Attributes:
        terms: Those of the first one that can take it.
        own_terms: Those of others that take other ones; none where an example cannot be had for them.
        own_ids: The examples' own segments, to leave out.
    """

    terms: tuple[Term, ...]
    own_terms: Mapping[str, Sequence[Term]]
    own_ids: frozenset[int]


def terms_of_each(
    encoders: AskedEncoders, make: Callable[[Encoder], tuple[tuple[Term, ...], frozenset[int]]], *, same: bool = False
) -> EachTerms:
    """Return the terms of a question for every encoder of a search.

    Args:
        encoders: The encoders.
        make: Returns the terms for one, and segments to leave out.
        same: Whether all take the same: there is no example among them.

    Raises:
        CommandError, click.UsageError, UnreadableVideo: What `make` raises if it does so for every encoder.
    """
    from indexer.media.errors import UnreadableVideo

    if same or len(encoders.every) == 1:
        terms, own_ids = make(encoders.first)
        return EachTerms(terms, {}, own_ids)
    found: dict[str, tuple[Term, ...]] = {}
    own: set[int] = set()
    refused: list[CommandError | UnreadableVideo] = []
    for encoder in encoders.every:
        try:
            terms, own_ids = make(encoder)
        except (CommandError, UnreadableVideo) as error:  # such as a file that is offline, and stored rows of others
            refused.append(error)
            continue
        found[encoder.id] = terms
        own |= own_ids
    if not found:
        raise refused[0]
    first = next(iter(found))
    own_terms = {encoder.id: found.get(encoder.id, ()) for encoder in encoders.every if encoder.id != first}
    return EachTerms(found[first], own_terms, frozenset(own))


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


def words_query(
    library: Library, encoders: AskedEncoders, text: str, typed: TypedTerms, options: SearchOptions
) -> Query:
    """Return the query for words and the other terms typed. Notes say what is not read of them, or hardly heeded.

    Raises:
        CommandError, click.UsageError, UnreadableVideo: Nothing of a text can be read, or an example cannot be used.
    """
    from search.query import TextTerm

    def make(encoder: Encoder) -> tuple[tuple[Term, ...], frozenset[int]]:
        further, own_ids = further_terms(library, encoder, typed)
        return (TextTerm(text), *further), own_ids

    print_word_notes(encoders, [text, *typed.excluded])
    note_negation(text)
    each = terms_of_each(encoders, make, same=not typed.files)
    return options.query(each.terms, leave_out=each.own_ids, own_terms=each.own_terms)


def print_word_notes(encoders: AskedEncoders, texts: Sequence[str]) -> None:
    """Say what encoders do not read of words. Raise click.UsageError if one can read nothing of a text."""
    try:
        notes = dict.fromkeys(note for encoder in encoders.named for note in word_notes(encoder, texts))
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
