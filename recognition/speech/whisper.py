"""Whisper (Radford et al., arXiv 2212.04356) on CTranslate2, by faster-whisper; voice activity by Silero VAD.

What this adds to the library: sound that comes as a stream, passages that do not depend on each other, and words that
are only decoded greedily by beam search, never sampled, so that a second run gives the same.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recognition.errors import EngineUnavailable, ModelUnusable
from recognition.protocol import Cancel, Passage, RecognizedLine, RecognizedWord
from recognition.speech.invented import Said, SpeechFilter, credible
from recognition.speech.models import WhisperFolder
from recognition.speech.passages import Heard, transcribe_passages

BEAM = 5  # Whisper's own

_PAUSE_MS = 500
_PAD_MS = 200
_VOICE = 0.5  # probability, Silero's own


class WhisperTranscriber:
    """A `recognition.protocol.Transcriber`. Several threads may use it; they take turns, passage by passage."""

    def __init__(
        self, model: WhisperFolder, *, threads: int, device: str = "cpu", limits: SpeechFilter | None = None
    ) -> None:
        """Make an engine. Nothing is loaded yet.

        Args:
            model: From `recognition.speech.models.find_model`.
            threads: Threads that compute, at least 1.
            device: cpu (int8) or cuda (float16, needs the CUDA libraries that CTranslate2 asks for).
            limits: Filters against invented phrases; None for the usual ones.

        Raises:
            ValueError: There is no such device, or no thread.
        """
        if device not in ("cpu", "cuda"):
            raise ValueError(f"device must be cpu or cuda, got {device!r}")
        if threads < 1:
            raise ValueError(f"threads must be at least 1, got {threads}")
        self._model = model
        self._threads = threads
        self._device = device
        self._format = "int8" if device == "cpu" else "float16"
        self._limits = limits or SpeechFilter()
        self._lock = threading.Lock()
        self._loaded: Any = None

    @property
    def id(self) -> str:
        """See `Transcriber.id`."""
        return f"{self._model.name}@{self._model.weights_digest()[:12]}:{self._format}"

    def prepare(self) -> None:
        """See `Transcriber.prepare`."""
        with self._lock:
            self._load()

    def transcribe(
        self,
        audio: Iterable[NDArray[np.float32]],
        *,
        start_ms: int = 0,
        language: str | None = None,
        cancelled: Cancel | None = None,
    ) -> Iterator[Passage]:
        """See `Transcriber.transcribe`."""
        self.prepare()
        known = self._loaded.supported_languages
        if language is not None and language not in known:
            raise ValueError(f"{self._model.name} does not know the language {language!r}; it knows {', '.join(known)}")
        return transcribe_passages(
            audio, self._find_speech, self._hear, start_ms=start_ms, language=language, cancelled=cancelled
        )

    def _load(self) -> Any:
        if self._loaded is None:
            faster_whisper = _library()
            try:
                self._loaded = faster_whisper.WhisperModel(
                    str(self._model.path),
                    device=self._device,
                    compute_type=self._format,
                    cpu_threads=self._threads,
                    num_workers=1,
                    local_files_only=True,
                )
            except (RuntimeError, ValueError, OSError) as error:
                raise ModelUnusable(
                    f"the speech model {self._model.path} cannot be loaded ({_first_line(error)}); delete it and fetch "
                    "it again"
                ) from error
        return self._loaded

    def _find_speech(self, samples: NDArray[np.float32]) -> list[tuple[int, int]]:
        from faster_whisper.vad import VadOptions, get_speech_timestamps

        found = get_speech_timestamps(samples, VadOptions(**_VOICE_OPTIONS))
        return [(stretch["start"], stretch["end"]) for stretch in found]

    def _hear(self, samples: NDArray[np.float32], language: str | None) -> Heard:
        limits = self._limits
        with self._lock:
            segments, about = self._loaded.transcribe(
                samples,
                language=language,
                beam_size=BEAM,
                temperature=0.0,
                condition_on_previous_text=False,  # passages stay independent, and a loop ends with its passage
                word_timestamps=True,
                vad_filter=True,
                vad_parameters=_VOICE_OPTIONS,
                no_speech_threshold=limits.no_speech,
                log_prob_threshold=limits.log_probability,
                compression_ratio_threshold=limits.compression,
                hallucination_silence_threshold=limits.silence_seconds,
            )
            found = [(_line(segment), segment) for segment in segments]
        said = [
            Said(line.text, segment.no_speech_prob, segment.avg_logprob, line.confidence or 0.0)
            for line, segment in found
        ]
        lines = tuple(line for (line, _), kept in zip(found, credible(said, limits), strict=True) if kept)
        return Heard(lines, about.language, float(about.language_probability))


_VOICE_OPTIONS = {"threshold": _VOICE, "min_silence_duration_ms": _PAUSE_MS, "speech_pad_ms": _PAD_MS}


def require_library() -> None:
    """Raise EngineUnavailable unless faster-whisper can be used."""
    _library()


def _library() -> Any:
    """Import and return faster_whisper. Raise EngineUnavailable."""
    try:
        import faster_whisper
    except ImportError as error:
        raise EngineUnavailable(
            f"speech recognition is not installed ({_first_line(error)}); install the extra that brings it: "
            "pip install 'prismsearch[speech]'"
        ) from error
    return faster_whisper


def _line(segment: Any) -> RecognizedLine:
    """Return a segment of the library as a line. Its confidence is the mean probability of its words."""
    words = tuple(
        RecognizedWord(
            _milliseconds(word.start),
            max(_milliseconds(word.start), _milliseconds(word.end)),
            word.word.strip(),
            min(max(float(word.probability), 0.0), 1.0),
        )
        for word in segment.words or ()
        if word.word.strip()
    )
    confidences = [word.confidence for word in words if word.confidence is not None]
    confidence = sum(confidences) / len(confidences) if confidences else float(np.exp(min(segment.avg_logprob, 0.0)))
    start = _milliseconds(segment.start)
    return RecognizedLine(start, max(start, _milliseconds(segment.end)), segment.text.strip(), confidence, words)


def _milliseconds(seconds: float) -> int:
    return round(float(seconds) * 1000)


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
