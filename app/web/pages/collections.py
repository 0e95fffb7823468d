"""Collections page. It passes the collection in the URL to the component, which does the rest."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from app.link_parameters import encode_path
from app.web.pages import session
from app.web.pages.components import component

_LARGEST = 2**53 - 1  # the largest integer that JavaScript holds exactly


def show() -> None:
    """Draw the page."""
    session.open_library()
    component("collections/view")(
        key="collection",
        data={
            "collection": _collection_id(st.query_params.get("collection")),
            "export": st.query_params.get("export") == "1",
            "home": encode_path(str(Path.home() / "prismsearch-export")),
        },
    )


def _collection_id(text: str | None) -> int | None:
    """Return the id in the URL, or None for anything else: the link is untrusted."""
    if text is None or not (text.isascii() and text.isdecimal()):
        return None
    number = int(text[:20])
    return number if number <= _LARGEST else None
