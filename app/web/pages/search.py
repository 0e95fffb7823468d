"""Search page: reads widgets, builds a Query and draws the hits. The URL holds the search."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import streamlit as st

from app.link_parameters import MAX_HITS, encode_path
from app.search_link import LinkTerm, SearchLink
from app.shell.coverage import coverage
from app.shell.word_notes import word_notes
from app.web.http.errors import as_sentence
from app.web.pages import components, search_state, session
from app.web.pages import query_widgets as widgets
from app.web.pages.components import component
from app.web.pages.empty_states import searchable_engine
from app.web.pages.escape import escape_markdown

if TYPE_CHECKING:
    from db.library import Library
    from db.records import Segment, Video
    from search.engine import SearchEngine
    from search.query import Hit

NEWEST = 48
IDEAS = {
    "demo": (
        "a penguin grows larger",
        "something spins around",
        "a taxi moves to the left",
        "an animal on ocean waves",
    ),
    "any": ("a person walking", "a close-up of hands", "a car at night", "waves on a beach", "people laughing"),
}


def show() -> None:
    """Draw the page."""
    library = session.open_library()
    component("shell")(key="shell")
    engine = searchable_engine(library)
    if engine is None:
        return
    link = widgets.draw_query(library, on_dropped=on_drop)
    search_state.write_address(link)
    if notice := session.notice(engine):
        st.caption(escape_markdown(f"Note: {notice}"))
    if link.has_query:
        if not draw_word_notes(link, engine):
            return
        draw_hits(link, engine)
    else:
        draw_ideas(engine)
        draw_newest(library)


def draw_word_notes(link: SearchLink, engine: SearchEngine) -> bool:
    """Draw what the encoder does not read of the words. Return False if it can read nothing of a text."""
    try:
        notes = word_notes(engine.encoder, link.texts)
    except ValueError as error:
        st.warning(escape_markdown(as_sentence(str(error))))
        return False
    for note in notes:
        st.caption(escape_markdown(as_sentence(note)))
    return True


def draw_hits(link: SearchLink, engine: SearchEngine) -> None:
    """Draw the hits and their count, or advice if there are none."""
    from search.query import QueryError

    started = perf_counter()
    try:
        found = engine.answer(session.query_of(link, engine))
    except QueryError as error:
        st.warning(escape_markdown(as_sentence(str(error))))
        return
    milliseconds = 1000 * (perf_counter() - started)
    if not found.hits:
        st.info(escape_markdown(no_hits_text(link, found.allowed)))
    else:
        st.caption(summary(len(found.hits), found.allowed, found.matching, found.hidden, milliseconds))
    if text := coverage(engine.library, engine.encoder.id).text():
        st.caption(escape_markdown(as_sentence(text)))
    best = max((hit.score for hit in found.hits), default=0.0)
    cards = [hit_card(hit, best) for hit in found.hits]
    draw_grid(cards, more=len(cards) >= link.limit and link.limit < MAX_HITS, milliseconds=milliseconds)


def summary(shown: int, allowed: int, matching: int, hidden: int, milliseconds: float) -> str:
    """Return the line above the hits: how many shots pass the filters and the least score, how many are hidden."""
    parts = [f"{shown:,} of {matching:,} shots"]
    if matching != allowed:
        parts.append(f"{allowed:,} pass the filters")
    if hidden:
        parts.append(f"{hidden:,} left out as duplicates or further hits of a video")
    parts.append(f"{milliseconds:.0f} ms")
    return escape_markdown(" · ".join(parts))


def no_hits_text(link: SearchLink, allowed: int) -> str:
    """Return a likely reason for the lack of hits, and advice."""
    if not allowed:
        return "No shot passes these filters. Widen them, or clear them in Filters."
    if link.threshold is not None:
        return f"No shot scores {link.threshold:g} or more. Lower the least score in Filters to see the nearest ones."
    return "Nothing was found."


def hit_card(hit: Hit, best: float) -> dict[str, Any]:
    """Return a hit as the grid draws it. Its bar is the share of the best score, to compare hits of one search."""
    return {
        **shot_card(hit.segment, hit.video),
        "score": round(float(hit.score), 4),
        "share": round(max(0.0, float(hit.score)) / max(best, 1e-6), 3),
    }


def shot_card(segment: Segment, video: Video) -> dict[str, Any]:
    """Return a segment as the grid draws it. Names are made valid Unicode; requests go by ids alone."""
    start, end = video.seconds(segment.start_pts), video.seconds(segment.end_pts)
    path = Path(video.path)
    return {
        "id": segment.id,
        "name": encode_path(path.name),
        "folder": encode_path(str(path.parent)),
        "start": start,
        "end": end,
        "missing": not os.path.exists(video.path),
        "score": None,
        "share": None,
    }


def draw_grid(cards: Sequence[dict[str, Any]], *, more: bool, milliseconds: float = 0.0) -> None:
    """Draw cards in the grid.

    Args:
        cards: What to draw, in order.
        more: Whether there may be more hits, for the last button.
        milliseconds: Time that the search took.
    """
    token = hashlib.blake2b(repr(cards).encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
    component("search/grid")(
        key="grid",
        data={"token": token, "hits": list(cards), "more": more, "milliseconds": round(milliseconds, 2)},
        on_like_change=on_like,
        on_exclude_change=on_exclude,
        on_range_change=on_range,
        on_more_change=widgets.on_more,
    )


def draw_ideas(engine: SearchEngine) -> None:
    """Draw a few sentences to begin with."""
    known = IDEAS["demo" if engine.encoder.notice else "any"]
    st.pills("Try", known, key="idea", on_change=widgets.on_idea, label_visibility="collapsed")


def draw_newest(library: Library) -> None:
    """Draw the first shot of each of the newest videos, to show what there is to find."""
    videos = sorted(library.videos(), key=lambda video: video.modified_ns, reverse=True)[:NEWEST]
    st.caption("The newest videos of this library")
    cards = []
    for video in videos:
        assert video.id is not None, "what comes from the library has an id"
        cards += [shot_card(segment, video) for segment in library.segments_of(video.id)[:1]]
    draw_grid(cards, more=False)


# Events of the components: each changes the search, and Streamlit reruns the script.


def on_like() -> None:
    """More like this: search with the shot alone. Words can be added again under Combine."""
    payload = components.event_payload("grid", "like")
    if payload:
        link = replace(search_state.current_search(), words="", words_weight=1.0, terms=())
        search_state.set_search(link.with_term(LinkTerm("segment", str(int(payload["segment"])))))


def on_exclude() -> None:
    """Handle "less like this": add the shot to the search with a negative weight."""
    payload = components.event_payload("grid", "exclude")
    if payload:
        search_state.set_search(
            search_state.current_search().with_term(LinkTerm("segment", str(int(payload["segment"])), -0.5))
        )


def on_range() -> None:
    """Search with a range of a shot."""
    payload = components.event_payload("grid", "range")
    if payload:
        term = LinkTerm.of_range(int(payload["segment"]), int(payload["start_pts"]), int(payload["end_pts"]))
        link = replace(search_state.current_search(), words="", words_weight=1.0, terms=())
        search_state.set_search(link.with_term(term))


def on_drop() -> None:
    """Add a file that was dropped into the page to the search."""
    payload = components.event_payload("drop", "dropped")
    if payload:
        search_state.set_search(search_state.current_search().with_term(LinkTerm("file", str(payload["token"]))))
