"""Results of a search with words in quotes: shots found by words, by the picture, or by both."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING

import streamlit as st

from app.link_parameters import MAX_HITS
from app.search_link import SearchLink
from app.shell.no_words import INCOMPLETE, no_lines
from app.shell.terminal import count_text
from app.shell.text_options import KINDS
from app.web.http.errors import as_sentence
from app.web.pages import session
from app.web.pages.empty_states import page_link
from app.web.pages.escape import escape_markdown
from app.web.pages.filter_widgets import OF_PICTURES
from app.web.pages.hit_grid import draw_grid
from app.web.pages.result_line import (
    Note,
    Offer,
    ResultLine,
    draw_line,
    good_matches,
    match_count,
    no_match_text,
    notes_on,
    offers_for,
    together,
    wider_searches,
)
from app.web.services.shot_cards import fused_card

if TYPE_CHECKING:
    from search.engines import Engine
    from search.fused import FusedAnswer

NO_WORDS = (
    "This library has no words of videos yet. Subtitles come with indexing; speech and text on screen are recognised "
    "by jobs of their own."
)


def draw_fused(link: SearchLink, engine: Engine) -> None:
    """Draw the hits below one line about them, or advice if there are none."""
    from search.fusion import find_fused

    try:
        notes = notes_on(link, engine)
        query = session.fused_query_of(link, engine)
        started = perf_counter()
        found = find_fused(engine.library, query, engine)
    except ValueError as error:  # a TextQueryError or QueryError, or nothing of the words can be read
        st.warning(escape_markdown(as_sentence(str(error))))
        return
    milliseconds = 1000 * (perf_counter() - started)
    shots = engine.library.shot_count(query.filters, *(space.id for space in engine.spaces))
    line = line_of_fused(found, link, milliseconds, shots)
    wider = wider_texts(link) if line.empty else []
    draw_line(line, [*word_notes(found, link, shots), *notes], [*wider, *offers_for(link)])
    best = max((each.hit.score for each in found.hits if "picture" in each.channels), default=0.0)
    parts = engine.library.shot_parts(each.hit.segment.id for each in found.hits if each.hit.segment.id is not None)
    draw_grid(
        [fused_card(each, best, parts, stacks_takes=link.takes == "stack") for each in found.hits],
        more=len(found.hits) >= link.limit and link.limit < MAX_HITS,
        folded=line.folded,
        milliseconds=milliseconds,
    )


def line_of_fused(found: FusedAnswer, link: SearchLink, milliseconds: float, shots: int) -> ResultLine:
    """Return the line about an answer.

    Args:
        found: The answer.
        link: The search.
        milliseconds: Time that it took.
        shots: Number of shots that pass the filters.
    """
    if not found.hits:
        text = "No shot has these words." if shots else "No shots match these filters."
        return ResultLine(text=text, empty=True)
    among = count_text(shots, "shot")
    details = [f"Searched {among} and their words in {milliseconds:.0f} ms."]
    with_words = sum(bool(each.lines) for each in found.hits)
    if link.is_text_alone:
        if any(name in OF_PICTURES for name in link.active_filters):
            details.append("Minimum strength or score, near-duplicates and takes compare pictures, and are not used.")
    elif with_words:
        details.append("Minimum strength and minimum score are for shots that only the picture finds.")
    if found.matched > with_words:
        details.append("A line over several shots is shown once, where its words are said.")
    good = good_matches(each.strength for each in found.hits)
    if not with_words and good == 0:
        return ResultLine(text=no_match_text(link, among), details=tuple(details), folded=True)
    parts = [words_count(with_words)] if with_words else []
    if good:
        parts.append(f"{match_count(good)} of the picture alone" if with_words else match_count(good))
    parts.append(f"{len(found.hits):,} of {among}" if not link.is_text_alone else f"among {among}")
    return ResultLine(text=" · ".join(parts) + together(link), details=tuple(details))


def words_count(shots: int) -> str:
    """Return `1 shot with these words`, `12 shots with these words`."""
    return f"{count_text(shots, 'shot')} with these words"


def word_notes(found: FusedAnswer, link: SearchLink, shots: int) -> list[Note]:
    """Return what limits the words that were found."""
    notes = []
    if not session.has_words():
        notes.append(Note(NO_WORDS, partial(page_link, "indexing", "Open Indexing")))
    elif not found.matched and shots:
        library = session.open_library()
        why = no_lines(library, KINDS[link.text_in], filtered=bool(link.filters()))
        notes.append(Note(as_sentence(f"by the picture alone: {why}" if found.hits else why)))
    if not found.complete:
        notes.append(Note(as_sentence(INCOMPLETE)))
    return notes


def wider_texts(link: SearchLink) -> list[Offer]:
    """Return changes of a search that finds nothing, each of which lets more shots through."""
    offers = []
    if link.text_in != "text":
        offers.append(
            Offer("Search in any words", "Also in what is not said or written", partial(replace, text_in="text"))
        )
    if link.is_text_alone:  # strength and score, which are of pictures, hold nothing back
        without = link.without("least_level", "threshold")
        return [*offers, *wider_searches(without)]
    return [*offers, *wider_searches(link)]
