"""Notes about words that an encoder reads only in part, for the shell and the page."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from encoder import Encoder

_SHOWN = 60  # characters of a text
_NAMED = 30  # characters by which one of several texts is recognised
_LAST = 3  # words before the place where a text is cut


def word_notes(encoder: Encoder, texts: Iterable[str]) -> list[str]:
    """Return a note for each text that the encoder truncates, and for each with words that it cannot read.

    Raises:
        ValueError: The encoder can read nothing of a text, so that any result would be an accident.
    """
    notes = []
    different = list(dict.fromkeys(texts))
    for text in different:
        unread = encoder.unread(text)
        if unread and "".join(unread.split()) == "".join(text.split()):
            raise ValueError(f"the encoder cannot read any of “{_short(text)}”; describe the shot in English")
        if unread:
            notes.append(f"the encoder cannot read “{_short(unread)}” and uses the other words only")
        if encoder.truncated([text])[0]:
            notes.append(_cut_note(encoder, text, named=len(different) > 1))
    return notes


def _cut_note(encoder: Encoder, text: str, *, named: bool) -> str:
    """Return which words of a truncated text are read. `named`: one of several texts, so that it must be recognised."""
    words = text.split()
    read = bisect_left(
        range(1, len(words) + 1), True, key=lambda count: encoder.truncated([" ".join(words[:count])])[0]
    )
    if not read:  # one word that is too long, as in languages written without spaces
        return f"the encoder reads only the beginning of “{_short(text)}”"
    whose = f" of “{_short(text, _NAMED)}”" if named else ""
    last = _short(" ".join(words[:read][-_LAST:]))
    return f"only the first {read} of {len(words)} words{whose} are read, up to “{last}”"


def _short(text: str, most: int = _SHOWN) -> str:
    return f"{text[:most]}..." if len(text) > most else text
