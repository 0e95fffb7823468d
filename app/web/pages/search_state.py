"""State of the current search: one SearchLink in the tab's session, shown by the widgets and stored in the URL."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import streamlit as st

from app.search_link import MAX_STEPS, LinkTerm, SearchLink, parse_link
from app.shell.file_options import search_defaults

if TYPE_CHECKING:
    from search.query import Duplicates

ANY, ANY_FOLDER = "Any", "All folders"
RESOLUTIONS = {0: "Any", 480: "480p or more", 720: "720p or more", 1080: "1080p or more", 2160: "4K"}
SOUNDS = {True: "with", False: "without"}
DUPLICATES: dict[Duplicates, str] = {"stack": "Stacked", "hide": "Hidden", "show": "Shown"}
TEXT_IN, TEXT_WEIGHT = "text_in", "text_weight"  # keys of widgets
TEXT_ELSEWHERE = "Words in quotes are searched for on the Search page; here, only the picture counts."
LINK, WRITTEN, ARRIVED = "link", "address_written", "arrived"  # in the session's state


def current_search() -> SearchLink:
    """Return the current search of the tab."""
    link = st.session_state.get(LINK)
    return link if isinstance(link, SearchLink) else SearchLink()


def set_search(link: SearchLink) -> None:
    """Set the current search and the widgets. Call it before widgets are drawn, or in callbacks."""
    st.session_state[LINK] = link
    state = st.session_state
    state["words"] = link.words
    state[TEXT_IN], state[TEXT_WEIGHT] = link.text_in, link.text_weight
    state["in_folder"] = link.folder or ANY_FOLDER
    state["in_name"] = link.name or ""
    for name in ("since", "until", "recorded_since", "recorded_until"):
        day = getattr(link, name)
        state[name] = None if day is None else date.fromisoformat(day)
    state["least_seconds"], state["most_seconds"] = link.min_seconds, link.max_seconds
    state["resolution"] = link.min_short_side if link.min_short_side in RESOLUTIONS else 0
    state["orientation"] = link.orientation
    state["codec"], state["camera"] = link.codec or ANY, link.camera or ANY
    state["frame_rate"] = link.frame_rate or 0.0
    state["sound"] = None if link.has_sound is None else SOUNDS[link.has_sound]
    state["least_level"] = link.least_level or ANY
    state["least_score"] = link.threshold
    state["one_per_video"], state["duplicates"] = link.one_per_video, link.duplicates
    state["takes"], state["plain_sum"] = link.takes, link.plain_sum
    state["within_seconds"], state["any_order"] = link.within_seconds, link.any_order
    for at in range(MAX_STEPS - 1):
        state[step_key(at)] = link.then[at].words if at < len(link.then) else ""
    state[weight_key(None)] = link.words_weight
    for term in link.terms:
        state[weight_key(term)] = term.weight


def read_address() -> list[str]:
    """Take the search from the URL if the user changed it (by a link, or Back).

    After a visit to another page, a URL without a search continues the last one.

    Returns:
        Sentences about invalid parts of the URL.
    """
    params = {name: st.query_params.get_all(name) for name in st.query_params}
    arrived = st.session_state.pop(ARRIVED, False)
    if st.session_state.get(WRITTEN) == params and not arrived:
        return []
    if arrived and not params and LINK in st.session_state:
        set_search(current_search())
        return []
    link, problems = parse_link(params) if params else (first_search(), [])
    set_search(link)
    st.session_state[WRITTEN] = params
    return problems


def first_search() -> SearchLink:
    """Return the search of an address without one: what the settings file says of answers, and nothing to find.

    Raises:
        WrongSetting: The file has a wrong value.
    """
    options = search_defaults()
    return SearchLink(
        least_level=options.least_level,
        duplicates=options.duplicates,
        takes=options.takes,
        one_per_video=options.per_video == 1,
    )


def write_address(link: SearchLink) -> None:
    """Write the search to the URL, so that it can be bookmarked and shared."""
    st.session_state[LINK] = link
    params = link.params()
    if st.session_state.get(WRITTEN) != params:
        st.query_params.from_dict(params)
        st.session_state[WRITTEN] = params


def moments_link() -> str:
    """Return the query string of the tab's search if its hits have moments, or ''."""
    link = current_search()
    return link.query_string() if link.has_moments else ""


def with_typed_words(link: SearchLink) -> SearchLink:
    """Return `link` with the words now in the text box; a callback may run before the script has read them."""
    return replace(link, words=str(st.session_state.get("words", link.words)))


def add_example(term: LinkTerm, *, also: bool = False) -> None:
    """Search with an example; see `with_example`."""
    set_search(with_example(with_typed_words(current_search()), term, also=also))


def with_example(link: SearchLink, term: LinkTerm, *, also: bool) -> SearchLink:
    """Return a search with an example. Words, and what hits should not resemble, stay.

    Args:
        link: The search.
        term: The example.
        also: Keep the other examples.
    """
    kept = [each for each in link.terms if also or each.kind == "text" or each.weight < 0]
    return replace(link, terms=tuple(kept)).with_term(term)


def step_key(at: int) -> str:
    """Return the key of the text box of a later step, from 0."""
    return f"step_{at}"


def weight_key(term: LinkTerm | None) -> str:
    """Return the key of a term's weight slider; None stands for the words."""
    return "weight_words" if term is None else f"weight_{term.kind}_{term.value}"
