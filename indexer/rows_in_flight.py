"""Rows of the videos in flight: each encoder of a run makes its own of the clips that one decoding gives."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from indexer.batches import Batches, Row

if TYPE_CHECKING:
    from encoder import Encoder

Clips = Mapping[int, NDArray[np.uint8]]
"""By the number of the encoder: uint8 (T, S, S, 3)."""


class RowsInFlight:
    """Encodes clips and keeps the rows until their video is stored. Not thread-safe.

    Each encoder has batches of its own. They take turns, since each of them keeps the whole device busy.
    """

    def __init__(
        self,
        encoders: Sequence[Encoder],
        batch_size: int | None,
        *,
        on_batch: Callable[[], None],
        cancelled: Callable[[], bool],
    ) -> None:
        """Start a thread for each encoder.

        Args:
            encoders: The encoders, which are referred to by their numbers.
            batch_size: Clips per call of each; None for its default.
            on_batch, cancelled: As in `Batches`.
        """
        turn = threading.Lock()
        self._batches = [
            Batches(each, batch_size or each.batch, on_batch=on_batch, cancelled=cancelled, turn=turn)
            for each in encoders
        ]
        self._rows: dict[tuple[str, int], dict[int, NDArray[np.float16]]] = {}  # by path and encoder, then by segment
        self._problems: dict[tuple[str, int], str] = {}

    def add(self, path: str, number: int, clips: Clips) -> list[str]:
        """Add the clips of a segment; block as `Batches.add` does. Return the videos that have got rows meanwhile."""
        changed: list[str] = []
        for encoder, clip in clips.items():
            if (path, encoder) not in self._problems:
                changed += self._take(encoder, self._batches[encoder].add(path, number, clip))
        return changed

    def finished(self) -> list[str]:
        """Take the rows that are done, without blocking. Return the videos that they are of."""
        return self._take_from_each(Batches.finished)

    def start_if_idle(self) -> list[str]:
        """Let idle encoders begin with what waits. Return the videos that have got rows."""
        return self._take_from_each(Batches.start_if_idle)

    def flush(self) -> list[str]:
        """Encode all that waits. Return the videos that have got rows."""
        return self._take_from_each(Batches.flush)

    def wait(self) -> list[str]:
        """Wait for the running batches. Return the videos that have got rows."""
        return self._take_from_each(Batches.wait)

    def of(self, path: str, encoder: int, count: int) -> NDArray[np.float32]:
        """Return the rows of all segments of a video by an encoder, float32 (count, D)."""
        rows = self._rows[path, encoder]
        return np.stack([rows[number] for number in range(count)]).astype(np.float32)

    def problem(self, path: str, encoder: int) -> str:
        """Return why an encoder could not encode a clip of a video; else ""."""
        return self._problems.get((path, encoder), "")

    def share(self, path: str, encoders: Collection[int], count: int) -> float:
        """Return which part of the rows of so many segments is done, by these encoders; 1 without segments."""
        done = sum(count if self.problem(path, each) else len(self._rows.get((path, each), ())) for each in encoders)
        return min(1.0, done / (count * len(encoders))) if count else 1.0

    def drop(self, path: str) -> None:
        """Discard clips and rows of a video."""
        for encoder, batches in enumerate(self._batches):
            batches.drop(path)
            self._rows.pop((path, encoder), None)
            self._problems.pop((path, encoder), None)

    def close(self) -> None:
        """Discard the running batches; start no other."""
        for batches in self._batches:
            batches.close()

    @property
    def clips(self) -> int:
        """The number of clips encoded so far."""
        return sum(batches.clips for batches in self._batches)

    @property
    def seconds(self) -> float:
        """The time that encoders took."""
        return sum(batches.seconds for batches in self._batches)

    @property
    def paths(self) -> list[str]:
        """Paths of the videos whose clips are being encoded or wait, oldest first."""
        return list(dict.fromkeys(path for batches in self._batches for path in batches.paths))

    def _take_from_each(self, door: Callable[[Batches], list[Row]]) -> list[str]:
        return [path for encoder, batches in enumerate(self._batches) for path in self._take(encoder, door(batches))]

    def _take(self, encoder: int, rows: Iterable[Row]) -> list[str]:
        paths: list[str] = []
        for row in rows:
            key = row.path, encoder
            if row.problem:
                self._problems[key] = row.problem
                self._batches[encoder].drop(row.path)
                self._rows.pop(key, None)
            elif key not in self._problems:
                # Copied as it will be stored: a view would keep its whole batch, in twice the bytes.
                self._rows.setdefault(key, {})[row.number] = row.row.astype(np.float16)
            paths.append(row.path)
        return list(dict.fromkeys(paths))
