"""Searches for chains, for `search` and `export`: steps as typed, and the ranges to cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from app.asked_encoders import AskedEncoders
from app.commands.composing import further_terms, note_negation, print_word_notes, terms_of_each
from app.commands.examples import file_example
from app.commands.export_selection import from_hits
from app.exporting.request import ClipRequest
from app.shell.chain_hits import chain_span, in_time, show_chains
from app.shell.chain_options import ChainOptions
from app.shell.composing_options import TypedTerms
from app.shell.coverage import note_coverage
from app.shell.engine import open_engine
from app.shell.file_words import names_a_file
from app.shell.hits import Output
from app.shell.result_record import encoder_fields
from app.shell.search_options import SearchOptions, nothing_found

if TYPE_CHECKING:
    from db.library import Library
    from encoder import Encoder
    from search.chain_query import Chain, ChainQuery, Step
    from search.query import Term


def files_of(texts: Sequence[str], typed: Sequence[TypedTerms]) -> list[str]:
    """Return the files among the texts of a question's steps and their other terms, as typed."""
    return [*(text for text in texts if names_a_file(text)), *(file for step in typed for file in step.files)]


def typed_query(
    library: Library,
    encoders: AskedEncoders,
    first: str,
    chain: ChainOptions,
    options: SearchOptions,
    typed: Sequence[TypedTerms] = (),
) -> ChainQuery:
    """Return the chain query as typed. Notes say what the encoders do not read of the words.

    Args:
        library, encoders: To read examples with.
        first: Words, or FILE@START-END.
        chain: The later steps.
        options: Filters and numbers.
        typed: The other terms of each step; none for steps beyond.

    Raises:
        CommandError, click.UsageError, UnreadableVideo: A step cannot be used.
    """
    from search.chain_query import MAX_STEPS
    from search.query import TextTerm

    if len(chain.then) >= MAX_STEPS:
        raise click.UsageError(f"a chain has at most {MAX_STEPS} steps; use fewer --then")
    if options.threshold is not None:
        raise click.UsageError("--threshold applies to single shots; with --then, use --min-strength")
    texts = (first, *chain.then)
    for text in texts:
        note_negation(text)
    steps = [
        _step(library, encoders, text, typed[at] if at < len(typed) else TypedTerms()) for at, text in enumerate(texts)
    ]
    print_word_notes(encoders, [term.text for each in steps for term in each.terms if isinstance(term, TextTerm)])
    return options.chain_query(steps, within_seconds=chain.within_seconds, any_order=chain.any_order)


def _step(library: Library, encoders: AskedEncoders, text: str, typed: TypedTerms) -> Step:
    from search.chain_query import Step
    from search.query import TextTerm

    is_file = names_a_file(text, library)

    def make(encoder: Encoder) -> tuple[tuple[Term, ...], frozenset[int]]:
        further, own_ids = further_terms(library, encoder, typed)
        if is_file:
            example = file_example(library, encoder, text)
            return (*example.terms, *further), example.own_ids | own_ids
        return (TextTerm(text), *further), own_ids

    each = terms_of_each(encoders, make, same=not (is_file or typed.files))
    return Step(each.terms, each.own_ids, each.own_terms)


def print_chains(
    library: Library,
    encoders: AskedEncoders,
    query: ChainQuery,
    options: SearchOptions,
    output: Output,
    question: dict[str, Any],
) -> None:
    """Search for chains and print them with `show_chains`."""
    chains = open_engine(library, encoders).chains(query)
    question |= {"within_seconds": query.within_seconds, "any_order": query.any_order}
    question |= encoder_fields(encoders) | {"looked_at": note_coverage(library, encoders)}
    nothing = "" if chains else no_chain(library, encoders, query, options)
    show_chains(library, chains, output, question, nothing=nothing)


def no_chain(library: Library, encoders: AskedEncoders, query: ChainQuery, options: SearchOptions) -> str:
    """Explain in one sentence why there are no chains, and what to change."""
    if not any(library.segment_ids(query.filters, each).size for each in encoders.ids):
        return nothing_found(library, options)
    if query.least_level not in (None, "weak"):
        return f"no match is {query.least_level} in every step; --min-strength weak shows the best available"
    within = f"{query.within_seconds:g} s of each other"
    return f"no hits: no video shows all {len(query.steps)} steps within {within}; allow more time with --within"


def clips_of(library: Library, chains: Sequence[Chain], *, span: bool) -> list[ClipRequest]:
    """Return what to cut: the parts of each chain, as they follow in time, or each chain from its first to its last.

    The note of each says which chain it is of.
    """
    clips: list[ClipRequest] = []
    for chain in chains:
        parts = in_time(chain)
        cut = from_hits(parts, library)
        if span:
            start, end = chain_span(chain)
            whole = replace(cut[0], start_seconds=start, end_seconds=end, score=round(chain.score, 6))
            clips.append(replace(whole, note=f"hit {chain.rank}"))
        else:
            clips += [
                replace(clip, note=f"hit {chain.rank}, step {part.rank}") for clip, part in zip(cut, parts, strict=True)
            ]
    return [replace(clip, rank=rank) for rank, clip in enumerate(clips, 1)]
