"""Reading of words in an index run: of all videos whose words the library lacks, one after the other.

Runs beside this one read those of others.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from db.claims import Claim
from db.errors import ClaimLost
from db.records import KnownFile
from indexer.scan import Scan
from indexer.words import WordsTask, notes_of_words, store_words, words_due

if TYPE_CHECKING:
    from indexer.run_parts import RunParts


def read_due_words(run: RunParts, scan: Scan, known: Mapping[str, KnownFile]) -> None:
    """Read the words that videos and the files beside them hold, where the library lacks them.

    Args:
        run: The run.
        scan: The files that it found.
        known: The files of the library, by path, as they are now.

    Raises:
        Cancelled: The run is to stop.
    """
    ids = [known[file.path].video_id for file in scan.files if file.path in known]
    sources = run.library.texts.sources_of(ids)
    in_videos, again = run.isolation.opens_videos, run.options.redo
    due = run.isolation.reading.wait(lambda: words_due(scan.files, known, sources, in_videos=in_videos, again=again))
    run.report.not_others(due.sidecars)
    if not due.tasks:
        return
    with run.meter.aside("words", files_total=len(due.tasks)):
        for task in due.tasks:
            run.raise_if_cancelled()
            name = f"words-{task.video_id}"
            with run.claims.holding(name, task.path) as free, run.report.timed("words"):
                # Else another run reads them, or has read them since.
                if free and run.library.texts.sources(task.video_id) == sources.get(task.video_id, []):
                    with suppress(KeyError, ClaimLost):  # the video was removed, or taken over
                        _read(run, task, run.claims.claim(name))
            run.meter.files_done += 1
            run.meter.report(current=(task.path,))


def _read(run: RunParts, task: WordsTask, claim: Claim | None) -> None:
    read = run.isolation.read_words(task, run.library.video(task.video_id))
    lines = store_words(run.library, task, read, claim)
    run.report.add(lines=lines, videos_read=bool(lines), notes=notes_of_words(task, read.found.problems))
