"""Workers of a library on a server, in words: for `stats` and for the page."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from app.shell.terminal import printable
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


def work_text(worker: Worker) -> str:
    """Return what a worker does: `indexing a.mp4, b.mp4 and 2 more`."""
    verb, names = _VERBS.get(worker.doing, worker.doing), [printable(os.path.basename(path)) for path in worker.paths]
    if not names:
        return f"{verb}: no video at the moment"
    more = f" and {len(names) - _MOST:,} more" if len(names) > _MOST else ""
    return f"{verb} {', '.join(names[:_MOST])}{more}"


def place_text(worker: Worker) -> str:
    """Return where and since when it works: `process 4211 of prismsearch 0.1.0, for 3:20`."""
    version = f"prismsearch {printable(worker.version)}" if worker.version else "prismsearch"
    return f"process {worker.process} of {version}, for {format_duration(worker.seconds)}"
