"""Notice of an encoder's limits: the demo encoder works only on videos of the demo world."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from app.encoder_choice import other_text
from app.shell.terminal import print_note

if TYPE_CHECKING:
    from db.library import Library
    from encoder import Encoder

OTHER_TEXT = "another text encoder reads the words, so strengths and levels are its own; shots are as they were"
DEMO_LIBRARY = Path(__file__).resolve().parent.parent / "demo_library"
"""The bundled videos, with captions.json as ground truth."""


def notice_for(encoder: Encoder, paths: Iterable[str]) -> str | None:
    """Return the encoder's notice, or None if all `paths` (files, folders) belong to the demo library."""
    return None if not encoder.notice or all(_in_demo_library(path) for path in paths) else encoder.notice


def print_notice(encoder: Encoder, paths: Iterable[str]) -> None:
    """Print the notice that `notice_for` returns, if any."""
    notice = notice_for(encoder, paths)
    if notice:
        print_note(f"note: {notice} (use --encoder base for them)")


def print_other_text(library: Library, encoder: Encoder) -> None:
    """Print that sentences are read by another text encoder than the library's own, if they are."""
    own = other_text(library, encoder)
    if own is not None:
        print_note(f"note: {OTHER_TEXT} ({encoder.text_id}, not {own})")


def _in_demo_library(path: str) -> bool:
    return Path(os.path.realpath(path)).is_relative_to(DEMO_LIBRARY)
