"""All checks of an installation, in order. They change nothing, download nothing and print nothing."""

from __future__ import annotations

import platform
import sqlite3
from collections.abc import Iterator

from app.compose import Settings
from app.diagnostics.check_result import CheckResult
from app.diagnostics.environment import check_disk, check_ffmpeg, check_library, check_models, check_roots
from app.diagnostics.libraries import (
    check_decoder,
    check_faiss,
    check_shot_detection,
    check_torch,
    faiss_distributions,
    probe_libraries,
)


def run_checks(settings: Settings) -> Iterator[CheckResult]:
    """Check everything that indexing and searching need. Takes a few seconds.

    Yields:
        One result for each check, as soon as it is known.
    """
    yield _check_python()
    answers = probe_libraries()
    yield check_torch(answers["torch"])
    yield check_faiss(answers["faiss"], faiss_distributions())
    yield check_decoder(answers["av"])
    yield check_shot_detection(answers["scenedetect"])
    yield check_ffmpeg(settings)
    yield from check_models()
    yield check_library(settings)
    yield from check_roots(settings)
    yield check_disk(settings)


def _check_python() -> CheckResult:
    text = f"{platform.python_version()} on {platform.system()} {platform.machine()}, SQLite {sqlite3.sqlite_version}"
    return CheckResult("Python", "ok", text)
