"""What an export writes into its run's journal: how far it is, which clips failed, and what came of it."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from app.jobs.command_line import option_words
from app.shell.terminal import counted

if TYPE_CHECKING:
    from app.exporting.exporter import ExportResult
    from app.exporting.request import ExportedClip, ExportRequest
    from app.jobs.jobs import Job

_PATHS = frozenset({"--to", "--zip", "--in"})
_ENOUGH_SECONDS = 2.0  # before what is left is estimated


class ExportProgress:
    """How much of an order is done, weighed by the length of its clips. `told` and `within` are what exports call."""

    def __init__(self, order: ExportRequest, journal: Job | None) -> None:
        self._journal = journal
        self._names = [os.path.basename(each.path) if not each.name_hint else each.name_hint for each in order.requests]
        self._seconds = order.seconds
        self._began = time.monotonic()
        self._done = 0

    def started(self) -> None:
        """Nothing is done yet."""
        self._tell(0, 0.0)

    def told(self, done: int, total: int, clip: ExportedClip) -> None:
        """A clip was written, or failed."""
        self._done = done
        if self._journal is not None and clip.error is not None:
            self._journal.fail(clip.request.path, clip.error)
        self._tell(done, 0.0)

    def within(self, number: int, share: float) -> None:
        """That much of a clip is written."""
        self._tell(number, share)

    def _tell(self, number: int, share: float) -> None:
        if self._journal is None:
            return
        total = sum(self._seconds)
        done = sum(self._seconds[:number]) + (self._seconds[number] * share if number < len(self._seconds) else 0.0)
        fraction = min(1.0, done / total) if total else None
        passed = time.monotonic() - self._began
        left = passed * (1 - fraction) / fraction if fraction and passed >= _ENOUGH_SECONDS else None
        self._journal.tell(
            fraction=fraction,
            eta_seconds=left,
            speed=done / passed if fraction and passed >= _ENOUGH_SECONDS else None,
            phase="export" if number < len(self._names) else "finish",
            text=f"clip {number + 1} of {len(self._names)}" if number < len(self._names) else "putting it together",
            files_done=number,
            files_total=len(self._names),
            current=self._names[number : number + 1],
        )


def journal_result(journal: Job, order: ExportRequest, result: ExportResult) -> None:
    """The end of a run: its outcome, the clips that failed, and where everything is."""
    failed = [clip for clip in result.clips if clip.error is not None]
    if result.interrupted:
        message = f"{counted(result.written, 'clip')} written; the same export goes on from there"
        journal.replace_failures([])
        journal.end("stopped", result.plain(), message)
        return
    journal.replace_failures((clip.request.path, clip.error or "") for clip in failed)
    parts = [counted(result.written, "clip")] if order.clips else []
    parts += [counted(len(result.lists), "list")] if result.lists else []
    if failed:
        parts.append(f"{len(failed)} not written")
    nothing = not result.written and not result.lists
    journal.end("failed" if nothing else "done", result.plain(), ", ".join(parts) or "nothing was written")


def words_again(words: Sequence[str]) -> list[str]:
    """The command that does the same from anywhere, or goes on with it. words: of a search, or ranges."""
    options = option_words()
    for at, word in enumerate(options[:-1]):
        if word in _PATHS:
            options[at + 1] = os.path.abspath(options[at + 1])
        if word == "--from-json":
            return []  # it may have been read from standard input
    return ["export", *options, *(["--", *words] if words else [])]
