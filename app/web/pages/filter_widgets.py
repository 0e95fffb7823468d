"""Widgets of a search's filters, in a popover."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, TypeVar, cast

import streamlit as st

from app.link_parameters import encode_path
from app.search_link import SearchLink
from app.shell.filter_options import format_rate
from app.web.pages.search_state import ANY, ANY_FOLDER, DUPLICATES, RESOLUTIONS, SOUNDS
from db.records import Orientation
from search.strength import LIKELY_CHANCE, STRONG_CHANCE, Level

if TYPE_CHECKING:
    from db.library import Library

Value = TypeVar("Value")

STRENGTH_HELP = (
    f"Of searches for something that is not there, {LIKELY_CHANCE:.0%} find a likely or strong match, and "
    f"{STRONG_CHANCE:.0%} a strong one."
)


def draw_filters(link: SearchLink, library: Library) -> SearchLink:
    """Draw the widgets and return the search with the filters that they show.

    Args:
        link: The search.
        library: For folders, and for the codecs, frame rates and cameras that there are.
    """
    folders, facets = library.folders(), library.facets()
    folder = st.selectbox(
        "Folder", [ANY_FOLDER, *_with(folders, link.folder)], key="in_folder", format_func=encode_path
    )
    name = st.text_input("File name contains", key="in_name", max_chars=200)
    left, right = st.columns(2)
    since = left.date_input("Changed since", key="since", value=None, max_value=date(2999, 12, 31))
    until = right.date_input("Changed until", key="until", value=None, max_value=date(2999, 12, 31))
    recorded_since = left.date_input("Recorded since", key="recorded_since", value=None, max_value=date(2999, 12, 31))
    recorded_until = right.date_input("Recorded until", key="recorded_until", value=None, max_value=date(2999, 12, 31))
    least = left.number_input("Shot at least (s)", key="least_seconds", value=None, min_value=0.0, step=1.0)
    most = right.number_input("Shot at most (s)", key="most_seconds", value=None, min_value=0.0, step=1.0)
    codec = left.selectbox("Codec", [ANY, *_with(facets.codecs, link.codec)], key="codec")
    rate = right.selectbox(
        "Frame rate", [0.0, *_with(facets.frame_rates, link.frame_rate)], key="frame_rate",
        format_func=lambda rate: format_rate(rate) if rate else ANY,
    )  # fmt: skip
    camera = left.selectbox("Camera", [ANY, *_with(facets.cameras, link.camera)], key="camera")
    resolution = right.selectbox("Resolution", list(RESOLUTIONS), key="resolution", format_func=RESOLUTIONS.__getitem__)
    orientation = st.segmented_control(
        "Orientation", ["landscape", "portrait", "square"], key="orientation", format_func=str.capitalize
    )
    left, right = st.columns(2)
    level = left.selectbox(
        "Least strength", [ANY, "likely", "strong"], key="least_level", format_func=str.capitalize, help=STRENGTH_HELP
    )
    score = right.number_input(
        "Least cosine", key="least_score", value=None, min_value=-1.0, max_value=1.0, step=0.01, format="%.2f"
    )
    sound = left.segmented_control("Sound", list(SOUNDS.values()), key="sound", format_func=str.capitalize)
    duplicates = right.selectbox(
        "Near-duplicates", list(DUPLICATES), key="duplicates", format_func=DUPLICATES.__getitem__
    )
    one = st.toggle("One hit per video", key="one_per_video")
    return replace(
        link,
        folder=None if folder == ANY_FOLDER else folder,
        name=name.strip() or None,
        since=since.isoformat() if isinstance(since, date) else None,
        until=until.isoformat() if isinstance(until, date) else None,
        recorded_since=recorded_since.isoformat() if isinstance(recorded_since, date) else None,
        recorded_until=recorded_until.isoformat() if isinstance(recorded_until, date) else None,
        min_seconds=least,
        max_seconds=most,
        min_short_side=resolution or None,
        orientation=cast("Orientation | None", orientation),
        codec=None if codec == ANY else codec,
        frame_rate=rate or None,
        camera=None if camera == ANY else camera,
        has_sound=next((has_sound for has_sound, name in SOUNDS.items() if name == sound), None),
        least_level=None if level == ANY else cast("Level", level),
        threshold=score,
        one_per_video=bool(one),
        duplicates=duplicates,
    )


def _with(values: Sequence[Value], chosen: Value | None) -> list[Value]:
    """Return the values of the library and, in front, the chosen one, which a link may have from elsewhere."""
    return [*values] if chosen is None or chosen in values else [chosen, *values]
