"""What a run counts as it goes, until it becomes the report."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import TYPE_CHECKING

from db.records import Failure
from indexer.media.errors import UnreadableVideo
from indexer.progress import ProgressMeter
from indexer.report import STAGES, IndexReport
from indexer.scan import FoundFile, Problem

if TYPE_CHECKING:
    from db.library import Library


class Tally:
    """See IndexReport for what each count means. Used by one thread."""

    def __init__(self, library: Library, meter: ProgressMeter) -> None:
        self.added = self.updated = self.unchanged = self.touched = self.moved = 0
        self.duplicates = self.aliases = self.removed = 0
        self.kept_missing: tuple[str, ...] = ()
        self.failed: list[Failure] = []
        self.skipped_failed: list[Failure] = []
        self.problems: list[Problem] = []
        self.interrupted = False
        self.stopped = ""
        self.seconds = dict.fromkeys(STAGES, 0.0)
        self.video_seconds = 0.0
        self.clips = self.frames = self.fell_back = 0
        self._library = library
        self._meter = meter

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Add the time that passes within to a stage."""
        began = perf_counter()
        try:
            yield
        finally:
            self.seconds[stage] += perf_counter() - began

    def failed_file(self, file: FoundFile, error: UnreadableVideo) -> None:
        """Record one file that came to nothing, in the library and in the report."""
        failure = Failure(
            path=file.path,
            size_bytes=file.size_bytes,
            modified_ns=file.modified_ns,
            kind=error.kind,
            reason=error.reason,
        )
        self._library.record_failure(failure)
        self.failed.append(failure)
        self._meter.failed(failure)

    def report(self) -> IndexReport:
        return IndexReport(
            added=self.added,
            updated=self.updated,
            unchanged=self.unchanged,
            touched=self.touched,
            moved=self.moved,
            duplicates=self.duplicates,
            aliases=self.aliases,
            removed=self.removed,
            kept_missing=self.kept_missing,
            failed=tuple(sorted(self.failed, key=lambda failure: failure.path)),
            skipped_failed=tuple(self.skipped_failed),
            problems=tuple(self.problems),
            interrupted=self.interrupted,
            stopped=self.stopped,
            seconds=dict(self.seconds),
            video_seconds=self.video_seconds,
            clips=self.clips,
            frames=self.frames,
            fell_back=self.fell_back,
        )
