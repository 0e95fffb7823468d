"""Search page: reads widgets, builds a Query and draws the hits. The URL holds the search."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING

import streamlit as st

from app.link_parameters import MAX_HITS
from app.search_link import LinkTerm, SearchLink
from app.shell.notice import limits_hits
from app.web.http.errors import as_sentence
from app.web.pages import components, search_state, session
from app.web.pages import query_widgets as widgets
from app.web.pages.add_videos import FOCUS, arrived
from app.web.pages.chain_results import draw_chains
from app.web.pages.components import component
from app.web.pages.empty_states import page_link, searchable_engine
from app.web.pages.escape import escape_markdown
from app.web.pages.fused_results import draw_fused
from app.web.pages.hit_grid import draw_grid
from app.web.pages.result_line import draw_line, line_of, notes_on, offers_for, wider_searches
from app.web.services.shot_cards import hit_card, shot_card

if TYPE_CHECKING:
    from db.library import Library
    from search.engines import Engine

NEWEST = 48
IDEAS = {
    "demo": (
        "a penguin grows larger",
        "a cactus spins around",
        "a taxi moves to the left",
        "a rocket on ocean waves",
    ),
    "any": ("a person walking", "a close-up of hands", "a car at night", "waves on a beach", "people laughing"),
}

IN_QUOTES = (
    'Words in quotes are found in what is said and written: a red car "start the engine". Between and beside them work '
    'OR, -"not this", "engin"\\* and, for regular expressions, "/colou?r/".'
)


def show() -> None:
    """Draw the page."""
    library = session.open_library()
    component("shell")(key="shell")
    engine = searchable_engine(library)
    if engine is None:
        arrived()
        return
    link = widgets.draw_query(library, engine.encoder.text_id, on_dropped=on_drop)
    search_state.write_address(link)
    if st.session_state.get(FOCUS):
        component("search/focus_box")(key="focus_words", data={"box": "words"})
    if link.is_chain:
        draw_chains(link, engine)
    elif link.has_text:
        draw_fused(link, engine)
    elif link.has_query:
        draw_hits(link, engine)
    else:
        draw_ideas(engine)
        if session.has_words():
            st.caption(IN_QUOTES)
        draw_newest(library, link)
    arrived()
    st.session_state.pop(FOCUS, None)  # only now: a run that was broken off may not have given the focus


def draw_hits(link: SearchLink, engine: Engine) -> None:
    """Draw the hits below one line about them, or advice if there are none."""
    try:
        notes = notes_on(link, engine)
        query = session.query_of(link, engine)
        started = perf_counter()
        found = engine.answer(query)
    except ValueError as error:  # a QueryError, or nothing of the words can be read
        st.warning(escape_markdown(as_sentence(str(error))))
        return
    milliseconds = 1000 * (perf_counter() - started)
    shots = engine.library.shot_count(query.filters, *(space.id for space in engine.spaces))
    line = line_of(found, link, milliseconds, shots)
    wider = wider_searches(link) if line.empty else []
    draw_line(line, notes, [*wider, *offers_for(link)])
    best = max((hit.score for hit in found.hits), default=0.0)
    parts = engine.library.shot_parts(hit.segment.id for hit in found.hits if hit.segment.id is not None)
    draw_grid(
        [hit_card(hit, best, parts, stacks_takes=link.takes == "stack") for hit in found.hits],
        more=len(found.hits) >= link.limit and link.limit < MAX_HITS,
        folded=line.folded,
        milliseconds=milliseconds,
        search=search_state.moments_link(),
    )


def draw_ideas(engine: Engine) -> None:
    """Draw a few sentences to begin with. The demo encoder gets some only for videos that show such things."""
    if session.notice(engine):
        return
    known = IDEAS["demo" if limits_hits(engine.encoder) else "any"]
    st.pills("Try", known, key="idea", on_change=widgets.on_idea, label_visibility="collapsed")


def draw_newest(library: Library, link: SearchLink) -> None:
    """Draw the first shot of each of the newest videos that pass the filters, to show what there is to find."""
    filters = link.filters()
    newest = library.newest_shots(NEWEST, filters)
    running = any(state.running and state.kind == "index" for state in session.jobs().all())
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        more = ". Indexing continues; searches find new shots as they are added." if running else ""
        which = " that pass the filters" if filters and newest else ""
        text = "No video passes the filters" if filters and not newest else f"Newest videos{which}"
        st.caption(f"{text}{more}", width="content")
        if running:
            page_link("indexing", "Show progress")
    component("search/newest")(key="newest", data={"indexing": running}, on_changed_change=on_newest)
    parts = library.shot_parts(segment.id for segment, _ in newest if segment.id is not None)
    draw_grid([shot_card(segment, video, parts) for segment, video in newest], more=False)


# Events of the components: each changes the search, and Streamlit reruns the script.


def on_newest() -> None:
    """Do nothing: the run of the script is what is wanted, as there are new videos or indexing has ended."""


def on_drop() -> None:
    """Add a file that was dropped into the page to the search."""
    payload = components.event_payload("drop", "dropped")
    if payload:
        link = search_state.with_typed_words(search_state.current_search())
        search_state.set_search(link.with_term(LinkTerm("file", str(payload["token"]))))
