"""Transcripts as JSON: those of Whisper, faster-whisper, WhisperX and whisper.cpp, with times of words."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from db.timed_text import TimedWord
from files.json_file import parse_json
from indexer.text.cues import MAX_TEXT, NO_TIMES, Cue, Damage, time_of
from indexer.text.languages import language_tag
from indexer.text.markup import tidy

_MOST_WORDS = 1_000  # of a segment


def read_whisper(text: str) -> tuple[str, list[Cue | Damage]] | None:
    """Return language and cues of a transcript; None for any other JSON.

    The place of a cue is the number of its segment.

    Raises:
        ValueError: The text is not JSON.
    """
    value = parse_json(text, any_number=True)
    language = ""
    if isinstance(value, dict):
        inner = value.get("result")
        stated = value.get("language") or (inner.get("language") if isinstance(inner, dict) else None)
        language = language_tag(stated) if isinstance(stated, str) else ""
        value = value.get("segments", value.get("transcription"))
    if not isinstance(value, list) or not any(isinstance(each, dict) and "text" in each for each in value):
        return None
    return language, [_segment(number, each) for number, each in enumerate(value, 1)]


def _segment(number: int, segment: Any) -> Cue | Damage:
    if not isinstance(segment, dict) or not isinstance(segment.get("text"), str):
        return Damage(number, "it has no text")
    start, end = _times(segment)
    if start is None or end is None:
        return Damage(number, NO_TIMES)
    words = segment.get("words")
    return Cue(
        number,
        start,
        end,
        tidy(segment["text"][: 2 * MAX_TEXT]),
        tuple(_words(words)) if isinstance(words, list) else (),
        _confidence(segment),
    )


def _times(segment: dict[str, Any]) -> tuple[int | None, int | None]:
    """Return start and end: in seconds, or as whisper.cpp writes them."""
    if isinstance(segment.get("offsets"), dict):
        offsets = segment["offsets"]
        return _milliseconds(offsets.get("from"), 1), _milliseconds(offsets.get("to"), 1)
    if isinstance(segment.get("timestamps"), dict):
        stamps = segment["timestamps"]
        return time_of(str(stamps.get("from"))[:20]), time_of(str(stamps.get("to"))[:20])
    return _milliseconds(segment.get("start"), 1000), _milliseconds(segment.get("end"), 1000)


def _words(words: list[Any]) -> Iterator[TimedWord]:
    """Yield the words that have times: WhisperX has none for numbers."""
    for word in words[:_MOST_WORDS]:
        stated = word.get("word", word.get("text")) if isinstance(word, dict) else None
        if not isinstance(stated, str):
            continue
        text = tidy(stated[:MAX_TEXT]).replace("\n", " ")
        start, end = _times(word)
        if text and start is not None and end is not None and 0 <= start <= end:
            yield TimedWord(start, end, text, _share(word.get("probability", word.get("score"))))


def _confidence(segment: dict[str, Any]) -> float | None:
    """Return the probability of a token of the segment, averaged as Whisper does: of logarithms."""
    logarithm = segment.get("avg_logprob")
    if isinstance(logarithm, bool) or not isinstance(logarithm, int | float):
        return None
    return math.exp(min(0.0, logarithm))


def _share(value: object) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and 0 <= value <= 1 else None  # type: ignore[arg-type, operator]


def _milliseconds(value: object, per_unit: int) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > 10**9:
        return None
    return round(value * per_unit)
