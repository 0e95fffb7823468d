"""What is known of the encoders that a library was indexed with, so that a run with nothing to encode loads none.

A small file beside the database. It is a convenience only: without it, or where it cannot be believed, the encoder is
loaded first.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import astuple, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from files.replace import try_replace_file

if TYPE_CHECKING:
    from encoder import Encoder


@dataclass(frozen=True, slots=True)
class Asked:
    """Everything that decides which encoder it is."""

    name: str
    device: str
    frames: int | None
    fit: str
    still_frames: int = 0
    precision: str | None = None

    @property
    def key(self) -> str:
        return json.dumps(astuple(self))


FILE = "known-encoders.json"
_MOST = 8


def open_deferred(
    directory: Path, asked: Asked, load: Callable[[], Encoder], files: Callable[[], list[Path]]
) -> Encoder:
    """The encoder, loaded only when it has to encode where it is known from before; else loaded, and noted.

    load: gives what is asked for. files: where it was loaded from; none where that cannot be told, and then it is
    loaded each time.
    """
    from encoder.lazy import EncoderDescription, LazyEncoder, describe

    records = _read(directory)
    try:
        known = EncoderDescription.from_record(records[asked.key])
    except (KeyError, TypeError, ValueError):
        known = None

    def load_and_note() -> Encoder:
        encoder = load()
        came_from = files()
        if came_from:
            try:
                note = describe(encoder, came_from).as_record()
            except OSError:
                return encoder
            # The next run will ask for the frames that it was, where this one left them to the encoder.
            keys = {asked.key, replace(asked, frames=encoder.clip_spec.frames).key}
            if any(records.get(key) != note for key in keys):
                kept = [(key, value) for key, value in records.items() if key not in keys]
                _write(directory, dict([*((key, note) for key in sorted(keys)), *kept[:_MOST]]))
        return encoder

    if known is None or not known.is_current():
        return load_and_note()
    return LazyEncoder(known, load)


def _read(directory: Path) -> dict[str, Any]:
    try:
        records = json.loads((directory / FILE).read_bytes())
    except (OSError, ValueError):
        return {}
    return records if isinstance(records, dict) else {}


def _write(directory: Path, records: dict[str, Any]) -> None:
    """Where it cannot be written, the next run loads the encoder again, and that is all."""
    with suppress(OSError):
        directory.mkdir(parents=True, exist_ok=True)
        try_replace_file(directory / FILE, json.dumps(records, indent=1).encode())
