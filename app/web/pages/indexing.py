"""Indexing page: check a folder, start to index it, and follow current and past jobs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from app.compose import settings_from
from app.jobs.command_line import paths_of, title_of
from app.jobs.orders import DownloadOrder, IndexOrder, Order
from app.shell.notice import DEMO_LIBRARY
from app.shell.terminal import size_text
from app.web.pages import session
from app.web.pages.components import component
from app.web.pages.escape import escape_markdown
from app.web.pages.folder_box import (
    checked_folder,
    clear_folder_box,
    draw_check,
    draw_folder_box,
    is_in_demo_library,
    keep_check,
)
from app.web.pages.index_choices import IndexChoices, draw_index_choices, encoder_label
from app.web.pages.job_cards import show_jobs
from app.web.services.again import again_text
from app.web.services.folder_check import FolderCheck, check_folder
from app.web.services.model_need import model_to_fetch

if TYPE_CHECKING:
    from app.jobs.state import JobState

_WIDTH = 920  # pixels; lines longer than that are hard to read
_ERROR = "index_trouble"  # in the session's state
_AGAIN = "index_again"  # likewise


def show() -> None:
    """Draw the page."""
    library = session.open_library()
    component("shell")(key="shell")
    states = session.jobs().all()
    first = not (library.encoders() or library.failures() or any(state.kind == "index" for state in states))
    with st.container(width=_WIDTH):
        _draw_heading(first=first)
        path = draw_folder_box(states)
        check = checked_folder(path, library) if path else None
        above = st.container()  # drawn later, because it depends on the options below
        choices = draw_index_choices(library)
        with above:
            _draw_start(check, choices, states)
        show_jobs()
        if first:
            _draw_demo_offer()


def _draw_start(check: FolderCheck | None, choices: IndexChoices, states: list[JobState]) -> None:
    """Draw the result of the check, any obstacle to indexing, and the button."""
    if check is not None:
        draw_check(check)
    ready = _draw_model_need(choices, states)
    busy = check is not None and any(state.running and check.path in paths_of(state) for state in states)
    if busy:
        st.info("This folder is being indexed already; see below.")
    own = check is not None and check.usable and not is_in_demo_library(check.path)
    if own and choices.encoder == _demo_name():
        st.warning(
            "The demo encoder knows only the drawn world of the demo library: on videos of your own its hits mean "
            "nothing. Choose another encoder under Options for them."
        )
    if check is not None and check.usable:
        _draw_again(choices.order(check.path), states)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Start indexing", type="primary", icon=":material/play_arrow:", key="index_start", on_click=_start,
            args=(check, choices), disabled=check is None or not check.usable or not ready or busy,
        )  # fmt: skip
        st.caption(escape_markdown(f"with the encoder {encoder_label(choices.encoder)}"))
    if error := st.session_state.pop(_ERROR, None):
        st.error(escape_markdown(error))


def _draw_again(order: IndexOrder, states: list[JobState]) -> None:
    """Draw what would be encoded again though it did not change, and the box that consents."""
    text = again_text(session.open_library(), order, settings_from(), states)
    if text:
        st.warning(escape_markdown(text), icon=":material/history:")
        st.checkbox("Encode them again", key=_AGAIN)


def _draw_heading(*, first: bool) -> None:
    if first:
        st.title("Add your first folder", anchor=False)
        st.write(
            "Say where your videos are. prismsearch cuts them into shots and looks at each one; files are only ever "
            "read, and nothing leaves this machine. Indexing goes on when this page is closed."
        )
    else:
        st.subheader("Add videos", anchor=False)


def _draw_model_need(choices: IndexChoices, states: list[JobState]) -> bool:
    """Return whether the encoder's files are present; if not, draw the required download and its button."""
    need = model_to_fetch(choices.encoder)
    if need is None:
        return True
    if any(state.running and state.kind == "download" for state in states):
        st.info("The model is being downloaded; see below. Indexing can begin when it is here.")
        return False
    size = size_text(need.size_bytes)
    st.warning(
        escape_markdown(
            f"The encoder {need.alias} is not on this machine yet. It is downloaded once, about {size}, from the "
            "Hugging Face Hub (prismsearch fetch-model does the same). Nothing of yours is sent, and nothing is "
            "downloaded before you say so."
        ),
        icon=":material/download:",
    )
    st.button(
        f"Download {need.alias} (about {size})", key="fetch_model", icon=":material/download:", on_click=_fetch,
        args=(need.alias,),
    )  # fmt: skip
    return False


def _start(check: FolderCheck | None, choices: IndexChoices) -> None:
    if check is None:
        return
    now = check_folder(check.path, session.open_library().directory)
    if not now.usable:
        keep_check(now)
        return
    order = replace(choices.order(check.path), yes=bool(st.session_state.get(_AGAIN)))
    if _begin(order, title_of([check.path])):
        clear_folder_box()


def _fetch(alias: str) -> None:
    _begin(DownloadOrder(model=alias), f"model {alias}")


def _begin(order: Order, title: str) -> bool:
    try:
        session.jobs().start(order, settings_from(), title=title)
    except (OSError, ValueError) as error:
        st.session_state[_ERROR] = f"It could not be started: {error}. Is there room on the disk?"
        return False
    return True


def _draw_demo_offer() -> None:
    with st.container(border=True):
        st.markdown("**No videos at hand?**")
        st.write(
            "prismsearch comes with a demo library of short drawn clips, and with a small encoder that was trained on "
            "just such drawings. It shows how everything works, in a minute and without a download. It says nothing "
            "about how well the real encoder finds things in real videos."
        )
        st.button("Index the demo library", key="index_demo", icon=":material/movie:", on_click=_start_demo)


def _start_demo() -> None:
    _begin(IndexOrder(encoder=_demo_name(), paths=(str(DEMO_LIBRARY),)), "the demo library")


def _demo_name() -> str:
    from encoder.config import DEMO

    return DEMO.name
