"""Names and messages in places where Streamlit reads Markdown: shown as they are, whatever is in them."""

from __future__ import annotations

import re

_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>$:~^&=])")


def plain(text: str) -> str:
    """`text` for st.error, st.caption and the like: no Markdown, no HTML, no colour or emoji codes, one line."""
    readable = text.encode("utf-8", "replace").decode("utf-8")
    return _SPECIAL.sub(r"\\\1", " ".join(readable.split()))
