"""Files of an export before they have their names: how they are called, and how those of a killed run go away."""

from __future__ import annotations

import time
from pathlib import Path

from app.exporting.ffmpeg_binary import ExportError

DRAFT = ".prismsearch-draft-"
"""What the passing names of files begin with. What follows tells drafts apart; parts of one begin as it does."""
_STALE_SECONDS = 24 * 3600.0


def made(directory: str | Path) -> Path:
    """The folder, absolute and there. Raises ExportError where it cannot be made."""
    folder = Path(directory).absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ExportError(f"the folder {folder} cannot be made: {error.strerror or error}") from error
    return folder


def sweep_drafts(folder: Path) -> None:
    """Remove what a killed run left here, long enough ago that nobody is still writing it."""
    for path in folder.glob(f"{DRAFT}*"):
        try:
            stale = time.time() - path.stat().st_mtime > _STALE_SECONDS
        except OSError:
            continue
        if stale:
            remove_draft(path)


def remove_draft(path: Path) -> None:
    """Remove it, if it is there and that can be done."""
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return  # a draft that stays is hidden, and swept by a later run
