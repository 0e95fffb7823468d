"""Errors of a single file, which the pipeline counts, records and reports."""

from __future__ import annotations

from typing import Literal, get_args

UnreadableKind = Literal[
    "missing", "permission", "empty", "not_video", "audio_only", "still_image", "encrypted", "unsupported", "broken",
    "error", "crashed", "stalled", "memory",
]  # fmt: skip
"""The reason why a file is not in the library; same values as `db.records.Failure.kind`.

missing, permission and empty concern the file; not_video, audio_only and still_image are intact files of another
kind; encrypted and unsupported are videos that no decoder at hand can decode; broken is a video without any decodable
frame; error is anything possibly temporary (a failing disk, a file that changes while it is read). crashed, stalled and
memory are the ends of a decoder in a process of its own: it crashed, made no progress, or took too much memory.
"""


class UnreadableVideo(Exception):
    """A file that cannot be read as a video.

    Attributes:
        path: Path of the file.
        kind: One of UnreadableKind.
        reason: One sentence for the user, without the path; `str()` has both.
    """

    def __init__(self, path: str, kind: UnreadableKind, reason: str) -> None:
        if kind not in get_args(UnreadableKind):
            raise ValueError(f"kind must be one of {', '.join(get_args(UnreadableKind))}, got {kind!r}")
        super().__init__(path, kind, reason)
        self.path = path
        self.kind: UnreadableKind = kind
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


class Cancelled(Exception):
    """Work was stopped because `cancelled()` returned True. Nothing was written."""
