"""What stands in the way of a search, said in the page with what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from app.web.pages import session
from app.web.pages.asked_link import take_link_from_address
from app.web.pages.escape import plain

if TYPE_CHECKING:
    from db.library import Library
    from search.engine import SearchEngine


def page_link(name: str, label: str, icon: str | None = None) -> None:
    """A link to another page of ours, by the name that `page.py` gave it."""
    page = st.session_state.get("pages", {}).get(name)
    if page is not None:
        st.page_link(page, label=label, icon=icon)


STEPS = (
    (":material/create_new_folder:", "Add a folder", "Every video in it is cut into shots. Your files are only read."),
    (":material/search:", "Search", "By words, by a shot that you found, by a picture or a clip that you drop here."),
    (":material/playlist_add:", "Collect and export", "Clips exact to the frame, or a list for your editing program."),
)


def say_empty_library() -> None:
    """The first thing a person sees."""
    st.title("Find the shot")
    st.write("prismsearch finds moments in your videos by what is to be seen in them. Nothing leaves this machine.")
    for column, (icon, title, text) in zip(st.columns(3, border=True), STEPS, strict=True):
        column.markdown(f"**{icon} {title}**")
        column.caption(text)
    page = st.session_state.get("pages", {}).get("indexing")
    if page is not None and st.button("Add the first folder", type="primary", icon=":material/arrow_forward:"):
        st.switch_page(page)


def engine_or_reason(library: Library) -> SearchEngine | None:
    """The engine, or None after the page has said why there is none."""
    from app.compose import WrongSetting
    from encoder import EncoderError

    try:
        engine = session.open_engine()
    except (EncoderError, WrongSetting) as error:
        st.error(plain(str(error)), icon=":material/model_training:")
        page_link("indexing", "See what is missing", ":material/arrow_forward:")
        return None
    held = {row.id: row.segments for row in library.encoders() if row.segments}
    if engine.encoder.id not in held:
        names = ", ".join(f"{name} ({segments} segments)" for name, segments in held.items())
        st.warning(
            plain(
                f"Nothing in this library was indexed with {engine.encoder.id}; it holds {names}. "
                "Start prismsearch ui with that encoder, or index the videos with this one."
            )
        )
        return None
    return engine


def ready_to_ask(library: Library) -> SearchEngine | None:
    """The engine, with the address read; None after the page has said what stands in the way."""
    if not any(row.segments for row in library.encoders()):
        say_empty_library()
        return None
    engine = engine_or_reason(library)
    if engine is not None:
        for problem in take_link_from_address():
            st.warning(plain(problem))
    return engine
