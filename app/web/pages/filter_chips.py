"""Chips: one button for each filter of a search, outside the popover, which takes it out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import streamlit as st

from app.link_parameters import encode_path
from app.search_link import FILTERS, SearchLink
from app.shell.filter_options import format_rate
from app.web.pages.escape import escape_markdown
from app.web.pages.filter_widgets import OF_PICTURES, WORDS_HELP
from app.web.pages.search_state import DUPLICATES, RESOLUTIONS, SOUNDS, current_search, set_search, with_typed_words

TEXTS: Mapping[str, Callable[[Any], str]] = MappingProxyType(
    {
        "folder": lambda folder: f"In {encode_path(folder)}",
        "name": lambda name: f"Name: {encode_path(name)}",
        "since": lambda day: f"Modified after {day}",
        "until": lambda day: f"Modified before {day}",
        "recorded_since": lambda day: f"Recorded after {day}",
        "recorded_until": lambda day: f"Recorded before {day}",
        "min_seconds": lambda seconds: f"{seconds:g} s or longer",
        "max_seconds": lambda seconds: f"{seconds:g} s or shorter",
        "min_short_side": lambda pixels: RESOLUTIONS.get(pixels, f"{pixels}p or more"),
        "orientation": lambda orientation: orientation.capitalize(),
        "codec": lambda codec: f"Codec: {codec}",
        "frame_rate": lambda rate: f"{format_rate(rate)} fps",
        "camera": lambda camera: f"Camera: {camera}",
        "has_sound": lambda has_sound: f"{SOUNDS[has_sound].capitalize()} sound",
        "least_level": lambda level: "Strong matches" if level == "strong" else "Strong or likely matches",
        "threshold": lambda score: f"Score {score:g} or more",
        "one_per_video": lambda _: "One result per video",
        "duplicates": lambda duplicates: f"Near-duplicates {DUPLICATES[duplicates].lower()}",
        "takes": lambda takes: f"Takes {DUPLICATES[takes].lower()}",
    }
)
"""What a chip says of each of `app.search_link.FILTERS`."""

_MAX_TEXT = 48  # characters; the tooltip has the rest


def draw_chips(link: SearchLink) -> None:
    """Draw a chip for each filter of the search, and a button that clears them all; nothing without filters."""
    active = link.active_filters
    if not active:
        return
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="filter_chips"):
        for name in active:
            text = TEXTS[name](getattr(link, name))
            tip = f"Remove this filter: {escape_markdown(text)}"
            st.button(
                escape_markdown(shortened(text)),
                key=f"chip_{name}",
                icon=":material/close:",
                icon_position="right",
                help=f"{WORDS_HELP} {tip}" if link.is_text_alone and name in OF_PICTURES else tip,
                on_click=_remove,
                args=(name,),
            )
        st.button("Clear filters", key="clear_filters", type="tertiary", on_click=clear_filters)


def clear_filters() -> None:
    """Remove all filters; words, examples and the rest of the search stay."""
    set_search(with_typed_words(current_search()).without(*FILTERS))


def _remove(name: str) -> None:
    set_search(with_typed_words(current_search()).without(name))


def shortened(text: str) -> str:
    """Return a text without its middle if it is long: paths begin alike, and end with what tells them apart."""
    half = _MAX_TEXT // 2
    return text if len(text) <= _MAX_TEXT else f"{text[: half - 2]} … {text[-half:]}"
