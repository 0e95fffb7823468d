"""Notice of an encoder's limits: the demo encoder works only on videos of the demo world; some are slow."""

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


def limits_hits(encoder: Encoder) -> bool:
    """Return whether an encoder has a notice that is about its hits, and not about its speed."""
    from encoder.openclip.pretrained import PREFIX

    return bool(encoder.notice) and not encoder.id.startswith(PREFIX)


def notice_for(encoder: Encoder, paths: Iterable[str]) -> str | None:
    """Return the encoder's notice, or None if it is about hits and all `paths` belong to the demo library."""
    if limits_hits(encoder) and all(_in_demo_library(path) for path in paths):
        return None
    return encoder.notice or None


def print_notice(encoder: Encoder, paths: Iterable[str]) -> None:
    """Print the notice that `notice_for` returns, if any."""
    notice = notice_for(encoder, paths)
    if notice:
        print_note(f"note: {notice}{' (use --encoder base for them)' if limits_hits(encoder) else ''}")


def print_other_text(library: Library, encoder: Encoder) -> None:
    """Print that sentences are read by another text encoder than the library's own, if they are."""
    own = other_text(library, encoder)
    if own is not None:
        print_note(f"note: {OTHER_TEXT} ({encoder.text_id}, not {own})")


def _in_demo_library(path: str) -> bool:
    return Path(os.path.realpath(path)).is_relative_to(DEMO_LIBRARY)
