"""Files of an export before they have their names: how they are called, and how those of a killed run go away."""

from __future__ import annotations

from pathlib import Path

from app.exporting.ffmpeg_binary import ExportError


def made(directory: str | Path) -> Path:
    """The folder, absolute and there. Raises ExportError where it cannot be made."""
    folder = Path(directory).absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ExportError(f"the folder {folder} cannot be made: {error.strerror or error}") from error
    return folder
