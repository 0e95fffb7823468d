"""Lines of engines as lines of the library, and what is checked before a video is read again."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from db.media_roots import absent_text
from db.timed_text import TextSource, TimedLine, TimedWord
from files.file_times import is_same_stamp
from indexer.media.errors import UnreadableVideo

if TYPE_CHECKING:
    from db.records import Video
    from recognition.protocol import RecognizedLine


@dataclass(frozen=True, slots=True, kw_only=True)
class RecognizedText:
    """What an engine recognised in a video, to be stored, and what it took.

    Attributes:
        source: Kind, engine and language.
        lines: In order of time.
        cpu_seconds: CPU time of this process and of the decoder.
        frames: Frames that were read.
        shots: Shots that these are of.
    """

    source: TextSource
    lines: tuple[TimedLine, ...]
    cpu_seconds: float
    frames: int = 0
    shots: int = 0


def timed_lines(lines: Iterable[RecognizedLine]) -> tuple[TimedLine, ...]:
    """Return lines as the library stores them, by their start; without blank ones."""
    made = [
        TimedLine(
            line.start_ms,
            line.end_ms,
            line.text,
            line.confidence,
            tuple(
                TimedWord(word.start_ms, word.end_ms, word.text, word.confidence)
                for word in line.words
                if word.text.strip()
            ),
            line.box,
        )
        for line in lines
        if line.text.strip()
    ]
    return tuple(sorted(made, key=lambda line: (line.start_ms, line.end_ms)))


def require_as_indexed(video: Video) -> None:
    """Raise UnreadableVideo if the file is not there, or no longer has the size and time with which it was indexed."""
    try:
        found = os.stat(video.path)
    except FileNotFoundError:
        reason = absent_text(video.path, "The file is not there; is a drive disconnected?")
        raise UnreadableVideo(video.path, "missing", reason) from None
    except OSError as error:
        raise UnreadableVideo(video.path, "error", f"The file cannot be read ({error.strerror or error}).") from error
    if not is_same_stamp((found.st_size, found.st_mtime_ns), (video.size_bytes, video.modified_ns)):
        raise UnreadableVideo(video.path, "error", "The file has changed since it was indexed; index it again.")
