"""A stream of sound in passages, and the loop over them that every engine shares.

A passage ends in a pause, so that no word is cut, and has `MOST_SECONDS` at most, which is what Whisper hears at once.
Passages do not depend on each other: work that was stopped begins again at the end of any of them with the same result,
and no more sound than one passage is held.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from recognition.errors import Cancelled
from recognition.protocol import SAMPLE_RATE, Cancel, Passage, RecognizedLine

MOST_SECONDS = 30

SETTLED = 0.8
"""Confidence from which a detected language holds for the rest of the sound, and is detected no more."""

_SAMPLES_PER_MS = SAMPLE_RATE // 1000
_SHORTEST_PAUSE = SAMPLE_RATE // 10
_QUIET_FRAME = SAMPLE_RATE // 50  # a place to cut speech without a pause is one of these, of 20 ms
_QUIET_SEARCH = 5 * SAMPLE_RATE  # in the last seconds of a passage

FindSpeech = Callable[[NDArray[np.float32]], Sequence[tuple[int, int]]]
"""Returns where somebody speaks: ranges of samples, in order and without overlap."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What an engine makes of one passage. Times are counted from the beginning of the passage."""

    lines: tuple[RecognizedLine, ...]
    language: str | None
    language_confidence: float | None


Hear = Callable[[NDArray[np.float32], "str | None"], Heard]
"""Recognises the speech of a passage, float32 (n,), in a language; None for one that is to be detected."""


@dataclass(frozen=True, slots=True)
class Sound:
    """The samples of a passage, and whether somebody speaks in it."""

    start: int  # in samples from the beginning of the stream; a whole millisecond
    samples: NDArray[np.float32]
    speech: bool


def transcribe_passages(
    audio: Iterable[NDArray[np.float32]],
    find_speech: FindSpeech,
    hear: Hear,
    *,
    start_ms: int = 0,
    language: str | None = None,
    cancelled: Cancel | None = None,
) -> Iterator[Passage]:
    """Transcribe a stream passage by passage: `Transcriber.transcribe` over the functions of an engine.

    Args:
        audio, start_ms, language, cancelled: See `Transcriber.transcribe`.
        find_speech: Voice activity detection. Passages without speech are not heard.
        hear: The engine.

    Yields:
        Passages in order.

    Raises:
        ValueError: A block has another type or shape.
        Cancelled: `cancelled` returned True.
    """
    confidence: float | None = None if language is None else 1.0
    for sound in cut_at_pauses(audio, find_speech):
        if cancelled is not None and cancelled():
            raise Cancelled("the transcription was stopped")
        first = start_ms + sound.start // _SAMPLES_PER_MS
        length = len(sound.samples) // _SAMPLES_PER_MS
        if not sound.speech:
            yield Passage(first, first + length, (), language, confidence, settled=language)
            continue
        heard = hear(sound.samples, language)
        if language is None:
            settled = heard.language if (heard.language_confidence or 0) >= SETTLED else None
            passage_language, passage_confidence = heard.language, heard.language_confidence
            language, confidence = settled, heard.language_confidence if settled else None
        else:
            passage_language, passage_confidence = language, confidence
        lines = tuple(_shifted(line, first, length) for line in heard.lines)
        yield Passage(first, first + length, lines, passage_language, passage_confidence, settled=language)


def cut_at_pauses(audio: Iterable[NDArray[np.float32]], find_speech: FindSpeech) -> Iterator[Sound]:
    """Cut a stream of float32 (n,) blocks at pauses, into passages of at most `MOST_SECONDS`.

    Speech without a pause is cut where it is quietest. Raise ValueError for a block of another type or shape.
    """
    stream = _Samples(audio)
    most = MOST_SECONDS * SAMPLE_RATE
    start, held = 0, np.empty(0, np.float32)
    while True:
        held = np.concatenate([held, stream.take(most - len(held))])
        if not len(held):
            return
        ended = len(held) < most
        speech = find_speech(held)
        cut = len(held) if ended else _place_to_cut(held, speech)
        yield Sound(start, held[:cut], any(begin < cut for begin, _ in speech))
        if ended:
            return
        start += cut
        held = held[cut:]


class _Samples:
    """A stream of blocks as one of samples."""

    def __init__(self, blocks: Iterable[NDArray[np.float32]]) -> None:
        self._blocks = iter(blocks)
        self._block = np.empty(0, np.float32)

    def take(self, count: int) -> NDArray[np.float32]:
        """Return the next samples: `count`, or fewer at the end of the stream."""
        taken = [self._block[:count]]
        self._block = self._block[count:]
        missing = count - len(taken[0])
        while missing and (block := next(self._blocks, None)) is not None:
            if block.dtype != np.float32 or block.ndim != 1:
                raise ValueError(f"sound must come as float32 (n,), got {block.dtype} {block.shape}")
            taken.append(block[:missing])
            self._block = block[missing:]
            missing -= len(taken[-1])
        return np.concatenate(taken)


def _place_to_cut(held: NDArray[np.float32], speech: Sequence[tuple[int, int]]) -> int:
    """Return the middle of the last pause, else the quietest place of the last seconds; a whole millisecond, not 0."""
    ends = [0, *(end for _, end in speech)]
    starts = [*(begin for begin, _ in speech), len(held)]
    if not speech:
        return len(held)
    pauses = [(end, begin) for end, begin in zip(ends, starts, strict=True) if begin - end >= _SHORTEST_PAUSE]
    if pauses:
        middle = sum(pauses[-1]) // 2
    else:
        tail = held[-_QUIET_SEARCH:]
        loudness = np.square(tail[: len(tail) // _QUIET_FRAME * _QUIET_FRAME]).reshape(-1, _QUIET_FRAME).sum(1)
        middle = len(held) - len(tail) + int(loudness.argmin()) * _QUIET_FRAME + _QUIET_FRAME // 2
    return middle // _SAMPLES_PER_MS * _SAMPLES_PER_MS


def _shifted(line: RecognizedLine, first: int, length: int) -> RecognizedLine:
    """Move a line of a passage to where the passage is. Engines state times a little beyond its end: these are cut."""

    def at(time: int) -> int:
        return first + min(max(time, 0), length)

    words = tuple(replace(word, start_ms=at(word.start_ms), end_ms=at(word.end_ms)) for word in line.words)
    return replace(line, start_ms=at(line.start_ms), end_ms=at(line.end_ms), words=words)
