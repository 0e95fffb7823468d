"""Names and notes typed by people: their limits, how two names compare, and timestamps. No SQL here."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime, timedelta

MAX_NAME_LENGTH = 200  # characters
MAX_NOTE_LENGTH = 10_000  # characters
UNDO_DAYS = 30
"""Removed collections and subclips can be restored for so many days."""


def checked_name(name: str) -> str:
    """Return the name without surrounding white space.

    Raises:
        ValueError: The name is blank, too long, or has characters that cannot be stored.
    """
    name = checked_text(name, "name", MAX_NAME_LENGTH).strip()
    if not name:
        raise ValueError("A name needs at least one visible character.")
    return name


def checked_text(text: str, what: str, max_length: int) -> str:
    """Return the text unchanged.

    Args:
        text: What a person typed.
        what: Its name in error messages, such as `note`.
        max_length: The maximum number of characters.

    Raises:
        ValueError: The text is too long, or has characters that cannot be stored.
    """
    if len(text) > max_length:
        raise ValueError(
            f"A {what} may have {max_length} characters at most; this one has {len(text)}. Make it shorter."
        )
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise ValueError(f"This {what} has characters that are half of a pair only; type it again.") from None
    if "\0" in text:
        raise ValueError(f"A {what} may not hold zero characters; type it again.")
    return text


def comparison_key(name: str) -> str:
    """Return a key that is equal for names that differ only in case or Unicode normalisation form."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def now() -> str:
    """Return the time in ISO 8601, UTC, whole seconds: such texts sort by time."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def undo_deadline() -> str:
    """Return the time before which removed things can no longer be restored, as `now` writes it."""
    return (datetime.now(UTC) - timedelta(days=UNDO_DAYS)).isoformat(timespec="seconds")
