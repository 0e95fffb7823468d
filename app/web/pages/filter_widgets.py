"""Widgets of a search's filters, in a popover."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, TypeVar

import streamlit as st

from app.link_parameters import encode_path
from app.search_link import SearchLink
from app.shell.filter_options import format_rate
from app.web.pages.search_state import ANY, ANY_FOLDER, DUPLICATES, RESOLUTIONS, SOUNDS
from search.strength import LIKELY_CHANCE, STRONG_CHANCE

if TYPE_CHECKING:
    from db.library import Library

Value = TypeVar("Value")

STRENGTH_HELP = (
    f"Where nothing matches, {LIKELY_CHANCE:.0%} of searches still find a likely or strong match, and "
    f"{STRONG_CHANCE:.0%} a strong one."
)

TAKES_HELP = "Other runs of one set-up: the same look and framing, done again."

OF_PICTURES = ("least_level", "threshold", "duplicates", "takes")
"""Filters that compare pictures, so that a search in text alone does not use them."""

WORDS_HELP = "Not used now: it compares pictures, and this search has only words in quotes."


def with_filters(link: SearchLink) -> SearchLink:
    """Return the search with the filters that the widgets show now, before they are drawn: their count labels them."""
    state = st.session_state
    if "in_folder" not in state:
        return link
    return replace(
        link,
        since=_written(state["since"]),
        until=_written(state["until"]),
        recorded_since=_written(state["recorded_since"]),
        recorded_until=_written(state["recorded_until"]),
        folder=None if state["in_folder"] == ANY_FOLDER else state["in_folder"],
        name=state["in_name"].strip() or None,
        min_seconds=state["least_seconds"],
        max_seconds=state["most_seconds"],
        min_short_side=state["resolution"] or None,
        orientation=state["orientation"],
        codec=None if state["codec"] == ANY else state["codec"],
        frame_rate=state["frame_rate"] or None,
        camera=None if state["camera"] == ANY else state["camera"],
        has_sound=next((has_sound for has_sound, name in SOUNDS.items() if name == state["sound"]), None),
        least_level=None if state["least_level"] == ANY else state["least_level"],
        threshold=state["least_score"],
        one_per_video=bool(state["one_per_video"]),
        duplicates=state["duplicates"],
        takes=state["takes"],
    )


def draw_filters(link: SearchLink, library: Library) -> None:
    """Draw the widgets.

    Args:
        link: The search.
        library: For folders, and for the codecs, frame rates and cameras that there are.
    """
    folders, facets = library.folders(), library.facets()
    st.selectbox("Folder", [ANY_FOLDER, *_with(folders, link.folder)], key="in_folder", format_func=encode_path)
    st.text_input("File name contains", key="in_name", max_chars=200)
    left, right = st.columns(2)
    for key, label in (("since", "Modified"), ("recorded_since", "Recorded")):
        until = key.replace("since", "until")
        left.date_input(f"{label} after", key=key, value=None, max_value=date(2999, 12, 31))
        right.date_input(f"{label} before", key=until, value=None, max_value=date(2999, 12, 31))
    left.number_input("Minimum length (s)", key="least_seconds", value=None, min_value=0.0, step=1.0)
    right.number_input("Maximum length (s)", key="most_seconds", value=None, min_value=0.0, step=1.0)
    left.selectbox("Codec", [ANY, *_with(facets.codecs, link.codec)], key="codec")
    right.selectbox(
        "Frame rate", [0.0, *_with(facets.frame_rates, link.frame_rate)], key="frame_rate",
        format_func=lambda rate: format_rate(rate) if rate else ANY,
    )  # fmt: skip
    left.selectbox("Camera", [ANY, *_with(facets.cameras, link.camera)], key="camera")
    right.selectbox("Resolution", list(RESOLUTIONS), key="resolution", format_func=RESOLUTIONS.__getitem__)
    st.segmented_control(
        "Orientation", ["landscape", "portrait", "square"], key="orientation", format_func=str.capitalize
    )
    left, right = st.columns(2)
    alone = link.is_text_alone
    left.selectbox(
        "Minimum strength", [ANY, "likely", "strong"], key="least_level", format_func=str.capitalize,
        disabled=alone, help=WORDS_HELP if alone else STRENGTH_HELP,
    )  # fmt: skip
    right.number_input(
        "Minimum score", key="least_score", value=None, min_value=-1.0, max_value=1.0, step=0.01, format="%.2f",
        disabled=alone, help=WORDS_HELP if alone else None,
    )  # fmt: skip
    left.segmented_control("Sound", list(SOUNDS.values()), key="sound", format_func=str.capitalize)
    right.selectbox(
        "Near-duplicates", list(DUPLICATES), key="duplicates", format_func=DUPLICATES.__getitem__,
        disabled=alone, help=WORDS_HELP if alone else None,
    )  # fmt: skip
    right.selectbox(
        "Takes", list(DUPLICATES), key="takes", format_func=DUPLICATES.__getitem__,
        disabled=alone, help=WORDS_HELP if alone else TAKES_HELP,
    )  # fmt: skip
    st.toggle("One result per video", key="one_per_video")


def _written(day: object) -> str | None:
    return day.isoformat() if isinstance(day, date) else None


def _with(values: Sequence[Value], chosen: Value | None) -> list[Value]:
    """Return the values of the library and, in front, the chosen one, which a link may have from elsewhere."""
    return [*values] if chosen is None or chosen in values else [chosen, *values]
