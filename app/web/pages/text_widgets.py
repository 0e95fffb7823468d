"""Widgets of a search in words of videos: which words, and how much they count beside the picture."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from app.link_parameters import TextScope
from app.search_link import SearchLink
from app.web.pages.search_state import TEXT_IN, TEXT_WEIGHT
from search.fused import TEXT_WEIGHT as MEASURED_WEIGHT

SCOPES: dict[TextScope, str] = {"text": "Any words", "said": "Said", "written": "Written"}


def draw_text_options(link: SearchLink) -> SearchLink:
    """Draw the widgets and return the search as they say.

    Nothing is drawn without words in quotes, and what was chosen for them is forgotten. Words alone have no weight.
    """
    drawn = link.has_text and not link.is_chain
    weighed = drawn and not link.is_text_alone
    _prepare(TEXT_IN, link.text_in, drawn=drawn)
    _prepare(TEXT_WEIGHT, MEASURED_WEIGHT if link.text_weight is None else link.text_weight, drawn=weighed)
    if not drawn:
        return replace(link, text_in="text", text_weight=None)
    weight = None
    with st.container(horizontal=True, gap="medium", vertical_alignment="top", key="text_options"):
        scope = st.segmented_control(
            "In quotes",
            list(SCOPES),
            key=TEXT_IN,
            format_func=SCOPES.__getitem__,
            help="Said: subtitles and recognised speech. Written: text on screen. Any words: both, and the names of "
            "chapters, titles and tags.",
        )
        if weighed:
            weight = st.slider(
                "Picture or words",
                0.0,
                1.0,
                key=TEXT_WEIGHT,
                step=0.05,
                format="%.2f",
                help="How much words in quotes count beside the picture: 0 is the picture alone, 1 the words alone.",
                width=260,
            )
    weight = None if weight is None or weight == MEASURED_WEIGHT else round(weight, 4)  # steps are not exact
    return replace(link, text_in=scope or link.text_in, text_weight=weight)


def _prepare(key: str, value: TextScope | float, *, drawn: bool) -> None:
    """Write the value of a widget that was not drawn in the last run, because the browser has forgotten it."""
    state = st.session_state
    if drawn and (not state.get(f"{key}_drawn") or state.get(key) is None):
        state[key] = value
    state[f"{key}_drawn"] = drawn
