"""Folder of a library that holds the calibration of an encoder: statistics of its rows, and thresholds."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from files.links import is_link

DUPLICATES_PREFIX, TAKES_PREFIX = "duplicates-", "takes-"
MEASURED_PREFIXES = (DUPLICATES_PREFIX, TAKES_PREFIX)
"""Prefixes of files that hold a measured number and no rows."""


def calibration_folder(library_directory: Path) -> Path:
    """Return the folder of the library at `library_directory`; it may not exist."""
    return library_directory / "calibration"


def forget_rows(library_directory: Path) -> None:
    """Delete files of rows, which the next search makes again. Undeletable files, and those behind a link, stay."""
    folder = calibration_folder(library_directory)
    for path in [] if is_link(folder) else folder.glob("*"):
        if not path.name.startswith(MEASURED_PREFIXES):
            with suppress(OSError):
                path.unlink()
