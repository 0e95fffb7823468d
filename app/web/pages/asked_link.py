"""The search that a tab is at: one SearchLink in its session, shown by the widgets and kept in the address."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import streamlit as st

from app.search_link import LinkTerm, SearchLink, parse_link

ANY_FOLDER = "All folders"
RESOLUTIONS = {0: "Any", 480: "480p or more", 720: "720p or more", 1080: "1080p or more", 2160: "4K"}
LINK, WRITTEN, ARRIVED = "link", "address_written", "arrived"  # in the session's state


def current_link() -> SearchLink:
    """What is asked now."""
    link = st.session_state.get(LINK)
    return link if isinstance(link, SearchLink) else SearchLink()


def set_link(link: SearchLink) -> None:
    """Ask this instead: the widgets show it in the next run. To be called in callbacks, before widgets are drawn."""
    st.session_state[LINK] = link
    state = st.session_state
    state["words"] = link.words
    state["in_folder"] = link.folder or ANY_FOLDER
    state["in_name"] = link.name or ""
    state["since"] = None if link.since is None else date.fromisoformat(link.since)
    state["until"] = None if link.until is None else date.fromisoformat(link.until)
    state["least_seconds"], state["most_seconds"] = link.min_seconds, link.max_seconds
    state["resolution"] = link.min_short_side if link.min_short_side in RESOLUTIONS else 0
    state["orientation"] = link.orientation
    state["least_score"] = link.threshold
    state["one_per_video"], state["hide_duplicates"] = link.one_per_video, link.hide_duplicates
    state[weight_key(None)] = link.words_weight
    for term in link.terms:
        state[weight_key(term)] = term.weight


def take_link_from_address() -> list[str]:
    """Read the address where a person has changed it (a link, or Back); says what was not understood.

    Coming back from another page without a search in the address, the last one is taken up again.
    """
    params = {name: st.query_params.get_all(name) for name in st.query_params}
    arrived = st.session_state.pop(ARRIVED, False)
    if st.session_state.get(WRITTEN) == params and not arrived:
        return []
    if arrived and not params and LINK in st.session_state:
        set_link(current_link())
        return []
    link, problems = parse_link(params)
    set_link(link)
    st.session_state[WRITTEN] = params
    return problems


def put_link_in_address(link: SearchLink) -> None:
    """So that the search can be kept and sent as it is."""
    st.session_state[LINK] = link
    params = link.params()
    if st.session_state.get(WRITTEN) != params:
        st.query_params.from_dict(params)
        st.session_state[WRITTEN] = params


def typed_link(link: SearchLink) -> SearchLink:
    """With the words as they stand in the box, which a callback may be asked for before the script has read them."""
    return replace(link, words=str(st.session_state.get("words", link.words)))


def weight_key(term: LinkTerm | None) -> str:
    return "weight_words" if term is None else f"weight_{term.kind}_{term.value}"
