"""The progress of work of which the number of parts is known: a share, and the time left."""

from __future__ import annotations

import time

from app.shell.live_line import LiveLine, Shown
from app.times import format_duration


class CountedLine:
    """Shows how many parts are done. The time left follows from the parts done since the first call: what an earlier
    run has done was free.
    """

    def __init__(self, line: LiveLine, *, stage: str, text: str, unit: str, total: int) -> None:
        """Prepare; nothing is shown yet.

        Args:
            line: Shows it.
            stage: What is being done, in one word.
            text: The same for people, such as `encoding videos`.
            unit: What is counted, in the plural.
            total: How many there are.
        """
        self._line, self._stage, self._text, self._unit, self._total = line, stage, text, unit, total
        self._began: tuple[float, int] | None = None

    def show(self, done: int, *, detail: str = "") -> None:
        """Show that `done` parts are done; `detail` where it fits."""
        now = time.monotonic()
        since, before = self._began = self._began or (now, done)
        left = (self._total - done) * (now - since) / (done - before) if done > before else None
        width = len(f"{self._total:,}")
        parts = [f"{self._text}  {done:{width},}/{self._total:,} {self._unit}"]
        if self._total:
            parts.append(f"{done / self._total:4.0%}")
        if left is not None and done < self._total:
            parts.append(f"{format_duration(left)} left")
        self._line.show(
            Shown(
                stage=self._stage,
                text="  ".join(parts),
                done=done,
                total=self._total,
                unit=self._unit,
                fraction=done / self._total if self._total else None,
                eta_seconds=left,
                detail=detail,
            )
        )
