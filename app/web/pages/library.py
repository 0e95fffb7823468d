"""The page of the library: every video with its state, what failed, and one video's timeline (`?video=ID`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from app.compose import settings_from
from app.web.pages import components, session, video
from app.web.pages.components import component
from app.web.pages.empty_states import page_link, say_empty_library
from app.web.pages.escape import plain

if TYPE_CHECKING:
    from db.library import Library

_CHANGES, _SAID = "library_changes", "library_said"  # in the session's state: how often the list changed, and how


def show() -> None:
    library = session.open_library()
    component("shell")(key="shell", data={"dock": True, "search": False})
    wanted = st.query_params.get("video")
    if wanted is not None:
        video.show(library, wanted)
        return
    if not (any(row.segments for row in library.encoders()) or library.failures()):
        say_empty_library()
        return
    if st.session_state.pop("library_retrying", False):
        st.info("The files are tried again; the page Indexing shows how far it is.", icon=":material/refresh:")
        page_link("indexing", "Open Indexing", ":material/arrow_forward:")
    if trouble := st.session_state.pop("library_trouble", None):
        st.error(plain(trouble))
    component("library/view")(
        key="library",
        data={
            "token": f"{library.id}:{st.session_state.get(_CHANGES, 0)}",
            "encoder": encoder_in_use(library),
            "said": st.session_state.get(_SAID),
        },
        on_open_change=opened,
        on_remove_change=removed,
        on_retry_change=retried,
    )


def encoder_in_use(library: Library) -> str | None:
    """The encoder whose videos can be found; None where nothing tells. Loads it only where there is a choice."""
    from app.compose import WrongSetting
    from encoder import EncoderError

    held = [row.id for row in library.encoders() if row.segments]
    if len(held) < 2:
        return held[0] if held else None
    try:
        return session.open_engine().encoder.id
    except (EncoderError, WrongSetting):
        return None


def opened() -> None:
    payload = components.event_payload("library", "open")
    if payload:
        st.query_params["video"] = str(int(payload["video"]))


def removed() -> None:
    """Forget the videos that were chosen; their files stay."""
    payload = components.event_payload("library", "remove")
    if payload:
        count = session.open_library().remove_videos([int(each) for each in payload["ids"]])
        changed(f"{count:,} videos removed from the library" if count != 1 else "The video is removed from the library")


def retried() -> None:
    """Try files again in a process of its own, which goes on when the page is closed."""
    payload = components.event_payload("library", "retry")
    if not payload:
        return
    library = session.open_library()
    # Only what is known to have failed: nothing that a page says becomes a path to read.
    failed = {failure.path for failure in library.failures()}
    paths = [path for path in payload["paths"] if path in failed]
    if not paths:
        changed("These files are no longer among those that failed")
        return
    everything = len(paths) == len(failed)
    try:
        session.runs().start(["retry"] if everything else ["retry", "--", *paths], settings_from())
    except (OSError, ValueError) as error:
        st.session_state["library_trouble"] = f"Trying again could not be started: {error}"
        return
    st.session_state["library_retrying"] = True
    changed("Trying again has begun")


def changed(said: str) -> None:
    """Have the list read again, and say why."""
    st.session_state[_CHANGES] = st.session_state.get(_CHANGES, 0) + 1
    st.session_state[_SAID] = said
