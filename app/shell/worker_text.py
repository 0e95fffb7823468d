"""Workers of a library on a server, in words: for `stats` and for the page."""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING

from app.shell.terminal import count_text, printable
from app.times import format_duration

if TYPE_CHECKING:
    from db.records import Worker

_VERBS = {
    "index": "indexing",
    "read-text": "reading text in",
    "transcribe": "transcribing",
    "deepen": "looking closer at",
}
_MOST = 3
_LONG_SECONDS = 60.0


def work_text(worker: Worker) -> str:
    """Return what a worker does: `indexing a.mp4 (for 12:00), b.mp4 and 2 more`."""
    verb = _VERBS.get(worker.doing, worker.doing)
    return f"{verb} {_names(worker)}" if worker.paths else f"{verb}: no video at the moment"


def waiting_text(workers: Sequence[Worker]) -> str:
    """Return for whom a run waits: `waiting for 2 videos that render has in work: a.mp4 (for 12:00), b.mp4`."""
    count = count_text(sum(len(each.paths) for each in workers), "video")
    first = max(workers, key=lambda each: max(each.path_seconds, default=0.0))
    others = f" (and {count_text(len(workers) - 1, 'other worker')})" if len(workers) > 1 else ""
    return f"waiting for {count} that {printable(first.machine)}{others} has in work: {_names(first)}"


def _names(worker: Worker) -> str:
    """Return the names of its first videos; with how long it has had one, if that is long."""
    names = []
    for path, seconds in zip_longest(worker.paths[:_MOST], worker.path_seconds[:_MOST], fillvalue=0.0):
        name = printable(os.path.basename(str(path)))
        names.append(f"{name} (for {format_duration(float(seconds))})" if float(seconds) >= _LONG_SECONDS else name)
    more = len(worker.paths) - len(names)
    return ", ".join(names) + (f" and {more:,} more" if more > 0 else "")


def place_text(worker: Worker) -> str:
    """Return where and since when it works: `process 4211 of prismsearch 0.1.0, for 3:20`."""
    version = f"prismsearch {printable(worker.version)}" if worker.version else "prismsearch"
    return f"process {worker.process} of {version}, for {format_duration(worker.seconds)}"
