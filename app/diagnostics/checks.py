"""What is there and what is missing, as a list of findings. Changes nothing, downloads nothing, prints nothing."""

from __future__ import annotations

import platform
import sqlite3
from collections.abc import Iterator

from app.compose import Settings
from app.diagnostics.libraries import (
    ask_libraries,
    decoder_finding,
    detection_finding,
    faiss_distributions,
    faiss_finding,
    torch_finding,
)
from app.diagnostics.places import disk, ffmpeg, library, models
from app.diagnostics.result import Finding


def examine(settings: Settings) -> Iterator[Finding]:
    """Everything that indexing and searching need, one finding after the other. Takes a few seconds."""
    yield _python()
    answers = ask_libraries()
    yield torch_finding(answers["torch"])
    yield faiss_finding(answers["faiss"], faiss_distributions())
    yield decoder_finding(answers["av"])
    yield detection_finding(answers["scenedetect"])
    yield ffmpeg(settings)
    yield from models(settings)
    yield library(settings)
    yield disk(settings)


def _python() -> Finding:
    text = f"{platform.python_version()} on {platform.system()} {platform.machine()}, SQLite {sqlite3.sqlite_version}"
    return Finding("Python", "ok", text)
