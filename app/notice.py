"""What an encoder wants people to know, said where it matters: the demo encoder on files that are not of its world."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from app.terminal import say

if TYPE_CHECKING:
    from encoder import Encoder

DEMO_LIBRARY = Path(__file__).resolve().parent / "demo_library"
"""The bundled videos, with captions.json as ground truth."""


def say_notice(encoder: Encoder, paths: Iterable[str]) -> None:
    """Print the encoder's notice once, unless every one of these files and folders belongs to the demo library."""
    if encoder.notice and not all(_in_demo_library(path) for path in paths):
        say(f"note: {encoder.notice}")


def _in_demo_library(path: str) -> bool:
    return Path(os.path.realpath(path)).is_relative_to(DEMO_LIBRARY)
