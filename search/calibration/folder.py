"""Folder of a library for what calibrates an encoder in it: statistics of its rows, and thresholds."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from files.links import is_link

THRESHOLD_PREFIX = "duplicates-"
"""With what the names of files begin that hold a measured number, and no rows."""


def calibration_folder(library_directory: Path) -> Path:
    """Return the folder of the library at `library_directory`; it may not exist."""
    return library_directory / "calibration"


def forget_rows(library_directory: Path) -> None:
    """Delete what holds rows, which the next search makes again. What cannot be deleted, or is behind a link, stays."""
    folder = calibration_folder(library_directory)
    for path in [] if is_link(folder) else folder.glob("*"):
        if not path.name.startswith(THRESHOLD_PREFIX):
            with suppress(OSError):
                path.unlink()
