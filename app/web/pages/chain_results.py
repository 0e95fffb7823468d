"""Results of a search for chains ("A, then B"): the line above them, and their cards."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING

import streamlit as st

from app.link_parameters import MAX_HITS
from app.search_link import SearchLink
from app.web.http.errors import as_sentence
from app.web.pages import query_widgets as widgets
from app.web.pages import session
from app.web.pages.components import component
from app.web.pages.escape import escape_markdown
from app.web.pages.result_line import (
    Offer,
    ResultLine,
    draw_line,
    good_matches,
    match_count,
    no_match_text,
    notes_on,
    wider_searches,
)
from app.web.services.shot_cards import chain_card

if TYPE_CHECKING:
    from search.chain_query import Chain
    from search.engines import Engine

WIDER_SECONDS = 60.0


def draw_chains(link: SearchLink, engine: Engine) -> None:
    """Draw the chains below one line about them, or advice if there are none."""
    try:
        notes = notes_on(link, engine)
        query = session.chain_query_of(link, engine)
        started = perf_counter()
        chains = engine.chains(query)
    except ValueError as error:  # a QueryError, or nothing of the words can be read
        st.warning(escape_markdown(as_sentence(str(error))))
        return
    milliseconds = 1000 * (perf_counter() - started)
    line = line_of_chains(chains, link, milliseconds)
    draw_line(line, notes, wider_chains(link) if line.empty else ())
    ids = (part.segment.id for chain in chains for part in chain.parts)
    parts = engine.library.shot_parts(each for each in ids if each is not None)
    cards = [chain_card(chain, parts) for chain in chains]
    token = hashlib.blake2b(repr(cards).encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
    component("search/chains")(
        key="chains",
        data={
            "token": token,
            "chains": cards,
            "more": len(chains) >= link.limit and link.limit < MAX_HITS,
            "folded": line.folded,
            "milliseconds": round(milliseconds, 2),
        },
        on_more_change=widgets.on_more,
    )


def line_of_chains(chains: Sequence[Chain], link: SearchLink, milliseconds: float) -> ResultLine:
    """Return the line about the chains that were found."""
    steps = len(link.then) + 1
    if not chains:
        return ResultLine(text=no_chains_text(link), empty=True)
    details = (f"Searched in {milliseconds:.0f} ms.",)
    parts = "both shots" if steps == 2 else f"all {steps} shots"
    places = f"{len(chains):,} place{'' if len(chains) == 1 else 's'} with {parts}"
    order = "in any order" if link.any_order else "in this order"
    shown = f"{places} {order}, at most {link.within_seconds:g} s apart"
    good = good_matches(chain.strength for chain in chains)
    if good == 0:
        return ResultLine(text=no_match_text(link, places), details=details, folded=True)
    return ResultLine(text=shown if good is None else f"{match_count(good)} · {shown}", details=details)


def no_chains_text(link: SearchLink) -> str:
    """Return a likely reason for the lack of chains; `wider_chains` has the remedies."""
    if link.least_level is not None:
        return f"No match is {'strong' if link.least_level == 'strong' else 'strong or likely'}."
    order = "" if link.any_order else " in this order"
    return f"No video has these shots{order} within {link.within_seconds:g} s of each other."


def wider_chains(link: SearchLink) -> list[Offer]:
    """Return changes of a search that finds no chains, each of which lets more through."""
    longer = max(WIDER_SECONDS, 3 * link.within_seconds)
    offers = [
        Offer(f"Within {longer:g} s", "Allow more time between the shots", partial(replace, within_seconds=longer))
    ]
    if not link.any_order:
        offers.append(Offer("Any order", "Allow the shots in any order", partial(replace, any_order=True)))
    return [*wider_searches(link), *offers]
