"""The folder box: our component in which a path is typed, checked, chosen or dropped, and its place in the session."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from app.jobs.command_line import title_of
from app.shell.notice import DEMO_LIBRARY
from app.shell.terminal import printable
from app.web.pages.components import component, event_payload
from app.web.services.folder_places import path_json, usual_folders
from app.web.services.folder_suggestions import recent_folders

if TYPE_CHECKING:
    from app.jobs.state import JobState

_KEY = "folder"
# In the session's state: the folder in the box, one to be started, the number of starts, and why the last one failed.
_KNOWN, _START, _TURN, _TROUBLE = "index_path", "index_start", "index_turn", "index_start_trouble"


def draw_folder_box(
    states: list[JobState], *, start: str, choose: str, about: str, blocked: str, direct: bool, waiting: bool
) -> None:
    """Draw the box.

    Args:
        states: The jobs, for recent folders.
        start: Label of the button.
        choose: Label of the button that takes a folder in the dialog.
        about: A line below the box.
        blocked: Why nothing can be started now; "" if something can.
        direct: Whether a folder chosen in the dialog is started at once.
        waiting: Whether to run the script again once the library has changed.
    """
    recent = [path for path in recent_folders(states) if not is_in_demo_library(path)]
    component("indexing/folder_box")(
        key=_KEY,
        data={
            "placeholder": r"C:\Users\me\Videos" if os.name == "nt" else "/home/me/Videos",
            "start": start,
            "choose": choose,
            "about": about,
            "blocked": blocked,
            "direct": direct,
            "heading": "Recent" if recent else "Suggested",
            "folders": [{**path_json(path), "name": printable(title_of([path]))} for path in recent or usual_folders()],
            "turn": st.session_state.get(_TURN, 0),
            "trouble": st.session_state.get(_TROUBLE, ""),
            "waiting": waiting,
        },
        on_start_change=on_start,
        on_checked_change=on_checked,
        on_changed_change=_on_changed,
    )


def on_start() -> None:
    """Keep the folder that is to be started, until the script knows the options."""
    payload = event_payload(_KEY, "start")
    if payload:
        st.session_state[_START] = str(payload.get("path", ""))


def on_checked() -> None:
    """Keep the folder that is in the box, for what the page says of it."""
    payload = event_payload(_KEY, "checked")
    if payload:
        path = str(payload.get("path", ""))
        st.session_state[_KNOWN] = path if os.path.isabs(path) and "\0" not in path else ""


def _on_changed() -> None:
    """Handle a change of the library: the script runs again, which is all that is needed."""


def known_folder() -> str:
    """Return the folder in the box that can be indexed; "" if there is none."""
    path: str = st.session_state.get(_KNOWN, "")
    return path


def folder_to_start() -> str | None:
    """Return the folder whose button was just pressed, once; None if none was."""
    path: str | None = st.session_state.pop(_START, None)
    return path


def say_started() -> None:
    """Empty the box, because its folder is being indexed."""
    st.session_state[_KNOWN] = ""
    say_trouble("")


def say_trouble(sentence: str) -> None:
    """Say in the box why a folder cannot be indexed."""
    st.session_state[_TURN] = st.session_state.get(_TURN, 0) + 1
    st.session_state[_TROUBLE] = sentence


def is_in_demo_library(path: str) -> bool:
    """Return whether a path lies in the demo library; False for an empty one."""
    return Path(os.path.realpath(path)).is_relative_to(DEMO_LIBRARY) if path else False
