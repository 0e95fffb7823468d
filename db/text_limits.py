"""Maximum lengths of typed texts, such as names and notes, and checks against them."""

from __future__ import annotations

MAX_NAME_LENGTH = 200  # characters, of collections, subclips and saved searches
MAX_NOTE_LENGTH = 10_000  # characters, of a subclip
MAX_LINK_LENGTH = 8_000  # characters, of a saved search, as accepted by servers in a URL


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
        text: The typed text.
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
        raise ValueError(f"This {what} contains incomplete characters; type it again.") from None
    if "\0" in text:
        raise ValueError(f"A {what} cannot contain NUL characters; type it again.")
    return text
