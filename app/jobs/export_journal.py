"""The journal of an export: its progress, the clips that failed, and the result."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from app.shell.terminal import count_text

if TYPE_CHECKING:
    from app.exporting.exporter import ExportResult
    from app.exporting.request import ExportedClip, ExportRequest
    from app.jobs.jobs import Job

_ENOUGH_SECONDS = 2.0  # elapsed before the time left is estimated


class ExportProgress:
    """The progress of an export, weighted by the length of its clips, reported to its job."""

    def __init__(self, request: ExportRequest, job: Job | None) -> None:
        """Report to a job; None disables reporting."""
        self._job = job
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
        if self._job is None:
            return
        total = sum(self._seconds)
        done = sum(self._seconds[:number])
        done += self._seconds[number] * clip_fraction if number < len(self._seconds) else 0.0
        fraction = min(1.0, done / total) if total else None
        passed = time.monotonic() - self._began
        left = passed * (1 - fraction) / fraction if fraction and passed >= _ENOUGH_SECONDS else None
        self._job.report_progress(
            fraction=fraction,
            eta_seconds=left,
            speed=done / passed if fraction and passed >= _ENOUGH_SECONDS else None,
            phase="export" if number < len(self._names) else "finish",
            text=f"clip {number + 1} of {len(self._names)}" if number < len(self._names) else "putting it together",
            files_done=number,
            files_total=len(self._names),
            current=self._names[number : number + 1],
        )


def journal_result(job: Job, request: ExportRequest, result: ExportResult) -> None:
    """Finish a job with its outcome, the clips that failed, and the location of the files."""
    failed = [clip for clip in result.clips if clip.error is not None]
    if result.interrupted:
        message = f"{count_text(result.written, 'clip')} written; the same export goes on from there"
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
