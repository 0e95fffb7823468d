"""The report of an index run: a frozen record, and the builder that collects it during the run.

The fields are listed once, in IndexReport. The builder and the JSON record (`app.shell.index_report`) derive from them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import TYPE_CHECKING, Any

from db.records import Failure
from indexer.media.containers import extension_of
from indexer.media.errors import UnreadableVideo
from indexer.scan import FoundFile, Problem

if TYPE_CHECKING:
    from db.library import Library
    from indexer.progress import ProgressMeter

STAGES = ("scan", "fingerprint", "decode", "hash", "encode", "store", "words", "wall")


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexReport:
    """The outcome of an index run. Counts are numbers of files.

    Each file is counted once among added, updated, deepened, unchanged, touched, moved, returned, duplicates, failed,
    skipped_failed and left. The one exception is a file that was moved or returned and then had to be encoded after
    all: it counts in `updated` or `left` as well.
    """

    added: int = 0  # new to the library, decoded and encoded
    updated: int = 0  # in the library before, decoded and encoded again: changed content, settings or encoder
    deepened: int = 0  # decoded and encoded in full, after a quick pass
    unchanged: int = 0
    touched: int = 0  # new modification time, same content: nothing encoded
    moved: int = 0  # moved or renamed: nothing encoded
    duplicates: int = 0  # same content as a video at another path: nothing encoded
    mended: int = 0  # of those unchanged: posters and previews were missing or damaged, and were made again
    aliases: int = 0  # reached through a link; the library has the real path
    removed: int = 0  # deleted from a folder that still exists: hidden, and kept for a while
    returned: int = 0  # found again within that while: nothing encoded
    expired: int = 0  # hidden for long enough: removed for good
    left: int = 0  # would be encoded again with these settings, but stay as they were indexed
    kept_missing: tuple[str, ...] = ()  # not found, though perhaps only on another drive: kept
    failed: tuple[Failure, ...] = ()  # failed in this run
    skipped_failed: tuple[Failure, ...] = ()  # failed before and unchanged since: not retried
    problems: tuple[Problem, ...] = ()  # unreadable folders, dangling links, folders that do not exist
    notes: tuple[Problem, ...] = ()  # what is unusual about a file or folder, such as a clock that jumps
    own_exports: tuple[str, ...] = ()  # clips that prismsearch exported: left out
    camera_proxies: tuple[str, ...] = ()  # small copies of films, recorded by the camera beside them: left out
    hidden: int = 0  # hidden files with the ending of a video, which were not looked at
    others: tuple[tuple[str, int], ...] = ()  # endings of files that are no videos, with their numbers, most first
    interrupted: bool = False  # stopped by the user; finished videos are kept
    stopped: str = ""  # why the run ended early (disk full, encoder failed, ...), with advice; else empty
    seconds: Mapping[str, float] = field(default_factory=lambda: dict.fromkeys(STAGES, 0.0))
    # `seconds` by STAGES: decode and hash are summed over workers, which run in parallel with the rest, so they may
    # be more than wall. The others are of the run itself.
    video_seconds: float = 0.0  # seconds of video decoded and encoded in this run
    clips: int = 0  # segments of those videos
    rows: Mapping[str, int] = field(default_factory=Counter)  # encoded, by the id of the encoder
    frames: int = 0  # number of frames in those videos
    lines: int = 0  # of words that were read: subtitles, captions, chapters, tags
    videos_read: int = 0  # the number of videos that hold them
    fell_back: int = 0  # videos decoded on the CPU although hardware was requested
    quick: int = 0  # videos of the whole library that wait for their full pass, now that the run is over

    @property
    def speed(self) -> float | None:
        """Seconds of video per second of wall time; None if nothing was encoded."""
        wall = self.seconds["wall"]
        return self.video_seconds / wall if self.video_seconds and wall > 0 else None

    @property
    def in_library(self) -> int:
        """The number of files that the library has, with the settings of this run, now that it is over."""
        found = self.touched + self.moved + self.returned + self.duplicates
        return self.added + self.updated + self.deepened + self.unchanged + found

    @property
    def complete(self) -> bool:
        """Whether the run reached its end: neither interrupted nor stopped."""
        return not self.interrupted and not self.stopped


class ReportBuilder:
    """Collects an IndexReport during a run. Not thread-safe."""

    def __init__(self, library: Library, meter: ProgressMeter) -> None:
        self._library = library
        self._meter = meter
        self._report = IndexReport()
        self._failed: list[Failure] = []
        self._seconds = dict.fromkeys(STAGES, 0.0)

    def add(self, **amounts: Any) -> None:
        """Add to fields of the report: numbers are summed, tuples appended.

        Args:
            amounts: By field name of IndexReport; AttributeError for any other name.
        """
        totals = {name: getattr(self._report, name) + amount for name, amount in amounts.items()}
        self._report = replace(self._report, **totals)

    def not_others(self, paths: Iterable[str]) -> None:
        """Take files that were read after all out of the count of those that are no videos."""
        left = Counter(dict(self._report.others)) - Counter(extension_of(path) for path in paths)
        self._report = replace(self._report, others=tuple(left.most_common()))

    def add_seconds(self, stage: str, seconds: float) -> None:
        """Add time to one of STAGES."""
        self._seconds[stage] += seconds

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Add the time spent in the `with` block to one of STAGES."""
        began = perf_counter()
        try:
            yield
        finally:
            self._seconds[stage] += perf_counter() - began

    def fail(self, file: FoundFile, error: UnreadableVideo) -> None:
        """Record a file that could not be indexed: in the library, in the progress and in the report."""
        failure = Failure(
            path=file.path,
            size_bytes=file.size_bytes,
            modified_ns=file.modified_ns,
            kind=error.kind,
            reason=error.reason,
        )
        self._library.record_failure(failure)
        self._failed.append(failure)
        self._meter.count_failure(failure)

    @property
    def video_seconds(self) -> float:
        """Seconds of video indexed so far."""
        return self._report.video_seconds

    def build(self, *, interrupted: bool = False, stopped: str = "") -> IndexReport:
        """Return the report; the failed files are sorted by path."""
        return replace(
            self._report,
            failed=tuple(sorted(self._failed, key=lambda failure: failure.path)),
            interrupted=interrupted,
            stopped=stopped,
            seconds=dict(self._seconds),
        )
