"""Videos that wait for their full pass, on the Indexing page, and the button that begins it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from app.jobs.command_line import title_of
from app.jobs.orders import IndexOrder
from app.shell.file_options import index_options
from app.web.pages import session
from app.web.pages.escape import escape_markdown
from app.web.services.full_passes import full_passes

if TYPE_CHECKING:
    from app.jobs.state import JobState
    from db.library import Library

_ERROR = "full_passes_trouble"  # in the session's state
_WHY = "They are searched by their key frames so far, in coarse shots; motion waits for the full pass, and so do takes."


def draw_full_passes(library: Library, states: list[JobState]) -> None:
    """Draw how many videos wait for their full pass; nothing if none does.

    Args:
        library: The library.
        states: Its jobs, the newest first.
    """
    work = full_passes(library, states)
    if work is None:
        return
    with st.container(border=True, horizontal=True, vertical_alignment="center", key="full_passes"):
        line = escape_markdown(" ".join(each for each in (f"{work.about}.", _WHY, work.barred) if each))
        st.markdown(f"**Quick so far**  \n:gray[{line}]", width="stretch")
        st.button(
            "Make the full passes",
            icon=":material/manage_search:",
            key="make_full_passes",
            disabled=bool(work.barred),
            on_click=_begin,
        )
    if error := st.session_state.pop(_ERROR, None):
        st.error(escape_markdown(error))


def _begin() -> None:
    work = full_passes(session.open_library(), session.jobs().all())
    if work is None or work.barred:  # another tab may have begun meanwhile
        return
    try:
        order = IndexOrder(paths=work.folders, **index_options())
    except (OSError, ValueError) as error:  # of the settings file
        st.session_state[_ERROR] = f"The job could not be started: {error}."
        return
    st.session_state[_ERROR] = session.start_job(order, title_of(work.folders))
