"""The journal of an export: its progress, the clips that failed, and the result."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from app.shell.interrupt import NOTHING_FINISHED
from app.shell.live_line import Shown
from app.shell.terminal import count_text

if TYPE_CHECKING:
    from app.exporting.exporter import ExportResult
    from app.exporting.request import ExportedClip, ExportRequest
    from app.jobs.jobs import Job
    from app.shell.live_line import LiveLine

_ENOUGH_SECONDS = 2.0  # elapsed before the time left is estimated


class ExportProgress:
    """The progress of an export, weighted by the length of its clips: shown, and reported to its job."""

    def __init__(self, request: ExportRequest, job: Job | None, line: LiveLine) -> None:
        """Report to a job, if there is one, and on a line."""
        self._job = job
        self._line = line if request.clips else None
        self._names = [each.name_hint or os.path.basename(each.path) for each in request.requests]
        self._seconds = request.seconds
        self._began = time.monotonic()

    def begin(self) -> None:
        """Report the start of the export."""
        self._report(0, 0.0)

    def clip_done(self, done: int, clip: ExportedClip) -> None:
        """Report that a clip was written or failed; `done` includes it."""
        if self._job is not None and clip.error is not None:
            self._job.add_failure(clip.request.path, clip.error)
        self._report(done, 0.0)

    def clip_progress(self, number: int, fraction: float) -> None:
        """Report the finished fraction (0 to 1) of a clip, numbered from 0."""
        self._report(number, fraction)

    def _report(self, number: int, clip_fraction: float) -> None:
        total, count = sum(self._seconds), len(self._names)
        done = sum(self._seconds[:number])
        done += self._seconds[number] * clip_fraction if number < count else 0.0
        fraction = min(1.0, done / total) if total else None
        passed = time.monotonic() - self._began
        known = bool(fraction) and passed >= _ENOUGH_SECONDS
        left = passed * (1 - fraction) / fraction if known and fraction else None
        text = f"clip {number + 1} of {count}" if number < count else "finishing"
        current = tuple(self._names[number : number + 1])
        if self._line is not None:
            shown = f"cutting {number + 1} of {count}, {clip_fraction:.0%}" if number < count else text
            self._line.show(
                Shown(
                    stage="export",
                    text=shown,
                    done=number,
                    total=count,
                    unit="clips",
                    fraction=fraction,
                    eta_seconds=left,
                    current=current,
                    at_once=False,
                )
            )
        if self._job is not None:
            self._job.report_progress(
                fraction=fraction,
                eta_seconds=left,
                speed=done / passed if known else None,
                phase="export" if number < count else "finish",
                text=text,
                files_done=number,
                files_total=count,
                current=current,
            )


def journal_result(job: Job, request: ExportRequest, result: ExportResult) -> None:
    """Finish a job with its outcome, the clips that failed, and the location of the files."""
    failed = [clip for clip in result.clips if clip.error is not None]
    if result.interrupted:
        message = f"{count_text(result.written, 'clip')} written; the same export continues from there"
        if not result.written:
            message = NOTHING_FINISHED
        job.replace_failures([])
        job.finish("stopped", result.plain(), message)
        return
    job.replace_failures((clip.request.path, clip.error or "") for clip in failed)
    parts = [count_text(result.written, "clip")] if request.clips else []
    parts += [count_text(len(result.lists), "list")] if result.lists else []
    if failed:
        parts.append(f"{len(failed)} not written")
    nothing = not result.written and not result.lists
    job.finish("failed" if nothing else "done", result.plain(), ", ".join(parts) or "nothing was written")
