"""Saved searches: save, open and delete them by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from app.encoder_choice import saved_note
from app.search_link import SearchLink, parse_address
from app.web.pages import session
from app.web.pages.escape import escape_markdown
from app.web.pages.search_state import set_search
from app.web.services.owned import searches_of
from db.text_limits import MAX_NAME_LENGTH

if TYPE_CHECKING:
    from db.library import Library
    from db.saved_searches import SavedSearches


def saved_searches(link: SearchLink, library: Library, text_id: str) -> None:
    """Draw the form that saves the current search, and the list of saved ones.

    Args:
        link: The current search.
        library: The library.
        text_id: The text encoder that the page searches with.
    """
    own = searches_of(library, session.visitor())
    if link.has_query or link.filter_count:
        with st.form("save_search", border=False, clear_on_submit=True):
            name = st.text_input("Save this search as", value=name_of(link), max_chars=MAX_NAME_LENGTH)
            if st.form_submit_button("Save", width="stretch") and name.strip():
                own.save(name.strip(), link.query_string(), text_id=text_id)
    kept = own.all()
    if not kept:
        st.caption("Saved searches appear here.")
    for search in kept:
        note = saved_note(search, text_id)
        name_column, out = st.columns([5, 1], vertical_alignment="center")
        name_column.button(
            escape_markdown(search.name),
            key=f"saved_{search.id}",
            width="stretch",
            help=f"It was {note}" if note else None,
            on_click=_open_saved,
            args=(search.link, note),
        )
        if note:
            name_column.caption(note)
        out.button(
            "",
            icon=":material/delete:",
            key=f"unsave_{search.id}",
            help="Delete this saved search",
            type="tertiary",
            on_click=_forget,
            args=(own, search.id),
        )


def name_of(link: SearchLink) -> str:
    """Return the name that a search is offered to be saved under: the words of all its steps."""
    words = (link.words, *(step.words for step in link.then))
    return " then ".join(each.strip() for each in words if each.strip())[:60]


def _forget(own: SavedSearches, search_id: int) -> None:
    own.remove(search_id)


def _open_saved(query_string: str, note: str) -> None:
    set_search(parse_address(query_string)[0])
    if note:
        st.toast(f"This search was {note}.")
