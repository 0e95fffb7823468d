"""Library page: every video with its state, failures, and the timeline of one video (`?video=ID`)."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

import streamlit as st

from app.jobs.orders import RetryOrder
from app.shell.file_options import retry_options
from app.web.http.roles import ACTIONS
from app.web.pages import components, session, video
from app.web.pages.components import component
from app.web.pages.empty_states import page_link, show_empty_library
from app.web.pages.escape import escape_markdown

if TYPE_CHECKING:
    from db.library import Library

_MOST_NOTED = 20  # names of removed videos
# In the session's state: a count of changes to the list, and the message about the last one.
_CHANGES, _SAID = "library_changes", "library_said"


def show() -> None:
    """Draw the page, or the timeline of the video in the URL."""
    library = session.open_library()
    component("shell")(key="shell")
    wanted = st.query_params.get("video")
    if wanted is not None:
        video.show(library, wanted)
        return
    if not (any(row.segments for row in library.encoders()) or library.failures()):
        show_empty_library()
        return
    if st.session_state.pop("library_retrying", False):
        st.info("Retrying the files. The Indexing page shows the progress.", icon=":material/refresh:")
        page_link("indexing", "Open Indexing", ":material/arrow_forward:")
    if trouble := st.session_state.pop("library_trouble", None):
        st.error(escape_markdown(trouble))
    component("library/view")(
        key="library",
        data={
            "token": f"{library.id}:{st.session_state.get(_CHANGES, 0)}",
            "encoder": encoder_in_use(library),
            "said": st.session_state.get(_SAID),
        },
        on_open_change=on_open,
        on_remove_change=on_remove,
        on_retry_change=on_retry,
    )


def encoder_in_use(library: Library) -> str | None:
    """Return the id of the encoder that searches use, or None. Loads it only if the library holds several."""
    from app.compose import WrongSetting
    from encoder import EncoderError

    held = [row.id for row in library.encoders() if row.segments]
    if len(held) < 2:
        return held[0] if held else None
    try:
        return session.open_engine().encoder.id
    except (EncoderError, WrongSetting):
        return None


def on_open() -> None:
    """Open the timeline of a video."""
    payload = components.event_payload("library", "open")
    if payload:
        st.query_params["video"] = str(int(payload["video"]))


def on_remove() -> None:
    """Remove the chosen videos from the library; their files stay."""
    payload = components.event_payload("library", "remove")
    library, visitor = session.open_library(), session.visitor()
    if payload and not visitor.may(ACTIONS["remove videos"]):
        list_again("Your role does not let you remove videos")
    elif payload:
        ids = [int(each) for each in payload["ids"]]
        names = _names(library, ids[:_MOST_NOTED]) if visitor.person is not None else ""
        count = library.remove_videos(ids)
        visitor.note("videos removed", f"{count:,}: {names}")
        list_again(f"{count:,} videos removed from the library" if count != 1 else "Video removed from the library")


def _names(library: Library, ids: list[int]) -> str:
    names = []
    for video_id in ids:
        with suppress(KeyError):  # another tab was faster
            names.append(os.path.basename(library.video(video_id).path))
    return ", ".join(names)


def on_retry() -> None:
    """Start a job that retries the chosen files."""
    payload = components.event_payload("library", "retry")
    if not payload:
        return
    library = session.open_library()
    # Only recorded failures: text from a browser never becomes a path to read.
    failed = {failure.path for failure in library.failures()}
    paths = [path for path in payload["paths"] if path in failed]
    if not paths:
        list_again("These files are no longer listed as failed")
        return
    everything = len(paths) == len(failed)
    try:
        order = RetryOrder(paths=() if everything else tuple(paths), **retry_options())
    except (OSError, ValueError) as error:  # of the settings file
        st.session_state["library_trouble"] = f"The retry could not be started: {error}"
        return
    if trouble := session.start_job(order):
        st.session_state["library_trouble"] = trouble
        return
    st.session_state["library_retrying"] = True
    list_again("Retrying")


def list_again(message: str) -> None:
    """Make the component reload the list and show `message`."""
    st.session_state[_CHANGES] = st.session_state.get(_CHANGES, 0) + 1
    st.session_state[_SAID] = message
