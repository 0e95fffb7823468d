"""Names and notes that people give: what is taken, how two names are compared, and what day it is. No SQL."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime, timedelta

MOST_NAME = 200
"""Characters in a name."""
MOST_NOTE = 10_000
"""Characters in a note."""
KEPT_DAYS = 30
"""How long what was removed can be brought back."""


def checked_name(name: str) -> str:
    """The name without space around it. Raises ValueError where it is blank, too long or cannot be stored."""
    name = checked_text(name, "name", MOST_NAME).strip()
    if not name:
        raise ValueError("A name needs at least one visible character.")
    return name


def checked_text(text: str, what: str, most: int) -> str:
    """The text itself. Raises ValueError where it has more than `most` characters or some that cannot be stored."""
    if len(text) > most:
        raise ValueError(f"A {what} may have {most} characters at most; this one has {len(text)}. Make it shorter.")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise ValueError(f"This {what} has characters that are half of a pair only; type it again.") from None
    if "\0" in text:
        raise ValueError(f"A {what} may not hold zero characters; type it again.")
    return text


def key_of(name: str) -> str:
    """Equal for names that people take for the same: case and Unicode form do not matter."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def now() -> str:
    """ISO 8601, UTC, whole seconds: texts in the order of time."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def forgotten_before() -> str:
    """What was removed before this moment can go for good."""
    return (datetime.now(UTC) - timedelta(days=KEPT_DAYS)).isoformat(timespec="seconds")
