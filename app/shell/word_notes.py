"""Notes about words that an encoder reads only in part, for the shell and the page."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from encoder import Encoder

_SHOWN = 60  # characters of a text


def word_notes(encoder: Encoder, texts: Iterable[str]) -> list[str]:
    """Return a note for each text that the encoder truncates, and for each with words that it cannot read.

    Raises:
        ValueError: The encoder can read nothing of a text, so that any result would be an accident.
    """
    notes = []
    for text in texts:
        unread = encoder.unread(text)
        if unread and "".join(unread.split()) == "".join(text.split()):
            raise ValueError(f"the encoder can read nothing of “{_short(text)}”; write in English what is to be seen")
        if unread:
            notes.append(f"the encoder cannot read “{_short(unread)}” and goes by the other words")
        if encoder.truncated([text])[0]:
            notes.append(f"the encoder reads only the beginning of: {_short(text)}")
    return notes


def _short(text: str) -> str:
    return f"{text[:_SHOWN]}..." if len(text) > _SHOWN else text
