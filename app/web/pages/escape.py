"""Escaping of names and messages where Streamlit reads Markdown."""

from __future__ import annotations

import re

_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>$:~^&=])")


def escape_markdown(text: str) -> str:
    """Return `text` on one line for st.error, st.caption and the like, with Markdown, HTML and emoji codes escaped."""
    readable = text.encode("utf-8", "replace").decode("utf-8")
    return _SPECIAL.sub(r"\\\1", " ".join(readable.split()))
