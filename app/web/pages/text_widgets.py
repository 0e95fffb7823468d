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

    Nothing is drawn without words in quotes; what was chosen for them is forgotten then.
    """
    if not link.has_text or link.is_chain:
        return replace(link, text_in="text", text_weight=None)
    state = st.session_state
    # Written anew, because the browser forgets what was not drawn.
    state[TEXT_IN] = state.get(TEXT_IN) or link.text_in
    weight = state.get(TEXT_WEIGHT)
    state[TEXT_WEIGHT] = MEASURED_WEIGHT if weight is None else weight
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom", key="text_options"):
        scope = st.segmented_control(
            "In quotes",
            list(SCOPES),
            key=TEXT_IN,
            format_func=SCOPES.__getitem__,
            help="Said: subtitles and recognised speech. Written: text on screen. Any words: both, and the names of "
            "chapters, titles and tags.",
            width="content",
        )
        if link.is_text_alone:
            chosen = None
        else:
            chosen = st.slider(
                "Picture or words",
                0.0,
                1.0,
                key=TEXT_WEIGHT,
                step=0.05,
                format="%.2f",
                help="How much words in quotes count beside the picture: 0 is the picture alone, 1 the words alone.",
                width=260,
            )
    return replace(link, text_in=scope or "text", text_weight=None if chosen == MEASURED_WEIGHT else chosen)
