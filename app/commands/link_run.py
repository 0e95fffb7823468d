"""Searches by a link that was copied from the page, for `search --link` and `export --link`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from app.asked_encoders import AskedEncoders
from app.commands.chain_run import clips_of, no_chain
from app.commands.composing import print_word_notes
from app.commands.export_selection import from_hits
from app.commands.moment_run import NO_MOMENTS, find_moments
from app.commands.text_run import FoundText, found_text, open_texts
from app.compose import Settings
from app.encoder_choice import saved_note
from app.exporting.request import ClipRequest
from app.search_link import LinkTerm, SearchLink, parse_address
from app.shell import link_query
from app.shell.chain_hits import show_chains
from app.shell.completion_values import complete_link
from app.shell.coverage import note_coverage
from app.shell.engine import open_engine
from app.shell.errors import NothingDone
from app.shell.hits import Output, is_weak, show_hits
from app.shell.moment_options import Moments, cut_to_moment
from app.shell.result_record import encoder_fields
from app.shell.search_options import nothing_found, open_search
from app.shell.terminal import print_note, printable
from app.shell.text_hits import show_fused

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from db.library import Library
    from encoder import ClipSpec, Encoder
    from search.chain_query import Chain
    from search.fused import FusedHit
    from search.query import Hit
    from search.strength import Level

_ANSWER = frozenset({
    "link", "library", "encoder", "device", "precision", "progress", "as_json", "paths", "print0", "open_rank",
    "directory", "archive", "mode", "pad", "audio", "pattern", "lists", "lists_only", "subtitles", "language",
    "words_from", "markers", "span", "merge", "min_strength", "moments",
})  # fmt: skip
"""Options that say nothing about what to search for, so that they go with a link; and how strong a match has to be."""


def link_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --link to a command, which receives it as `link`."""
    return click.option(
        "--link",
        metavar="LINK",
        shell_complete=complete_link,
        help="Use the search in a link copied from the page: its address, or the part after the ?.",
    )(command)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a link's search found: hits, or chains, or hits of words, as it asks for.

    Without encoders, it was a search in text alone. `details` are facts of a search in text, for JSON.
    """

    library: Library
    encoders: AskedEncoders | None
    link: SearchLink
    details: Mapping[str, Any] = field(default_factory=dict)
    hits: Sequence[Hit] = ()
    chains: Sequence[Chain] = ()
    fused: Sequence[FusedHit] = ()
    nothing: str  # the line to print if there is nothing
    moments: Callable[[], tuple[Sequence[Hit], Moments]] = lambda: ((), {})  # the hits by their moments, and these

    @property
    def are_weak(self) -> bool:
        """Return whether there is no good match among what was found."""
        found: list[Hit | Chain | FusedHit] = [*self.hits, *self.chains, *self.fused]
        return bool(found) and all(is_weak(each) for each in found)


def show_link(
    settings: Settings,
    text: str,
    words: Sequence[str],
    output: Output,
    least_level: Level | None = None,
    *,
    moments: bool = False,
) -> None:
    """Run the search of a link and print what it finds, as the page lists it.

    Args:
        settings: For the library and its encoder.
        text: The link.
        words: Words to search for, which do not go with a link.
        output: The chosen form.
        least_level: Replaces the least strength of the link.
        moments: Find the moment of each hit.

    Raises:
        click.UsageError: There is no search in it, or other options say what to search for, too.
        click.exceptions.Exit: Code 1 if there are no hits.
    """
    if words:
        raise click.UsageError("give WORDS or --link LINK, not both")
    with _found(settings, text, _typed(least_level)) as found:
        link = found.link
        question: dict[str, Any] = {"link": link.query_string(), "query": link.words}
        if found.encoders is not None:
            question |= encoder_fields(found.encoders)
            question["looked_at"] = note_coverage(found.library, found.encoders)
        question |= found.details
        if moments and not link.has_moments:
            raise click.UsageError(NO_MOMENTS)
        if link.is_chain:
            show_chains(found.library, found.chains, output, question, nothing=found.nothing)
        elif link.has_text:
            show_fused(found.library, found.fused, output, question, nothing=found.nothing)
        else:
            hits, each = found.moments() if moments else (found.hits, None)
            show_hits(found.library, hits, output, question, nothing=found.nothing, moments=each)


def link_clips(
    settings: Settings, text: str, *, span: bool, least_level: Level | None = None, moments: bool = False
) -> list[ClipRequest]:
    """Return the hits of a link's search to cut; none where no match is good.

    Args:
        settings: For the library and its encoder.
        text: The link.
        span: Cut each chain as a whole.
        least_level: Replaces the least strength of the link; weak also cuts hits that are no good match.
        moments: Cut hits to their moments.

    Raises:
        click.exceptions.Exit: Code 1 if there are no hits, or no good match.
    """
    least_level = _typed(least_level)
    with _found(settings, text, least_level) as found:
        if span and not found.link.is_chain:
            raise click.UsageError("--span needs a search with several steps, and this link has only one")
        if found.are_weak and least_level != "weak":
            raise NothingDone("no good match; --min-strength weak exports the best available")
        if moments and not found.link.has_moments:
            raise click.UsageError(NO_MOMENTS)
        if found.link.is_chain and found.chains:
            return clips_of(found.library, found.chains, span=span)
        if found.fused:
            return from_hits([hit.played for hit in found.fused], found.library)
        if found.hits:
            hits, each = found.moments() if moments else (found.hits, {})
            return from_hits([cut_to_moment(hit, each) for hit in hits], found.library)
        raise NothingDone(found.nothing)


@contextmanager
def _found(settings: Settings, text: str, least_level: Level | None) -> Iterator[Found]:
    _refuse_others()
    link, problems = parse_address(text)
    asked, link = link, replace(link, least_level=least_level or link.least_level)
    for problem in problems:
        print_note(problem)
    if not link.has_query:
        raise click.UsageError("--link contains no search; copy the address of the page while it shows hits")
    if link.has_text:
        link.box.part().check()  # whether it can be searched for, before an encoder is loaded
    options = link_query.options_of(link)
    if link.is_text_alone:
        with open_texts(settings, options) as (library, options):
            texts = link_query.fused_query_of(link, {})
            yield _in_text(library, link, found_text(library, texts, None, options, {}))
        return
    with open_search(settings, options) as (library, encoders, options):
        print_word_notes(encoders, link.texts)
        _note_saved(library, encoders.first, asked)
        engine = open_engine(library, encoders)
        clips = {each.id: partial(_clip, library, each.clip_spec) for each in encoders.every}
        if link.is_chain:
            chain = link_query.chain_query_of(link, clips)
            chains = engine.chains(chain)
            nothing = no_chain(library, encoders, chain, options)
            yield Found(library=library, encoders=encoders, link=link, chains=chains, nothing=nothing)
        elif link.has_text:
            fused = link_query.fused_query_of(link, clips)
            found = found_text(library, fused, engine, options, {"text_weight": fused.text_weight})
            yield replace(_in_text(library, link, found), encoders=encoders)
        else:
            query = link_query.query_of(link, clips)
            hits = engine.search(query)
            nothing = nothing_found(library, options)
            moments = partial(find_moments, engine, query, hits)
            yield Found(library=library, encoders=encoders, link=link, hits=hits, nothing=nothing, moments=moments)


def _clip(library: Library, spec: ClipSpec, term: LinkTerm) -> NDArray[np.uint8]:
    from app.web.services.link_examples import clip_of

    return clip_of(library, term, spec)


def _in_text(library: Library, link: SearchLink, found: FoundText) -> Found:
    return Found(
        library=library, encoders=None, link=link, details=found.question, fused=found.hits, nothing=found.nothing
    )


def _note_saved(library: Library, encoder: Encoder, link: SearchLink) -> None:
    """Print that the search is saved in the library and was made with another text encoder, if it was."""
    for search in library.searches.all():
        note = saved_note(search, encoder.text_id)
        if note and parse_address(search.link)[0] == link:
            print_note(f"note: {printable(search.name)} was {note}")


def _typed(least_level: Level | None) -> Level | None:
    """Return the least strength if it was typed: a link says itself what to find, whatever the settings file says."""
    typed = click.get_current_context().get_parameter_source("min_strength") is ParameterSource.COMMANDLINE
    return least_level if typed else None


def _refuse_others() -> None:
    """Raise click.UsageError for an option that says what to search for, because the link says that."""
    context = click.get_current_context()
    for parameter in context.command.params:
        name = parameter.name or ""
        typed = context.get_parameter_source(name) is ParameterSource.COMMANDLINE
        if typed and isinstance(parameter, click.Option) and name not in _ANSWER:
            raise click.UsageError(f"{max(parameter.opts, key=len)} is set by the link: change it on the page")
