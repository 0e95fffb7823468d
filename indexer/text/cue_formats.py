"""Recognition of formats of subtitles by their content, whatever their names say, and reading of their cues."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from indexer.text.cue_blocks import is_blocks, read_blocks
from indexer.text.cues import MAX_CUES, Cue, Damage
from indexer.text.framed_lines import is_framed, read_framed
from indexer.text.stamped_lines import is_stamped, read_stamped
from indexer.text.substation import is_substation, read_substation
from indexer.text.ttml import read_ttml
from indexer.text.whisper_json import read_whisper


@dataclass(frozen=True, slots=True)
class CuesRead:
    """The cues of a file."""

    cues: list[Cue | Damage]
    language: str = ""  # as the content states it
    unit: str = "line"  # what `place` counts
    cut_off: bool = False  # there are more than MAX_CUES


def read_cues(text: str, rate: Fraction) -> CuesRead | None:
    """Return the cues of a text in any of the formats; None if it is in none of them.

    Args:
        text: The content of a file.
        rate: Frames per second of the video, for formats that count frames.

    Raises:
        ValueError: It is JSON or XML, and damaged; the message is a clause with `it` as its subject.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "").lstrip("\ufeff")
    head = text[:200].lstrip()
    if head.startswith("WEBVTT"):
        return _limited(read_blocks(text.lstrip()))
    if is_framed(text):
        return _limited(read_framed(text, rate))
    if is_substation(text):
        return _limited(read_substation(text))
    if head.startswith("<") and not is_blocks(text[:20_000]):
        found = read_ttml(text.lstrip())
        return found and _limited(found[1], language=found[0], unit="paragraph")
    if head.startswith(("{", '["', "[{", "[\n", "[ ", "[]")) and not is_blocks(text[:20_000]):
        transcript = read_whisper(text)
        return transcript and _limited(transcript[1], language=transcript[0], unit="segment")
    if is_blocks(text):
        # A transcript with both times in front of each line, such as Whisper prints, is none of these.
        return _limited(read_blocks(text))
    if is_stamped(text):
        return _limited(read_stamped(text))
    return None


def _limited(cues: Iterable[Cue | Damage], *, language: str = "", unit: str = "line") -> CuesRead:
    found = list(itertools.islice(cues, MAX_CUES + 1))
    return CuesRead(found[:MAX_CUES], language, unit, cut_off=len(found) > MAX_CUES)
