"""Which encoder a library was indexed with, by the name that loads it, so that searching needs no `--encoder` again.

An encoder's id says what shaped a vector, not how to load it; this small file beside the database does. It is a
convenience only: without it the default encoder and its own number of frames are used.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from files.replace import try_replace_file

if TYPE_CHECKING:
    from encoder import Fit

FILE = "encoders.json"


@dataclass(frozen=True, slots=True)
class Choice:
    """How an encoder was loaded: by `name` (absolute where it is a file), with `frames`, `fit` and `still_frames`."""

    name: str
    encoder_id: str
    frames: int | None
    fit: Fit
    still_frames: int = 0


def remember(directory: Path, choice: Choice) -> None:
    """Put `choice` first. The file is replaced whole; where it cannot be written, nothing is lost but convenience."""
    choices = [choice, *(other for other in recall_all(directory) if other.encoder_id != choice.encoder_id)]
    try_replace_file(directory / FILE, json.dumps([asdict(each) for each in choices], indent=1).encode())


def recall(directory: Path, name: str | None = None) -> Choice | None:
    """The choice used last, or the one used last under `name`; None where there is none or the file cannot be read."""
    wanted = None if name is None else canonical(name)
    return next((choice for choice in recall_all(directory) if wanted in (None, choice.name)), None)


def recall_all(directory: Path) -> list[Choice]:
    """Every choice, the last used first. A file that is missing, torn or from another version reads as empty."""
    try:
        rows = json.loads((directory / FILE).read_bytes())
        return [
            Choice(str(row["name"]), str(row["encoder_id"]), row["frames"], row["fit"], int(row.get("still_frames", 0)))
            for row in rows
        ]
    except (OSError, ValueError, TypeError, KeyError):
        return []


def canonical(name: str) -> str:
    """`name` as it is remembered: full names for aliases, absolute paths for files, so that it loads from anywhere."""
    from encoder.config import ALIASES

    if name in ALIASES:
        return ALIASES[name]
    return os.path.abspath(name) if os.path.exists(name) else name
