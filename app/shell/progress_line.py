"""Progress of an index run as one line."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from app.shell.live_line import Shown
from app.shell.terminal import count_text
from app.shell.worker_text import waiting_text
from app.times import format_duration

if TYPE_CHECKING:
    from indexer.progress import Progress


def shown_progress(progress: Progress) -> Shown | None:
    """Return how the progress of an index run is shown; None for what is not.

    Phases without work are not shown, so that a run over unchanged folders goes straight to its report.
    """
    if progress.phase != "scan" and not progress.files_total:
        return None
    stage = "index" if progress.phase == "done" else progress.phase
    return Shown(
        stage=stage,
        text=progress_text(progress),
        done=progress.files_done,
        total=progress.files_total or None,
        unit="files",
        fraction=progress.fraction,
        eta_seconds=progress.eta_seconds,
        speed=progress.speed,
        failed=progress.failures,
        current=progress.current,
        detail=detail_text(progress),
    )


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
    if progress.phase == "words":
        return f"reading subtitles, chapters and tags  {progress.files_done:,}/{progress.files_total:,}"
    if progress.phase == "fingerprint":
        return f"comparing contents  {progress.files_done:,}/{progress.files_total:,}"
    if progress.waits_for:
        return f"indexing  {progress.files_done:,}/{progress.files_total:,} videos  {waiting_text(progress.waits_for)}"
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
