"""Cache of moments: small files in a folder of the library, of which the oldest go. Problems mean "no cache"."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from files.json_file import read_json
from files.replace import try_replace_file
from files.sweep import sweep_files
from search.moments.moment import Moment

if TYPE_CHECKING:
    from db.records import Segment
    from encoder import Encoder

FOLDER = "moments"
FORMAT = 1
"""Raised whenever the same question would get another moment than before."""
MOST_FILES = 2000  # about 1 KB each
_MAX_BYTES = 64_000
_SUFFIX = ".json"
_STALE_SECONDS = 600.0


def moment_key(segment: Segment, encoder: Encoder, question: str) -> str:
    """Return the name of a moment: of a segment, an encoder with its text encoder, and a question."""
    named = f"{FORMAT}\n{segment.id} {segment.start_pts} {segment.end_pts}\n{encoder.id}\n{encoder.text_id}\n{question}"
    return hashlib.blake2b(named.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


class MomentCache:
    """Moments by name, in files. Thread-safe; several processes may share the folder."""

    def __init__(self, library_directory: Path, *, read_only: bool = False) -> None:
        """Create the cache of a library; nothing is read or written yet.

        Args:
            library_directory: The folder of the library.
            read_only: Keep nothing new.
        """
        self._folder = library_directory / FOLDER
        self._read_only = read_only

    def get(self, key: str) -> Moment | None:
        """Return a moment, or None if it is not kept, or damaged."""
        try:
            return _moment(read_json(self._folder / f"{key}{_SUFFIX}", max_bytes=_MAX_BYTES, follow_links=False))
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def put(self, key: str, moment: Moment) -> None:
        """Keep a moment, if there is room; drop the oldest ones beyond MOST_FILES."""
        import json

        if self._read_only:
            return
        with suppress(OSError):
            self._folder.mkdir(exist_ok=True)
            try_replace_file(self._folder / f"{key}{_SUFFIX}", json.dumps(asdict(moment)).encode())
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        sweep_files(self._folder, ".", older_than_seconds=_STALE_SECONDS)  # left by killed processes
        with os.scandir(self._folder) as entries:
            kept = [entry for entry in entries if entry.name.endswith(_SUFFIX)]
        if len(kept) <= MOST_FILES:
            return
        kept.sort(key=lambda entry: entry.stat(follow_symlinks=False).st_mtime_ns)
        for entry in kept[: len(kept) - MOST_FILES * 9 // 10]:
            with suppress(OSError):
                os.unlink(entry.path)


def _moment(record: Mapping[str, Any]) -> Moment:
    """Return the moment of a record. Raise ValueError, TypeError or KeyError for any other."""
    backwards = record["backwards"]
    curve = tuple((_pts(pts), float(score)) for pts, score in record["curve"])
    if type(record["is_whole"]) is not bool:
        raise TypeError
    return Moment(
        start_pts=_pts(record["start_pts"]),
        end_pts=_pts(record["end_pts"]),
        is_whole=record["is_whole"],
        score=float(record["score"]),
        whole_score=float(record["whole_score"]),
        curve=curve,
        backwards=None if backwards is None else float(backwards),
        seconds=float(record["seconds"]),
    )


def _pts(value: Any) -> int:
    if type(value) is not int:
        raise TypeError
    return value
