"""Collections page. It passes the collection in the URL to the component, which does the rest."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from app.link_parameters import encode_path
from app.shell.file_options import export_options
from app.web.http.roles import ACTIONS
from app.web.pages import search_state, session
from app.web.pages.components import component

_LARGEST = 2**53 - 1  # the largest integer that JavaScript holds exactly


def show() -> None:
    """Draw the page."""
    session.open_library()
    into_folders = session.visitor().may(ACTIONS["export into a folder"])
    component("collections/view")(
        key="collection",
        data={
            "collection": _collection_id(st.query_params.get("collection")),
            "export": st.query_params.get("export") == "1",
            "home": encode_path(str(Path.home() / "prismsearch-export")) if into_folders else "",
            "choice": choice_of(export_options()),
            "search": search_state.moments_link(),
        },
    )


def choice_of(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the export form begins with, until something is chosen there in this browser.

    Args:
        options: Those of the settings file, by name.
    """
    choice: dict[str, Any] = {}
    if "mode" in options:
        choice["mode"] = options["mode"]
    if "handles" in options:
        choice["handles"] = f"{float(options['handles']):g}"
    if "name" in options:
        choice["pattern"] = options["name"]
    if (audio := options.get("audio")) is not None:
        named = audio in ("all", "first", "none")
        choice |= {"sound": audio} if named else {"sound": "numbers", "tracks": audio}
    if "list" in options:
        choice["lists"] = list(options["list"])
    for name, field in (("subtitles", "subtitles"), ("language", "language"), ("words-from", "wordsFrom")):
        if name in options:
            choice[field] = options[name]
    return choice


def _collection_id(text: str | None) -> int | None:
    """Return the id in the URL, or None for anything else: the link is untrusted."""
    if text is None or not (text.isascii() and text.isdecimal()):
        return None
    number = int(text[:20])
    return number if number <= _LARGEST else None
