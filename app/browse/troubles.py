"""What stands in the way of a search, said in the page with what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from app.browse import session
from app.browse.plain import plain

if TYPE_CHECKING:
    from db.library import Library
    from search.engine import SearchEngine


def page_link(name: str, label: str, icon: str | None = None) -> None:
    """A link to another page of ours, by the name that `page.py` gave it."""
    page = st.session_state.get("pages", {}).get(name)
    if page is not None:
        st.page_link(page, label=label, icon=icon)


def say_empty_library() -> None:
    """The first thing a person sees."""
    st.title("Find the shot")
    st.write(
        "prismsearch cuts your videos into shots, looks at each one, and finds them again by words or by example. "
        "Everything stays on this machine, and your files are only ever read."
    )
    page_link("indexing", "Add the first folder of videos", ":material/create_new_folder:")


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
