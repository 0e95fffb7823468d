"""Protocols of engines that recognise words, and the records that they return. Standard library only.

Times are integer milliseconds. Those of speech are counted from the beginning of the video's sound as the caller
decodes it; pictures have no times of their own, so what is read in one has none either: `recognition.screen.merging`
gives it the times of the frames.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SAMPLE_RATE = 16_000
"""Samples a second of the sound that a `Transcriber` takes."""

Box = tuple[float, float, float, float]
"""Left, top, width and height as shares of the picture, 0 to 1."""

Cancel = Callable[[], bool]
"""Called between pieces of work; True asks to stop."""


@dataclass(frozen=True, slots=True)
class RecognizedWord:
    """A word of a line."""

    start_ms: int
    end_ms: int
    text: str
    confidence: float | None = None  # 0 to 1


@dataclass(frozen=True, slots=True)
class RecognizedLine:
    """Words that are said, or shown, together."""

    start_ms: int
    end_ms: int  # exclusive
    text: str
    confidence: float | None = None  # 0 to 1
    words: tuple[RecognizedWord, ...] = ()  # of speech, in order
    box: Box | None = None  # of text on screen


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of sound that is done: its lines can be stored, and the work can begin again at its end.

    Passages follow each other without gaps. A passage in which nobody speaks has no lines.
    """

    start_ms: int
    end_ms: int
    lines: tuple[RecognizedLine, ...]
    language: str | None = None  # a code of ISO 639, such as "en"; None if nothing was said or it is not known
    language_confidence: float | None = None  # 0 to 1; 1 for a language that the caller stated
    settled: str | None = None  # the language to go on with at its end; None if it has still to be detected


@dataclass(frozen=True, slots=True)
class FoundText:
    """A line of text in one picture."""

    text: str
    confidence: float  # 0 to 1
    box: Box  # around the line, however it is turned


class Transcriber(Protocol):
    """An engine that recognises speech."""

    @property
    def id(self) -> str:
        """Name, weights and number format: what is stored beside lines, to tell which engine made them.

        Raises:
            RecognitionError: The model is missing.
        """
        ...

    def prepare(self) -> None:
        """Load what is not loaded yet.

        Raises:
            EngineUnavailable: Its library is not installed.
            ModelUnusable: Its model is missing or damaged.
        """
        ...

    def transcribe(
        self,
        audio: Iterable[NDArray[np.float32]],
        *,
        start_ms: int = 0,
        language: str | None = None,
        cancelled: Cancel | None = None,
    ) -> Iterator[Passage]:
        """Recognise the speech in a stream of sound, passage by passage. Holds half a minute of it at most.

        The end of the last passage is the progress. Begun again at the end of a passage, with `Passage.settled` as the
        language, it returns the same passages from there on.

        Args:
            audio: The sound in blocks of any length, float32 (n,), mono, `SAMPLE_RATE`, -1 to 1. It is read no
                faster than it is transcribed.
            start_ms: The time of the first sample.
            language: The language that is spoken; None detects it.
            cancelled: Asked before each passage.

        Yields:
            Passages in order. All times are whole milliseconds and include `start_ms`.

        Raises:
            ValueError: A block has another type or shape, or the engine does not know the language.
            Cancelled: `cancelled` returned True.
            RecognitionError: As `prepare`.
        """
        ...


class TextReader(Protocol):
    """An engine that reads text in pictures. Several threads may use it at the same time; they take turns."""

    @property
    def id(self) -> str:
        """As `Transcriber.id`."""
        ...

    def prepare(self) -> None:
        """As `Transcriber.prepare`."""
        ...

    def read(self, frame: NDArray[np.uint8]) -> list[FoundText]:
        """Read the text in a picture.

        Args:
            frame: uint8 (H, W, 3) RGB, as shown: rotated, and with square pixels. Any size.

        Returns:
            Its lines from top to bottom, then from left to right.

        Raises:
            ValueError: The frame has another type or shape.
            RecognitionError: As `prepare`.
        """
        ...
