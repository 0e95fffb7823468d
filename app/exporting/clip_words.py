"""The words that a clip carries, and their cut to its range."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from typing import Literal

from db.timed_text import TimedLine, TimedWord

SubtitlePlace = Literal["none", "file", "track", "burn"]
"""Where the words of a clip go: nowhere, into an SRT file beside it, a subtitle track in it, or the pictures."""
WordsFrom = Literal["best", "subtitle", "speech", "screen"]
"""Which words: subtitles or else speech, or one kind alone. What is read on screen is only taken when asked for."""

MAX_LANGUAGE_CHARACTERS = 35
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*")


def is_language(tag: str) -> bool:
    """Return whether this is the form of a language's tag."""
    return len(tag) <= MAX_LANGUAGE_CHARACTERS and _LANGUAGE.fullmatch(tag) is not None


def check_language(tag: str) -> None:
    """Raise ValueError unless this is the form of a language's tag, or ""."""
    if tag and not is_language(tag):
        raise ValueError(f"a language is a tag such as en or pt-BR, not {tag[:MAX_LANGUAGE_CHARACTERS]!r}")


@dataclass(frozen=True, slots=True)
class ClipCue:
    """A text and when it is shown: milliseconds from the clip's first frame, the end exclusive."""

    start_ms: int
    end_ms: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipWords:
    """The lines of one source of a video, as a clip is to carry them."""

    lines: tuple[TimedLine, ...] = field(repr=False)  # of the whole video, by start
    place: SubtitlePlace = "none"
    language: str = ""  # BCP 47; "" if it is not known
    title: str = ""  # of the track
    in_file: bool = False  # from a subtitle track of the video itself
    zero_seconds: Fraction = Fraction(0)  # what is added to a time in the file that is cut, to be that of a line

    def cues(self, start_seconds: Fraction, end_seconds: Fraction) -> list[ClipCue]:
        """Return what is said in a range of the file that is cut, from the range's start."""
        return cut_lines(self.lines, start_seconds + self.zero_seconds, end_seconds + self.zero_seconds)

    @property
    def digest(self) -> str:
        """A digest of all that shapes a clip which has the words in it."""
        lines = [
            (line.start_ms, line.end_ms, line.text, [(word.start_ms, word.end_ms, word.text) for word in line.words])
            for line in self.lines
        ]
        facts = repr((self.place, self.language, self.title, lines))
        return hashlib.blake2b(facts.encode(errors="surrogatepass"), digest_size=12).hexdigest()


def cut_lines(lines: Sequence[TimedLine], start_seconds: Fraction, end_seconds: Fraction) -> list[ClipCue]:
    """Return the lines of a range, by start, with times from its start.

    A line that straddles an end of the range is cut there. If its words have times, only those words are kept whose
    middle is in the range. Lines without length, and those of which no word is left, are left out.

    Args:
        lines: By start.
        start_seconds: Start of the range, in the time of the lines.
        end_seconds: Its end, exclusive.
    """
    start, end = start_seconds * 1000, end_seconds * 1000
    cues = []
    for line in lines:
        if line.start_ms >= end:
            break
        first, last = max(0, round(line.start_ms - start)), round(min(Fraction(line.end_ms), end) - start)
        if last <= first:
            continue
        straddles = line.start_ms < start or line.end_ms > end
        text = _text_between(line, start, end) if straddles else line.text
        if text:
            cues.append(ClipCue(first, last, text))
    return cues


def _text_between(line: TimedLine, start: Fraction, end: Fraction) -> str:
    """Return the part of a line whose words are said in a range of milliseconds; all of it if that is not known."""
    places = _places(line.text, line.words)
    if not places:
        return line.text
    middles = [Fraction(word.start_ms + word.end_ms, 2) for word in line.words]
    kept = [number for number, middle in enumerate(middles) if start <= middle < end]
    if not kept:
        return ""
    first, last = kept[0], kept[-1]
    # What stands between two words, such as a comma, goes with the one before it.
    begins = 0 if first == 0 else places[first]
    ends = places[last + 1] if last + 1 < len(places) else len(line.text)
    return line.text[begins:ends].strip()


def _places(text: str, words: Sequence[TimedWord]) -> list[int]:
    """Return where each word begins in a text; nothing if one of them is not there, or there are none."""
    places = []
    at = 0
    for word in words:
        sought = word.text.strip()
        found = text.find(sought, at)
        if found < 0:
            return []
        places.append(found)
        at = found + len(sought)
    return places


def without_overlaps(cues: Sequence[ClipCue]) -> list[ClipCue]:
    """Return cues of which one is shown at a time, as MP4 holds them: what is shown together becomes one text."""
    times = sorted({time for cue in cues for time in (cue.start_ms, cue.end_ms)})
    ordered = sorted(cues, key=lambda cue: cue.start_ms)
    result: list[ClipCue] = []
    shown: list[ClipCue] = []
    following = 0
    for begins, ends in pairwise(times):
        shown = [cue for cue in shown if cue.end_ms > begins]
        while following < len(ordered) and ordered[following].start_ms <= begins:
            shown.append(ordered[following])
            following += 1
        text = "\n".join(dict.fromkeys(cue.text for cue in shown))
        if not text:
            continue
        if result and result[-1].end_ms == begins and result[-1].text == text and len(shown) > 1:
            result[-1] = ClipCue(result[-1].start_ms, ends, text)
        else:
            result.append(ClipCue(begins, ends, text))
    return result
