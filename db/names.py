"""Comparison of names, ignoring case and Unicode form."""

from __future__ import annotations

import unicodedata


def comparison_key(name: str) -> str:
    """Return a key that is equal for names that differ only in case or Unicode normalisation form."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
