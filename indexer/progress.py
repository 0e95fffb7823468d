"""Progress of an index run: a frozen value for a callback, and the meter that produces it.

Standard library only.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from db.records import Failure, Worker

Phase = Literal["scan", "facts", "fingerprint", "index", "words", "done"]

_MIN_INTERVAL_SECONDS = 0.1
_MAX_LAST_FAILURES = 20
_MIN_SECONDS_FOR_ETA = 1.0  # an earlier estimate would be too noisy


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """The state of a run at one moment. Counts are those of the current phase, and only of the work of this run.

    Phases:
        scan: files_done counts the files found, files_total is 0.
        facts: files indexed by an earlier version, whose headers are read for facts that it did not store.
        fingerprint: new or changed files, whose content is identified.
        index: files to decode and encode. Bytes follow the files; those being decoded count in part.
        words: videos of which subtitles, chapters and tags are read. What comes after has the counts of `index` again.
    """

    phase: Phase
    files_done: int = 0
    files_total: int = 0
    bytes_done: int = 0
    bytes_total: int = 0
    seconds_done: float = 0.0  # seconds of video indexed in this run
    seconds_total: float | None = None  # estimated from bytes; None before the first estimate
    clips_done: int = 0  # encoded
    current: tuple[str, ...] = ()  # paths being decoded or waiting for the encoder, oldest first
    failures: int = 0
    last_failures: tuple[Failure, ...] = ()  # the newest of them, oldest first
    elapsed_seconds: float = 0.0  # since the phase began
    eta_seconds: float | None = None
    speed: float | None = None  # seconds of video per second
    waits_for: tuple[Worker, ...] = ()  # who has in work all that is left, so that the run can only wait

    @property
    def fraction(self) -> float | None:
        """Finished fraction of the phase, 0 to 1; None while the total is unknown."""
        if self.bytes_total:
            return min(1.0, self.bytes_done / self.bytes_total)
        return min(1.0, self.files_done / self.files_total) if self.files_total else None


class ProgressMeter:
    """Counts the work done and reports to a callback, at most ten times a second and at the start of each phase.

    Not thread-safe. The callback runs in the calling thread, so it should be fast; its exceptions end the run.
    """

    def __init__(
        self, on_progress: Callable[[Progress], None] | None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._on_progress = on_progress
        self._clock = clock
        self._reported_at = self._began_at = clock()
        self._phase: Phase = "scan"
        self.files_done = self.files_total = self.bytes_done = self.bytes_total = 0
        self.clips_done = self.failures = 0
        self.seconds_done = 0.0
        self._most_bytes, self._most_seconds = 0, 0.0  # reported so far
        self._last_failures: deque[Failure] = deque(maxlen=_MAX_LAST_FAILURES)

    def start(self, phase: Phase, *, files_total: int = 0, bytes_total: int = 0) -> None:
        """Begin a phase: all counts but that of failures are reset."""
        self._phase, self.files_total, self.bytes_total = phase, files_total, bytes_total
        self.files_done = self.bytes_done = self.clips_done = 0
        self.seconds_done = 0.0
        self._most_bytes, self._most_seconds = 0, 0.0
        self._began_at = self._clock()
        self.report(now=True)

    @contextmanager
    def aside(self, phase: Phase, *, files_total: int) -> Iterator[None]:
        """Make the `with` block a phase of its own, after which the counts of the one before are back."""
        before = vars(self).copy()
        self.start(phase, files_total=files_total)
        yield
        vars(self).update(before)

    def count_failure(self, failure: Failure) -> None:
        """Count a file that could not be indexed."""
        self.failures += 1
        self._last_failures.append(failure)

    def finish(self) -> None:
        """End the run; the counts of the last phase stay."""
        self._phase = "done"
        self.report(now=True)

    def report(
        self,
        *,
        now: bool = False,
        current: tuple[str, ...] = (),
        bytes_in_flight: float = 0.0,
        seconds_in_flight: float = 0.0,
        waits_for: tuple[Worker, ...] = (),
    ) -> None:
        """Report to the callback, if the last report is old enough or `now` is set.

        Args:
            now: Report regardless of the last report.
            current: Paths in flight, oldest first.
            bytes_in_flight: The share of files in flight that is done, in bytes.
            seconds_in_flight: The same in seconds of video.
            waits_for: Who has all that is left.
        """
        if self._on_progress is None:
            return
        moment = self._clock()
        if not now and moment - self._reported_at < _MIN_INTERVAL_SECONDS:
            return
        self._reported_at = moment
        progress = self._progress(moment, current, bytes_in_flight, seconds_in_flight)
        self._on_progress(replace(progress, waits_for=waits_for) if waits_for else progress)

    def _progress(
        self, moment: float, current: tuple[str, ...], bytes_in_flight: float, seconds_in_flight: float
    ) -> Progress:
        elapsed = moment - self._began_at
        # Never go backwards: amounts in flight are estimates, and a file between two threads counts in neither.
        bytes_done = min(self.bytes_total, max(self._most_bytes, int(self.bytes_done + bytes_in_flight)))
        seconds_done = max(self._most_seconds, self.seconds_done + seconds_in_flight)
        self._most_bytes, self._most_seconds = bytes_done, seconds_done
        share = bytes_done / self.bytes_total if self.bytes_total else 0.0
        if not self.bytes_total and self.files_total:
            share = self.files_done / self.files_total
        known = share > 0 and elapsed >= _MIN_SECONDS_FOR_ETA
        return Progress(
            phase=self._phase,
            files_done=self.files_done,
            files_total=self.files_total,
            bytes_done=bytes_done,
            bytes_total=self.bytes_total,
            seconds_done=seconds_done,
            seconds_total=seconds_done / share if share > 0 and seconds_done > 0 else None,
            clips_done=self.clips_done,
            current=current,
            failures=self.failures,
            last_failures=tuple(self._last_failures),
            elapsed_seconds=elapsed,
            eta_seconds=max(0.0, elapsed / share - elapsed) if known else None,
            speed=seconds_done / elapsed if seconds_done > 0 and elapsed >= _MIN_SECONDS_FOR_ETA else None,
        )
