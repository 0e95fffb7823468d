"""Escaping of names and messages where Streamlit reads Markdown."""

from __future__ import annotations

import re

from app.timelines.plain_text import REORDERING

_REORDERING = re.compile(f"[{REORDERING}]")
_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>$:~^&=])")


def escape_markdown(text: str) -> str:
    """Return `text` on one line for st.error, st.caption and the like, with Markdown, HTML and emoji codes escaped.

    Characters that reorder what follows are shown as U+FFFD.
    """
    readable = _REORDERING.sub("\ufffd", text.encode("utf-8", "replace").decode("utf-8"))
    return _SPECIAL.sub(r"\\\1", " ".join(readable.split()))
