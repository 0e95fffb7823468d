"""Indexing page: choose a folder, start to index it, and follow current and past jobs."""

from __future__ import annotations

import streamlit as st

from app.web.pages import session
from app.web.pages.add_videos import (
    WIDTH,
    draw_adding,
    draw_demo_offer,
    draw_search_now,
    go_to_search_if_asked,
    is_new,
    is_searchable,
)
from app.web.pages.components import component
from app.web.pages.full_passes import draw_full_passes
from app.web.pages.job_cards import show_jobs, show_workers
from app.web.pages.word_jobs import draw_word_jobs


def show() -> None:
    """Draw the page."""
    go_to_search_if_asked()
    library = session.open_library()
    component("shell")(key="shell")
    states = session.jobs().all()
    first = is_new(library, states)
    with st.container(width=WIDTH):
        if first:
            st.title("Add your first folder", anchor=False)
            st.write(
                "prismsearch splits your videos into shots and makes each one searchable. Your files are never "
                "changed, and nothing leaves this machine. You can close this page while indexing continues."
            )
        else:
            st.header("Add videos", anchor=False)
        states = draw_adding(library, states)
        draw_search_now(library, states)
        draw_full_passes(library, states)
        if is_searchable(library):
            draw_word_jobs(library, states)
        show_workers(library)
        show_jobs()
        if not (is_searchable(library) or any(state.running for state in states)):
            draw_demo_offer()
