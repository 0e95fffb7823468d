"""The page of collections: it says which one is meant; all else happens in the view, without running this script."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from app.link_parameters import encode_path
from app.web.pages import session
from app.web.pages.components import component

_LARGEST = 2**53 - 1  # what JavaScript counts exactly


def show() -> None:
    session.open_library()
    component("collections/view")(
        key="collection",
        data={
            "collection": _asked(st.query_params.get("collection")),
            "export": st.query_params.get("export") == "1",
            "home": encode_path(str(Path.home() / "prismsearch-export")),
        },
    )


def _asked(text: str | None) -> int | None:
    """The id in the address; None for anything that is none, as somebody else may have written the link."""
    if text is None or not (text.isascii() and text.isdecimal()):
        return None
    number = int(text[:20])
    return number if number <= _LARGEST else None
