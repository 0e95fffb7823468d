"""Adding of videos: the folder box, what stands against indexing, options, and the way to the first search.

Drawn by the Indexing page, and by other pages while the library is empty.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from app.compose import WrongSetting, settings_from
from app.jobs.command_line import title_of
from app.jobs.orders import DownloadOrder, IndexOrder, Order
from app.shell.file_options import index_options
from app.shell.notice import DEMO_LIBRARY
from app.shell.terminal import size_text
from app.web.pages import session
from app.web.pages.escape import escape_markdown
from app.web.pages.folder_box import (
    draw_folder_box,
    folder_to_start,
    is_in_demo_library,
    known_folder,
    say_started,
    say_trouble,
)
from app.web.pages.index_choices import IndexChoices, choose_encoder, draw_index_choices, encoder_label
from app.web.services.again import again_text
from app.web.services.folder_check import check_folder
from app.web.services.model_need import ModelNeed, alias_of, model_to_fetch

if TYPE_CHECKING:
    from app.jobs.state import JobState
    from db.library import Library

WIDTH = 920  # pixels; lines longer than that are hard to read
_ERROR = "index_trouble"  # in the session's state
_AGAIN = "index_again"  # likewise
_LEAVING = "index_leaving"  # likewise: "Search now" was clicked
_BEGUN = "index_begun"  # likewise: a job was started in this tab, and nothing searched since


def is_searchable(library: Library) -> bool:
    """Return whether a library has something to search."""
    return any(row.segments for row in library.encoders())


def is_new(library: Library, states: list[JobState]) -> bool:
    """Return whether nothing was ever indexed into a library."""
    return not (library.encoders() or library.failures() or any(state.kind == "index" for state in states))


def draw_adding(library: Library, states: list[JobState]) -> list[JobState]:
    """Draw the folder box and what belongs to it, and start the job that it asks for.

    Returns:
        The jobs, with one that was just started.
    """
    box, notes = st.container(), st.container()
    choices = draw_index_choices(library)
    need = model_to_fetch(choices.encoder)
    if (path := folder_to_start()) is not None and _start(path, choices, need):
        states = session.jobs().all()
    downloading = any(state.running and state.kind == "download" for state in states)
    blocked = "The model is being downloaded; see below." if need and downloading else ""
    direct = not (is_searchable(library) or blocked or choices.encoder == demo_name())  # nothing else has to be asked
    with box:
        draw_folder_box(
            states,
            start=_start_label(need, "Start indexing"),
            choose=_start_label(need, "Index this folder") if direct else "Choose this folder",
            about=_about(choices, need),
            blocked=blocked,
            direct=direct,
            waiting=not is_searchable(library) and any(state.running and state.kind == "index" for state in states),
        )
    with notes:
        _draw_notes(choices, need, states, downloading=downloading)
    return states


def _start_label(need: ModelNeed | None, plain: str) -> str:
    return f"Download {need.alias} ({size_text(need.size_bytes)}) and index" if need else plain


def _about(choices: IndexChoices, need: ModelNeed | None) -> str:
    """Return the line below the box."""
    line = f"Encoder: {encoder_label(choices.encoder)}. You can also drop a folder anywhere on this page."
    return f"{line} {need.about}" if need else line


def _draw_notes(choices: IndexChoices, need: ModelNeed | None, states: list[JobState], *, downloading: bool) -> None:
    """Draw what has to be known before the folder in the box is indexed, and the download alone."""
    from encoder import DEFAULT_ENCODER

    path = known_folder()
    if path and not is_in_demo_library(path) and choices.encoder == demo_name():
        st.warning(
            "The demo encoder only knows drawings like those in the demo library. "
            "On your own videos its results mean nothing."
        )
        label = f"Use the {alias_of(DEFAULT_ENCODER)} encoder"
        st.button(label, key="use_default_encoder", on_click=choose_encoder, args=(DEFAULT_ENCODER,))
    text = again_text(session.open_library(), choices.order(path), settings_from(), states) if path else ""
    if text:
        st.warning(escape_markdown(text), icon=":material/history:")
        st.checkbox("Re-encode them", key=_AGAIN)
    if need and downloading:
        st.info("The model is being downloaded. If you chose a folder to index, it comes next.")
    elif need and is_searchable(session.open_library()):
        label = f"Download {need.alias} only ({size_text(need.size_bytes)})"
        st.button(label, key="fetch_model", icon=":material/download:", on_click=_fetch, args=(need.alias,))
    if error := st.session_state.pop(_ERROR, None):
        st.error(escape_markdown(error))


def _start(path: str, choices: IndexChoices, need: ModelNeed | None) -> bool:
    """Start to index a folder, and return whether it began."""
    check = check_folder(path, session.open_library().directory)
    if not check.usable:
        say_trouble(check.sentence)
        return False
    order = choices.order(check.path)
    order = replace(order, yes=bool(st.session_state.get(_AGAIN)), fetch=need is not None)
    trouble = _begin(order, title_of([check.path]))
    if trouble:
        say_trouble(trouble)
        return False
    say_started()
    return True


def _fetch(alias: str) -> None:
    st.session_state[_ERROR] = _begin(DownloadOrder(model=alias), f"model {alias}")


def _begin(order: Order, title: str) -> str:
    """Start a job; return why it could not be started, or ""."""
    trouble = session.start_job(order, title)
    if not trouble and isinstance(order, IndexOrder):
        st.session_state[_BEGUN] = True
    return trouble


def draw_search_now(library: Library, states: list[JobState]) -> None:
    """Draw the way to a search, if there is something to search and a job began in this tab or still runs."""
    running = any(state.running and state.kind == "index" for state in states)
    if not is_searchable(library) or not (running or st.session_state.get(_BEGUN)):
        return
    with st.container(border=True, horizontal=True, vertical_alignment="center", key="search_now_card"):
        more = "Indexing continues; searches find new shots as they are added." if running else ""
        st.markdown(f"**Ready to search.** {more}", width="stretch")
        st.button("Search now", type="primary", icon=":material/search:", key="search_now", on_click=_search_now)


def _search_now() -> None:
    """Remember the click: the run that it began may be broken off by one that the end of a job begins."""
    st.session_state.pop(_BEGUN, None)
    st.session_state[FOCUS] = st.session_state[_LEAVING] = True


def go_to_search_if_asked() -> None:
    """Switch to the page Search after a click on "Search now". Call it first on a page.

    The click is remembered until Search was drawn (`arrived`): what the end of a job triggers meanwhile names the page
    that the browser still shows.
    """
    if st.session_state.get(_LEAVING):
        st.switch_page(st.session_state["pages"]["search"])


def arrived() -> None:
    """Forget the click on "Search now". Call it when Search was drawn."""
    st.session_state.pop(_LEAVING, None)


FOCUS = "focus_words"
"""In the session's state: the search box is to get the focus."""


def draw_demo_offer() -> None:
    """Draw the offer to index the demo library."""
    with st.container(border=True):
        st.markdown("**No videos at hand?**")
        st.write(
            "Try the demo library: short drawn clips and a small encoder trained on drawings like them. It shows how "
            "everything works in a minute, without a download. It does not show how well the real encoder works on "
            "real videos."
        )
        st.button("Try the demo library", key="index_demo", icon=":material/movie:", on_click=_start_demo)


def _start_demo() -> None:
    try:
        order = IndexOrder(encoder=demo_name(), paths=(str(DEMO_LIBRARY),), **index_options())
    except (OSError, WrongSetting) as error:  # of the settings file
        st.session_state[_ERROR] = str(error)
        return
    st.session_state[_ERROR] = _begin(order, "the demo library")


def demo_name() -> str:
    """Return the name of the demo encoder."""
    from encoder.config import DEMO

    return DEMO.name
