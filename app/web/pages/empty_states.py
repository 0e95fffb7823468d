"""Empty states: messages for an empty library or a missing encoder, with the next step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from app.web.http.errors import as_sentence
from app.web.http.roles import ACTIONS
from app.web.pages import session
from app.web.pages.add_videos import FOCUS, WIDTH, draw_adding, draw_demo_offer, is_searchable
from app.web.pages.escape import escape_markdown
from app.web.pages.job_cards import show_jobs, show_workers
from app.web.pages.search_state import read_address
from app.web.services.model_need import alias_of, model_to_fetch

if TYPE_CHECKING:
    from db.library import Library
    from search.engines import Engine


def page_link(name: str, label: str, icon: str | None = None, **parameters: str) -> None:
    """Draw a link to another page, by its name in `app/page.py`, with parameters of its address."""
    page = st.session_state.get("pages", {}).get(name)
    if page is not None:
        st.page_link(page, label=label, icon=icon, query_params=parameters or None)


def encoder_link() -> None:
    """Draw a link to the place where another encoder is chosen."""
    page_link("indexing", "Choose another encoder", ":material/arrow_forward:", options="open")


STEPS = (
    (":material/create_new_folder:", "Add a folder", "Each video is split into shots. Your files are never changed."),
    (":material/search:", "Search", "By words, by a shot you found, or by a picture or clip you drop on the page."),
    (":material/playlist_add:", "Collect and export", "Frame-accurate clips, or a list for your editing software."),
)


def show_empty_library() -> None:
    """Draw the page while there is nothing to search: the folder box, jobs, the demo library, and the steps."""
    if not session.visitor().may(ACTIONS["run index"]):
        st.title("Nothing here yet", anchor=False)
        st.write("You can search here as soon as somebody has added videos.")
        return
    library, states = session.open_library(), session.jobs().all()
    with st.container(width=WIDTH):
        st.title("Find the shot", anchor=False)
        intro = st.empty()  # drawn later, because a job may be started in between
        states = draw_adding(library, states)
        running = any(state.running for state in states)
        if running:
            intro.write("You can search here as soon as the first video is indexed.")
            st.session_state[FOCUS] = True
        else:
            intro.write("prismsearch finds moments in your videos by what they show. Nothing leaves this machine.")
        show_workers(library)
        if states:
            show_jobs()
        if not running:
            draw_demo_offer()
        if states:
            return
        for column, (icon, title, text) in zip(st.columns(3, border=True), STEPS, strict=True):
            column.markdown(f"**{icon} {title}**")
            column.caption(text)


def engine_or_message(library: Library) -> Engine | None:
    """Return the engine, or None after drawing the reason why it is unavailable."""
    from app.compose import WrongSetting, encoder_name, settings_from, with_library_encoder
    from encoder import EncoderError

    try:
        engine = session.open_engine()
    except (EncoderError, WrongSetting) as error:
        need = model_to_fetch(encoder_name(with_library_encoder(settings_from(), library)))
        text = f"The encoder {need.alias} is not on this machine yet." if need else as_sentence(str(error))
        st.error(escape_markdown(text), icon=":material/model_training:")
        if need:
            page_link("indexing", f"Download {need.alias}", ":material/arrow_forward:")
        encoder_link()
        return None
    held = {row.id: row.segments for row in library.encoders() if row.segments}
    lacking = [voice[0] for voice in engine.voice_ids if not held.keys() & set(voice)]
    if lacking:
        asked = alias_of(lacking[0].partition("@")[0])
        names = " and ".join(dict.fromkeys(alias_of(name.partition("@")[0]) for name in held))
        st.warning(
            escape_markdown(
                f"This library was indexed with {names}, and prismsearch was started with {asked}. "
                f"Start it without naming an encoder, or index the videos with {asked}."
            )
        )
        encoder_link()
        return None
    return engine


def searchable_engine(library: Library) -> Engine | None:
    """Read the URL and return the engine, or None after drawing what prevents a search."""
    if not is_searchable(library):
        show_empty_library()
        return None
    engine = engine_or_message(library)
    if engine is not None:
        for problem in read_address():
            st.warning(escape_markdown(problem))
    return engine
