"""Widgets of a search: words, filters, examples and weights, which together make one SearchLink."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from app.link_parameters import MAX_HITS, MAX_TEXT_CHARACTERS, encode_path
from app.search_link import DEFAULT_LIMIT, EXCLUDED_WEIGHT, LinkTerm, SearchLink
from app.web.pages import session
from app.web.pages.components import component
from app.web.pages.escape import escape_markdown
from app.web.pages.filter_chips import draw_chips, shortened
from app.web.pages.filter_widgets import draw_filters, with_filters
from app.web.pages.saved_searches import saved_searches
from app.web.pages.search_state import current_search, set_search, weight_key, with_typed_words
from app.web.pages.text_widgets import draw_text_options
from app.web.pages.then_widgets import draw_steps, then_button
from app.web.services.examples import find_example

if TYPE_CHECKING:
    from db.library import Library


IN_QUOTES = 'Describe the shot: a dog on the beach … Words in "quotes" are found in what is said and written'


def draw_query(library: Library, text_id: str, *, on_dropped: Callable[[], None]) -> SearchLink:
    """Draw the widgets and return the search that they describe.

    Args:
        library: For folders, saved searches and examples.
        text_id: The text encoder that the page searches with.
        on_dropped: Callback for a file dropped into the page.
    """
    link = current_search()
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom", key="query"):
        words = st.text_input(
            "Search",
            key="words",
            placeholder=IN_QUOTES if session.has_words() else "Describe the shot: a dog running on the beach …",
            icon=":material/search:",
            label_visibility="collapsed",
            width="stretch",
        )
        link = with_filters(replace(link, words=words[:MAX_TEXT_CHARACTERS]))
        with st.popover(_counted("Filters", link.filter_count), key="filters", width="content"):
            draw_filters(link, library)
        with st.popover(_counted("Combine", len(link.terms)), key="combine", width="content"):
            link = _combine(link)
        then_button(link)
        with st.popover("Saved", key="saved", width="content"):
            saved_searches(link, library, text_id)
    # Beside the popover, not in it: a popover's content only exists while it is open, and files drop at any time.
    component("search/file_drop")(key="drop", on_dropped_change=on_dropped)
    component("search/kept_focus")(key="focus")
    draw_chips(link)
    link = draw_text_options(link)
    return draw_steps(_terms(link, library))


def _counted(label: str, count: int) -> str:
    return f"{label} ({count})" if count else label


def _combine(link: SearchLink) -> SearchLink:
    """Draw the widgets for further terms that hits should resemble or not, and for how they are added."""
    st.text_input("Also like", key="also", on_change=_add_words, args=("also", 1.0), placeholder="in the rain")
    never = ("never", EXCLUDED_WEIGHT)
    st.text_input("But not like", key="never", on_change=_add_words, args=never, placeholder="a text card")
    component("search/file_button")(key="choose")
    st.caption("On a shot, press M for more like it and N for less. In the player, mark a range and press F.")
    if not link.terms:
        return link
    plain = st.toggle(
        "Do not balance",
        key="plain_sum",
        help="Words and examples are balanced by default. Without that, an example usually outweighs the words.",
    )
    return replace(link, plain_sum=bool(plain))


def _add_words(key: str, weight: float) -> None:
    words = str(st.session_state.get(key, "")).strip()
    if words:
        set_search(with_typed_words(current_search()).with_term(LinkTerm("text", words[:MAX_TEXT_CHARACTERS], weight)))
    st.session_state[key] = ""


def _terms(link: SearchLink, library: Library) -> SearchLink:
    """Draw a card with a weight for each term, unless there are only words."""
    if not link.terms:
        return replace(link, words_weight=1.0)
    shown: list[LinkTerm | None] = [None] if link.box.picture.strip() else []
    shown += link.terms
    weights: dict[LinkTerm | None, float] = {}
    with st.container(horizontal=True, gap="small", key="terms"):
        for term in shown:
            picture, text = _described(term, link, library)
            key = weight_key(term)
            st.session_state.setdefault(key, link.words_weight if term is None else term.weight)
            with st.container(
                border=True, horizontal=True, vertical_alignment="center", gap="small", width=350 if picture else 250
            ):
                if picture:
                    st.html(f'<img src="{picture}" alt="" style="width:100%;border-radius:4px">', width=80)
                weights[term] = st.slider(
                    escape_markdown(text if st.session_state[key] >= 0 else f"Not {text}"),
                    -2.0,
                    2.0,
                    key=key,
                    step=0.1,
                    format="%.1f",
                    help="How much this counts. Below 0, results should not be like it.",
                    width="stretch",
                )
                st.button(
                    "",
                    icon=":material/close:",
                    key=f"out_{key}",
                    help="Remove",
                    type="tertiary",
                    on_click=_remove_term,
                    args=(term,),
                )
    return replace(
        link,
        words_weight=weights.get(None, 1.0),
        terms=tuple(replace(term, weight=weights[term]) for term in link.terms),
    )


def _described(term: LinkTerm | None, link: SearchLink, library: Library) -> tuple[str | None, str]:
    """Return (address of a picture or None, text) of a term. Addresses are made of numbers and tokens only."""
    if term is None:
        return None, f"“{shortened(link.box.picture)}”"
    if term.kind == "text":
        return None, f"“{shortened(term.value)}”"
    if term.kind == "file":
        example = find_example(library.directory, term.value)
        if example is None:
            return None, "a file that no longer exists"
        return f"/api/examples/{term.value}/poster", shortened(example.name)
    segment_id = term.range[0] if term.kind == "range" else int(term.value)
    found = library.segments([segment_id])
    if not found:
        return None, "a shot that is no longer in the library"
    name = shortened(encode_path(next(iter(found.values()))[1].path.rpartition("/")[2]))
    return f"/api/poster/{segment_id}", f"part of {name}" if term.kind == "range" else name


def _remove_term(term: LinkTerm | None) -> None:
    link = with_typed_words(current_search())
    if term is None:
        set_search(replace(link.with_picture_words(""), words_weight=1.0))
    else:
        same = (term.kind, term.value)
        set_search(replace(link, terms=tuple(each for each in link.terms if (each.kind, each.value) != same)))


def on_idea() -> None:
    """Search for the chosen suggestion."""
    idea = st.session_state.get("idea")
    if idea:
        set_search(replace(current_search(), words=str(idea)))


def on_more() -> None:
    """Raise the limit of hits, for the grid's last button."""
    link = with_typed_words(current_search())
    set_search(replace(link, limit=min(MAX_HITS, link.limit + DEFAULT_LIMIT)))
