"""Widgets of a chain ("A, then B"): the later steps, the time between them, and their order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from app.link_parameters import MAX_TEXT_CHARACTERS
from app.search_link import MAX_STEPS, LinkStep, SearchLink
from app.web.pages.components import component
from app.web.pages.search_state import current_search, set_search, step_key, with_typed_words

OPEN = "then_open"  # in the session's state: whether the first step is being written
BEGUN = "then_begun"  # in the session's state: whether the first step was opened just now
MOST_SECONDS = 3600.0


def then_button(link: SearchLink) -> None:
    """Draw the button that begins a chain."""
    if not link.is_chain and not st.session_state.get(OPEN):
        st.button("Then …", key="begin_chain", on_click=_begin, help="Find what happens next in the same video")


def draw_steps(link: SearchLink) -> SearchLink:
    """Draw a box for each later step and one for the next, and return the search with the time and order of steps.

    Nothing is drawn unless there is a step, or one is being written.
    """
    if not (link.is_chain or st.session_state.get(OPEN)):
        return link
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom", key="steps"):
        for at in range(min(len(link.then) + 1, MAX_STEPS - 1)):
            example = at < len(link.then) and link.then[at].terms
            st.text_input(
                f"{at + 2}. Then" + (" (with an example)" if example else ""),
                key=step_key(at),
                placeholder="Like the example" if example else "What happens next: a door opens …",
                max_chars=MAX_TEXT_CHARACTERS,
                on_change=_read_steps,
                width=260,
            )
        st.session_state.setdefault("within_seconds", link.within_seconds)
        within = st.number_input(
            "Within (s)",
            key="within_seconds",
            min_value=0.0,
            max_value=max(MOST_SECONDS, link.within_seconds),
            step=5.0,
            format="%g",
            width=130,
            help="The longest time between the end of one shot and the start of the next",
        )
        st.session_state.setdefault("any_order", link.any_order)
        any_order = st.toggle("Any order", key="any_order")
        st.button("Remove steps", key="remove_steps", on_click=_remove_steps, type="tertiary")
    if st.session_state.pop(BEGUN, False):
        component("search/focus_box")(key="focus_step", data={"box": step_key(0)})
    return replace(link, within_seconds=float(within), any_order=bool(any_order))


def with_steps(link: SearchLink, words: Sequence[str]) -> SearchLink:
    """Return a search with these words for its later steps, in order.

    Args:
        link: The search.
        words: Of each step there is, and of further ones. A step without words and examples is left out.
    """
    steps = [*link.then, *(LinkStep() for _ in words[len(link.then) :])]
    changed = [replace(step, words=text.strip()) for step, text in zip(steps, words, strict=True)]
    return replace(link, then=tuple(step for step in changed if not step.is_blank))


def _read_steps() -> None:
    link = with_typed_words(current_search())
    words = [str(st.session_state.get(step_key(at), "")) for at in range(min(len(link.then) + 1, MAX_STEPS - 1))]
    set_search(with_steps(link, words))


def _begin() -> None:
    # Written anew, because the browser forgets a number and a switch that were not drawn, and would show 0 and off.
    link = current_search()
    st.session_state["within_seconds"], st.session_state["any_order"] = link.within_seconds, link.any_order
    st.session_state[OPEN] = st.session_state[BEGUN] = True


def _remove_steps() -> None:
    st.session_state[OPEN] = False
    set_search(replace(with_typed_words(current_search()), then=()))
