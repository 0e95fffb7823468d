"""The engines that recognise words, chosen and given their threads: what `app.compose` is for everything else.

One budget of threads: reading and transcribing are jobs of their own, in which decoders and torch wait while an engine
computes. So an engine takes every core that this process may use, and nothing else takes any at the same time.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.compose import Settings
    from encoder.checkpoints.download_policy import Sources
    from recognition.protocol import TextReader, Transcriber


def cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def open_text_reader() -> TextReader:
    """Return the engine that reads text in pictures, loaded. It has all cores: decoders and torch wait while it reads.

    Raises:
        RecognitionError: The extra `ocr` is not installed, or its models are damaged.
    """
    from recognition.screen.rapid import RapidTextReader

    reader = RapidTextReader(threads=cores())
    reader.prepare()
    return reader


def has_text_reader() -> bool:
    """Return whether the extra `ocr` is installed. Imports nothing of it."""
    from recognition.screen.models import installed

    return installed()


def require_text_reader() -> None:
    """Raise RecognitionError unless the extra `ocr` is installed. Imports nothing of it."""
    from recognition.screen.models import require_installed

    require_installed()


def text_reader_id() -> str:
    """Return the `TextReader.id` of what `open_text_reader` opens, without loading it."""
    from recognition.screen.rapid import RapidTextReader

    return RapidTextReader(threads=1).id


def has_transcriber() -> bool:
    """Return whether the extra `speech` is installed. Imports nothing of it."""
    from recognition.speech.models import installed

    return installed()


def require_speech() -> None:
    """Raise RecognitionError unless the extra `speech` is installed."""
    from recognition.speech.whisper import require_library

    require_library()


def fetch_speech_model(model: str, sources: Sources) -> None:
    """Download the files of a speech model that this machine does not have. Raises as `open_transcriber`."""
    from app.model_downloads import fetch_from
    from recognition.speech.models import find_model

    find_model(model, fetch_from(sources))


def open_transcriber(settings: Settings, model: str, sources: Sources) -> Transcriber:
    """Return the engine that transcribes speech. It has all cores: decoders wait while it hears.

    Args:
        settings: The device: CTranslate2 computes on the CPU, or with CUDA where that is named.
        model: A name of `recognition.speech.models.SPEECH_MODELS`, or a folder.
        sources: Who is asked before a missing model is downloaded, and who follows it.

    Raises:
        ValueError: There is no such model.
        RecognitionError, EncoderError: The model is damaged, or it is missing and may not be downloaded.
    """
    from app.model_downloads import fetch_from
    from recognition.speech.models import find_model
    from recognition.speech.whisper import WhisperTranscriber

    device = "cuda" if settings.device.startswith("cuda") else "cpu"
    return WhisperTranscriber(find_model(model, fetch_from(sources)), threads=cores(), device=device)
