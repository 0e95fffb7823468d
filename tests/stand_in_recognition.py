"""Stand-ins of the engines that recognise words, which mean something: tones are words, painted bits are letters.

They need no library beyond numpy, and work in no time. `say` and `write` make what they understand.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from recognition.protocol import (
    SAMPLE_RATE,
    Cancel,
    FoundText,
    Passage,
    RecognizedLine,
    RecognizedWord,
)
from recognition.speech.passages import Heard, transcribe_passages

WORDS = {"red": 300, "green": 500, "blue": 700, "rot": 900, "blau": 1100}
"""Words by the frequency of their tone. The last two are German."""

WORD_SECONDS = 0.5
_GERMAN = ("rot", "blau")
_STEP = round(WORD_SECONDS * SAMPLE_RATE)
_SILENT_STEP = SAMPLE_RATE // 20

CELL = 4
_MARK = (255, 0, 255)


def say(*parts: str | float) -> NDArray[np.float32]:
    """Return sound: words one after the other, and numbers as seconds of silence between them."""
    time = np.arange(_STEP) / SAMPLE_RATE
    return np.concatenate(
        [
            np.zeros(round(part * SAMPLE_RATE), np.float32)
            if isinstance(part, int | float)
            else (0.5 * np.sin(2 * np.pi * WORDS[part] * time)).astype(np.float32)
            for part in parts
        ]
    )


def blocks(sound: NDArray[np.float32], size: int = 4_000) -> Iterator[NDArray[np.float32]]:
    """Return sound as a decoder hands it over."""
    for first in range(0, len(sound), size):
        yield sound[first : first + size]


class ToneTranscriber:
    """A `Transcriber` that hears the words of `say`: sounds between silences are lines."""

    id = "tones@1"

    def __init__(self) -> None:
        self.heard_seconds = 0.0  # of passages with speech, to see what was done again

    def prepare(self) -> None:
        pass

    def transcribe(
        self,
        audio: Iterable[NDArray[np.float32]],
        *,
        start_ms: int = 0,
        language: str | None = None,
        cancelled: Cancel | None = None,
    ) -> Iterator[Passage]:
        if language not in (None, "en", "de"):
            raise ValueError(f"tones are English or German, not {language!r}")
        return transcribe_passages(
            audio, loud_ranges, self._hear, start_ms=start_ms, language=language, cancelled=cancelled
        )

    def _hear(self, samples: NDArray[np.float32], language: str | None) -> Heard:
        self.heard_seconds += len(samples) / SAMPLE_RATE
        lines = [_line(samples, begin, end) for begin, end in loud_ranges(samples)]
        german = any(word in line.text.split() for line in lines for word in _GERMAN)
        return Heard(tuple(lines), language or ("de" if german else "en"), 0.9)


def loud_ranges(samples: NDArray[np.float32]) -> list[tuple[int, int]]:
    """Return the ranges of samples that are not silent, in steps of 50 ms."""
    steps = len(samples) // _SILENT_STEP
    loud = np.square(samples[: steps * _SILENT_STEP]).reshape(steps, _SILENT_STEP).mean(1) > 1e-4
    edges = np.flatnonzero(np.diff(np.concatenate([[False], loud, [False]]).astype(np.int8)))
    return [(int(a) * _SILENT_STEP, int(b) * _SILENT_STEP) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _line(samples: NDArray[np.float32], begin: int, end: int) -> RecognizedLine:
    words = []
    for first in range(begin, end, _STEP):
        piece = samples[first : min(first + _STEP, end)]
        spectrum = np.abs(np.fft.rfft(piece))
        frequency = spectrum.argmax() * SAMPLE_RATE / len(piece)
        word = min(WORDS, key=lambda word: abs(WORDS[word] - frequency))
        words.append(RecognizedWord(first // 16, min(first + _STEP, end) // 16, word, 0.9))
    text = " ".join(word.text for word in words)
    return RecognizedLine(begin // 16, end // 16, text, 0.9, tuple(words))


def write(frame: NDArray[np.uint8], text: str, row: int = 0, column: int = 0) -> None:
    """Paint a text into a picture: a mark, the number of its bytes, then its bits, each a cell of `CELL` pixels."""
    data = text.encode()
    bits = np.unpackbits(np.frombuffer(bytes([len(data)]) + data, np.uint8))
    y, x = row * CELL, column * CELL
    frame[y : y + CELL, x : x + CELL] = _MARK
    for i, bit in enumerate(bits, 1):
        frame[y : y + CELL, x + i * CELL : x + (i + 1) * CELL] = 255 if bit else 0


class PaintedTextReader:
    """A `TextReader` that reads what `write` painted."""

    id = "painted@1"

    def __init__(self) -> None:
        self.frames = 0  # that were read

    def prepare(self) -> None:
        pass

    def read(self, frame: NDArray[np.uint8]) -> list[FoundText]:
        if frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != 3 or not frame.size:
            raise ValueError(f"a frame must be uint8 (H, W, 3), got {frame.dtype} {frame.shape}")
        self.frames += 1
        height, width = frame.shape[:2]
        cells = frame[CELL // 2 :: CELL, CELL // 2 :: CELL].astype(np.int16)
        if not cells.size:
            return []
        found = []
        for row, column in np.argwhere((np.abs(cells - _MARK) < 60).all(2)):
            bits = (cells[row, column + 1 :, 1] > 127).astype(np.uint8)
            if len(bits) < 8:
                continue
            length = int(np.packbits(bits[:8])[0])
            text = np.packbits(bits[8 : 8 + 8 * length]).tobytes().decode("utf-8", "replace")
            side = CELL * (9 + 8 * length)
            box = (column * CELL / width, row * CELL / height, min(1.0, side / width), CELL / height)
            found.append(FoundText(text, 0.95, box))
        return found


def texts(found: Sequence[FoundText]) -> list[str]:
    """Return the texts alone."""
    return [each.text for each in found]
