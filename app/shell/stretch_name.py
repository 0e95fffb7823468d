"""Names of stretches of videos in messages."""

from __future__ import annotations

from app.shell.terminal import display_path
from app.times import format_timestamp


def stretch_name(path: str, start: float | None, end: float | None) -> str:
    """Return `clips/a.mp4@00:00:12.000-00:00:15.000`: several lines of a table may be of one video.

    Args:
        path: Of the video.
        start, end: In seconds; None where the table names none.
    """
    if start is None and end is None:
        return display_path(path)
    until = "" if end is None else f"-{format_timestamp(end)}"
    return f"{display_path(path)}@{format_timestamp(start or 0.0)}{until}"
