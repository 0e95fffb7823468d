"""The page of searches: reads widgets, builds a Query, draws Hits. What is asked stands in the address, as a link."""

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
from app.web.pages import asked_link, components, session
from app.web.pages import query_widgets as widgets
from app.web.pages.components import component
from app.web.pages.empty_states import ready_to_ask
from app.web.pages.escape import plain

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
    library = session.open_library()
    component("shell")(key="shell", data={"dock": True, "search": True})
    engine = ready_to_ask(library)
    if engine is None:
        return
    link = widgets.ask(library, on_dropped=dropped)
    asked_link.put_link_in_address(link)
    if said := session.notice(engine):
        st.caption(plain(f"Note: {said}"))
    if link.has_query:
        answer(link, engine)
    else:
        ideas(engine)
        newest(library)


def answer(link: SearchLink, engine: SearchEngine) -> None:
    """The hits, how many there are, and what can be done when there are none."""
    from search.query import QueryError

    started = perf_counter()
    try:
        found = engine.answer(session.query_of(link, engine))
    except QueryError as error:
        st.warning(plain(f"{str(error)[:1].upper()}{str(error)[1:]}."))
        return
    milliseconds = 1000 * (perf_counter() - started)
    if not found.hits:
        st.info(plain(nothing(link, found.allowed)))
    else:
        st.caption(summary(len(found.hits), found.allowed, found.matching, found.hidden, milliseconds))
    best = max((hit.score for hit in found.hits), default=0.0)
    cards = [card(hit, best) for hit in found.hits]
    grid(cards, more=len(cards) >= link.limit and link.limit < MAX_HITS, milliseconds=milliseconds)


def summary(shown: int, allowed: int, matching: int, hidden: int, milliseconds: float) -> str:
    """What remains after the filters and the least score, and what is left out of the grid."""
    parts = [f"{shown:,} of {matching:,} shots"]
    if matching != allowed:
        parts.append(f"{allowed:,} pass the filters")
    if hidden:
        parts.append(f"{hidden:,} left out as duplicates or further hits of a video")
    parts.append(f"{milliseconds:.0f} ms")
    return plain(" · ".join(parts))


def nothing(link: SearchLink, allowed: int) -> str:
    """Why there may be no hits, and what to change."""
    if not allowed:
        return "No shot passes these filters. Widen them, or clear them in Filters."
    if link.threshold is not None:
        return f"No shot scores {link.threshold:g} or more. Lower the least score in Filters to see the nearest ones."
    return "Nothing was found."


def card(hit: Hit, best: float) -> dict[str, Any]:
    """A hit as the grid draws it. The bar is the share of the best score, so it compares hits of one search."""
    return {
        **shot(hit.segment, hit.video),
        "score": round(float(hit.score), 4),
        "share": round(max(0.0, float(hit.score)) / max(best, 1e-6), 3),
    }


def shot(segment: Segment, video: Video) -> dict[str, Any]:
    """What the grid needs to know of a segment. Names are cut to what JSON can carry; the server goes by ids alone."""
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


def grid(cards: Sequence[dict[str, Any]], *, more: bool, milliseconds: float = 0.0) -> None:
    token = hashlib.blake2b(repr(cards).encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
    component("search/grid")(
        key="grid",
        data={"token": token, "hits": list(cards), "more": more, "milliseconds": round(milliseconds, 2)},
        on_like_change=liked,
        on_exclude_change=excluded,
        on_range_change=ranged,
        on_more_change=widgets.ask_for_more,
    )


def ideas(engine: SearchEngine) -> None:
    """A few sentences to begin with, for who has never searched here."""
    known = IDEAS["demo" if engine.encoder.notice else "any"]
    st.pills("Try", known, key="idea", on_change=widgets.take_idea, label_visibility="collapsed")


def newest(library: Library) -> None:
    """The first shot of each of the newest videos, so that the page shows what there is to be found."""
    videos = sorted(library.videos(), key=lambda video: video.modified_ns, reverse=True)[:NEWEST]
    st.caption("The newest videos of this library")
    cards = []
    for video in videos:
        assert video.id is not None, "what comes from the library has an id"
        cards += [shot(segment, video) for segment in library.segments_of(video.id)[:1]]
    grid(cards, more=False)


# What the views tell: each changes the search, and Streamlit runs the script again with it.


def liked() -> None:
    """More like this: the example alone; it can be combined with words again in Combine."""
    payload = components.event_payload("grid", "like")
    if payload:
        link = replace(asked_link.current_link(), words="", words_weight=1.0, terms=())
        asked_link.set_link(link.with_term(LinkTerm("segment", str(int(payload["segment"])))))


def excluded() -> None:
    """Less like this: the search stays, and is pushed away from the shot."""
    payload = components.event_payload("grid", "exclude")
    if payload:
        asked_link.set_link(
            asked_link.current_link().with_term(LinkTerm("segment", str(int(payload["segment"])), -0.5))
        )


def ranged() -> None:
    payload = components.event_payload("grid", "range")
    if payload:
        term = LinkTerm.of_range(int(payload["segment"]), int(payload["start_pts"]), int(payload["end_pts"]))
        link = replace(asked_link.current_link(), words="", words_weight=1.0, terms=())
        asked_link.set_link(link.with_term(term))


def dropped() -> None:
    payload = components.event_payload("drop", "dropped")
    if payload:
        asked_link.set_link(asked_link.current_link().with_term(LinkTerm("file", str(payload["token"]))))
