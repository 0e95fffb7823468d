"""Reel names of an EDL: one for each source, by a stated rule, since CMX3600 has room for eight characters only.

A reel is named after the tape or reel that the file states, or else after the file. Letters become capitals and lose
their accents, runs of other characters become `_`, and the first eight characters count. Of several sources with one
name the second gets `_2` at its end, and so on; so does a name with a meaning of its own, such as BL for black.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from itertools import count

from app.timelines.model import TimelineClip
from app.timelines.plain_text import file_name

MAX_LENGTH = 8
_RESERVED = frozenset(("AX", "AU", "BL", "BLK", "BLACK", "BARS", "NONE"))  # auxiliary sources, black, colour bars


def reel_names(clips: Iterable[TimelineClip]) -> dict[str, str]:
    """Return the reel of each source by its path, in order of first use; no two are the same."""
    reels: dict[str, str] = {}
    used = set(_RESERVED)
    for clip in clips:
        if clip.path not in reels:
            plain = plain_reel(clip)
            numbered = (f"{plain[: MAX_LENGTH - len(str(number)) - 1]}_{number}" for number in count(2))
            reel = plain if plain not in used else next(each for each in numbered if each not in used)
            used.add(reel)
            reels[clip.path] = reel
    return reels


def plain_reel(clip: TimelineClip) -> str:
    """Return the reel name of a source before it is told apart from others: up to 8 characters, [A-Z0-9_]."""
    for text in (clip.reel, re.sub(r"\.[^.]*$", "", file_name(clip.path))):
        letters = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
        found = re.sub("[^A-Z0-9]+", "_", letters.upper()).strip("_")[:MAX_LENGTH].strip("_")
        if found:
            return found
    return "CLIP"
