"""The choice of sound tracks for an export: `all`, `first`, `none`, or numbers from 1 as in `1,3`."""

from __future__ import annotations

import re
from collections.abc import Sequence

ALL_TRACKS = "all"
MAX_TRACK_NUMBER = 999
MAX_AUDIO_CHARACTERS = 200
_WORDS = (ALL_TRACKS, "first", "none")


def parse_audio(text: str) -> str:
    """Return a choice of sound tracks in its usual form: `all`, `first`, `none`, or numbers from 1 as in `1,3`.

    Raises ValueError, with a sentence for the user, for anything else.
    """
    word = text.strip().lower()
    if word in _WORDS:
        return word
    if re.fullmatch(r"[0-9 ,]*[0-9][0-9 ,]*", word):
        numbers = sorted({int(each) for each in re.split(r"[ ,]+", word) if each})
        if numbers[0] >= 1 and numbers[-1] <= MAX_TRACK_NUMBER:
            return ",".join(map(str, numbers))
    raise ValueError(f"the sound tracks must be all, first, none, or numbers from 1 such as 1,3; got {text!r}")


def track_numbers(audio: str) -> list[int]:
    """Return the numbers in a choice, in order; none for a word."""
    return [] if audio in _WORDS else [int(each) for each in audio.split(",")]


def is_chosen(number: int, audio: str) -> bool:
    """Return whether the sound track of this number (from 1) is chosen."""
    return audio == ALL_TRACKS or (audio == "first" and number == 1) or number in track_numbers(audio)


def tracks_text(numbers: Sequence[int]) -> str:
    """Name tracks for people: `track 2`, `tracks 2, 3 and 5`."""
    *first, last = map(str, numbers)
    return f"tracks {', '.join(first)} and {last}" if first else f"track {last}"
