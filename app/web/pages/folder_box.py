"""Text box for a folder, with recent folders to choose from and a check of the typed path."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from app.jobs.command_line import title_of
from app.shell.notice import DEMO_LIBRARY
from app.shell.terminal import printable
from app.web.pages.escape import escape_markdown
from app.web.services.folder_check import FolderCheck, check_folder
from app.web.services.folder_suggestions import recent_folders, usual_folders

if TYPE_CHECKING:
    from app.jobs.state import JobState
    from db.library import Library

_PATH, _CHOSEN, _CHECKED = "index_path", "index_chosen", "index_checked"  # in the session's state


def draw_folder_box(states: list[JobState]) -> str:
    """Draw the text box and return the path as typed or chosen; empty while nothing is typed."""
    st.text_input(
        "Folder",
        key=_PATH,
        placeholder=r"C:\Users\me\Videos" if os.name == "nt" else "/home/me/Videos",
    )
    recent = [path for path in recent_folders(states) if not is_in_demo_library(path)] or usual_folders()
    if recent:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.caption("Recent" if states else "Perhaps", width="content")
            for number, path in enumerate(recent):
                _path_button(path, f"recent_{number}", title_of([path]))
    typed = st.session_state.get(_PATH) or ""
    chosen = st.session_state.get(_CHOSEN)
    return chosen if chosen is not None and typed == printable(chosen) else typed


def _path_button(path: str, key: str, label: str) -> None:
    st.button(
        escape_markdown(printable(label)),
        key=key,
        help=escape_markdown(printable(path)),
        on_click=_choose,
        args=(path,),
    )


def _choose(path: str) -> None:
    """Put a path into the box. The path itself is stored separately, because it may not be printable."""
    st.session_state[_PATH], st.session_state[_CHOSEN] = printable(path), path
    _check_again()


def _check_again() -> None:
    st.session_state.pop(_CHECKED, None)


def checked_folder(path: str, library: Library) -> FolderCheck:
    """Return the check of this path, cached until another path is typed or the check is repeated."""
    known = st.session_state.get(_CHECKED)
    if known is None or known[0] != path:
        with st.spinner("Looking into the folder", show_time=False):
            known = path, check_folder(path, library.directory)
        st.session_state[_CHECKED] = known
    check: FolderCheck = known[1]
    return check


def draw_check(check: FolderCheck) -> None:
    """Draw the result of a check, with suggestions and a button to repeat it."""
    if check.level == "good":
        st.success(escape_markdown(check.sentence), icon=":material/check:")
        return
    st.warning(escape_markdown(check.sentence), icon=":material/info:" if check.usable else ":material/folder_off:")
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if check.suggestions:
            st.caption("Did you mean", width="content")
        for number, path in enumerate(check.suggestions):
            _path_button(path, f"meant_{number}", path)
        st.button("Look again", key="look_again", icon=":material/refresh:", type="tertiary", on_click=_check_again)


def keep_check(check: FolderCheck) -> None:
    """Show this check as the result for its path."""
    st.session_state[_CHECKED] = check.path, check


def clear_folder_box() -> None:
    """Empty the text box. Call it in callbacks."""
    st.session_state[_PATH] = ""
    st.session_state.pop(_CHOSEN, None)
    _check_again()


def is_in_demo_library(path: str) -> bool:
    """Return whether a path lies in the demo library; False for an empty one."""
    return Path(os.path.realpath(path)).is_relative_to(DEMO_LIBRARY) if path else False
