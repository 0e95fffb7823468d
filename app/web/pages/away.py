"""The page while the server of the library is away: it says so, and goes on by itself."""

from __future__ import annotations

from typing import NoReturn

import streamlit as st

from app.web.http.responses import AWAY
from app.web.pages import session
from db.errors import LibraryError

_LOOK_SECONDS = 5.0


def wait_for_library() -> NoReturn:
    """Draw one line, end the script, and run it again once the library answers."""
    st.error(AWAY, icon=":material/database:")
    _look()
    st.stop()
    raise AssertionError("st.stop ends the script")


@st.fragment(run_every=_LOOK_SECONDS)
def _look() -> None:
    try:
        session.open_library().change_token()
    except LibraryError:
        return
    st.rerun()
