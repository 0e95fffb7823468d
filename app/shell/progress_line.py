"""Progress of an index run as one line."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from app.shell.terminal import LiveLine, count_text
from app.times import format_duration

if TYPE_CHECKING:
    from indexer.progress import Progress


class ProgressLine:
    """Display of Progress on a LiveLine."""

    def __init__(self, line: LiveLine) -> None:
        self._line = line

    def show(self, progress: Progress) -> None:
        """Show `progress`. Called at most ten times a second."""
        if progress.phase == "done":
            return
        # Phases without work are not shown, so that a run over unchanged folders goes straight to its report.
        if progress.phase != "scan" and not progress.files_total:
            return
        self._line.show(progress_text(progress), detail_text(progress), heading=progress.phase)


def progress_text(progress: Progress) -> str:
    """Return `indexing  12/240 videos   31%  8.4x real time  2:31 left  1 failed`, without unknown parts."""
    if progress.phase == "scan":
        return (
            f"looking for videos  {count_text(progress.files_done, 'file')}"
            if progress.files_done
            else "looking for videos"
        )
    if progress.phase == "facts":
        return f"reading what files state  {progress.files_done:,}/{progress.files_total:,}"
    if progress.phase == "fingerprint":
        return f"comparing contents  {progress.files_done:,}/{progress.files_total:,}"
    width = len(f"{progress.files_total:,}")
    parts = [f"indexing  {progress.files_done:{width},}/{progress.files_total:,} videos"]
    if progress.fraction is not None:
        parts.append(f"{progress.fraction:4.0%}")
    if progress.speed is not None:
        parts.append(f"{progress.speed:.1f}x real time")
    if progress.eta_seconds is not None:
        parts.append(f"{format_duration(progress.eta_seconds)} left")
    if progress.failures:
        parts.append(f"{progress.failures:,} failed")
    return "  ".join(parts)


def detail_text(progress: Progress) -> str:
    """Return the names of the files in flight."""
    return ", ".join(os.path.basename(path) for path in progress.current)
