"""The conversion of a search link into what a search engine takes, for the page and the shell alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from app.search_link import LinkTerm, SearchLink
from app.shell.search_options import SearchOptions
from app.shell.text_options import KINDS
from search.text.box import split_box

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from search.chain_query import ChainQuery
    from search.fused import FusedQuery
    from search.query import Query, Term

    ClipOf = Callable[[LinkTerm], NDArray[np.uint8]]
    """Reads the example of a `range` or `file` term; see `app.web.services.link_examples.clip_of`."""
    ClipsOf = Mapping[str, ClipOf]
    """That of every encoder that is asked, by its id, the first one first."""


def options_of(link: SearchLink) -> SearchOptions:
    """Return the limits and filters of a link."""
    return SearchOptions(
        top_k=link.limit,
        threshold=link.threshold,
        least_level=link.least_level,
        filters=link.filters(),
        per_video=1 if link.one_per_video else None,
        duplicates=link.duplicates,
        takes=link.takes,
        plain_sum=link.plain_sum,
    )


def query_of(link: SearchLink, clips_of: ClipsOf) -> Query:
    """Return the query of a link for pictures; it must have one, and no later steps.

    Raises:
        QueryError: An example is missing or unreadable, or all weights are 0.
    """
    terms, own_terms = _terms_of_each(link.box.picture, link.words_weight, link.terms, clips_of)
    return options_of(link).query(terms, exclude_same_shot=True, own_terms=own_terms)


def fused_query_of(link: SearchLink, clips_of: ClipsOf) -> FusedQuery:
    """Return the query of a link with words in quotes, and no later steps.

    Raises:
        TextQueryError: The words in quotes cannot be searched for.
        QueryError: As for `query_of`.
    """
    part = link.box.part(KINDS[link.text_in])
    part.check()  # before an example is read
    picture = None if link.is_text_alone else query_of(link, clips_of)
    return options_of(link).fused_query([part], picture, text_weight=link.text_weight)


def chain_query_of(link: SearchLink, clips_of: ClipsOf) -> ChainQuery:
    """Return the chain query of a link with later steps.

    Raises:
        QueryError: An example is missing or unreadable, a step asks for nothing, or there are words in quotes.
    """
    from search.chain_query import Step
    from search.query import QueryError

    if any(split_box(words).words for words in (link.words, *(step.words for step in link.then))):
        raise QueryError(
            "words in quotes cannot be searched for in a sequence yet: leave out the quotes, or the later steps"
        )
    parts = [(link.words, link.words_weight, link.terms), *((step.words, 1.0, step.terms) for step in link.then)]
    steps = [_terms_of_each(words, weight, terms, clips_of) for words, weight, terms in parts]
    for number, (terms, _) in enumerate(steps, 1):
        if not terms:
            raise QueryError(f"step {number} is empty; give it words or an example")
    chain = [Step(terms, own_terms=own_terms) for terms, own_terms in steps]
    return options_of(link).chain_query(chain, within_seconds=link.within_seconds, any_order=link.any_order)


def _terms_of_each(
    words: str, weight: float, terms: Sequence[LinkTerm], clips_of: ClipsOf
) -> tuple[list[Term], dict[str, list[Term]]]:
    """Return the terms of the first encoder, and those of the others where examples have to be read for each."""
    first, *others = clips_of
    has_clips = any(term.kind not in ("text", "segment") for term in terms)
    own = {each: terms_of(words, weight, terms, clips_of[each]) for each in others} if has_clips else {}
    return terms_of(words, weight, terms, clips_of[first]), own


def terms_of(words: str, weight: float, terms: Sequence[LinkTerm], clip_of: ClipOf) -> list[Term]:
    """Return words and the terms of a link as terms of a query. Raise QueryError for an example that cannot be used."""
    from search.query import SegmentTerm, TextTerm

    # Words alone have no weight that could matter; the page, which shows no slider for them, drops it.
    found: list[Term] = [TextTerm(words, weight if terms else 1.0)] if words.strip() else []
    for term in terms:
        if term.kind == "text":
            found.append(TextTerm(term.value, term.weight))
        elif term.kind == "segment":
            found.append(SegmentTerm(int(term.value), term.weight))
        else:
            found.append(_clip_term(term, clip_of))
    return found


def _clip_term(term: LinkTerm, clip_of: ClipOf) -> Term:
    from indexer.media.errors import UnreadableVideo
    from search.query import ClipTerm, QueryError

    try:
        return ClipTerm(clip_of(term), term.weight)
    except UnreadableVideo as error:
        raise QueryError(f"an example cannot be read: {error.reason}") from error
    except (FileNotFoundError, KeyError) as error:
        raise QueryError("an example is no longer there; remove it, or add it again") from error
    except QueryError:
        raise
    except ValueError as error:
        raise QueryError(f"an example cannot be used: {error}") from error
