"""What all tabs of the page share: one library, one engine, opened once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from app import compose
from app.notice import notice_for

if TYPE_CHECKING:
    from db.library import Library
    from search.engine import SearchEngine


@st.cache_resource(show_spinner=False)
def open_library() -> Library:
    """The library of the settings, made where it is missing: an empty one is where a person starts."""
    return compose.open_library(compose.settings_from(), create=True)


@st.cache_resource(show_spinner="Loading the encoder")
def open_engine() -> SearchEngine:
    """The engine over that library. Raises what compose raises where weights or the device are missing."""
    settings, library = compose.settings_from(), open_library()
    return compose.open_engine(settings, library, compose.open_encoder(settings))


def notice() -> str | None:
    """What the encoder wants people to know about hits in this library."""
    engine = open_engine()
    if not engine.encoder.notice:
        return None
    return notice_for(engine.encoder, (video.path for video in engine.library.videos()))
