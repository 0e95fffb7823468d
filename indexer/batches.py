"""Clips of many videos to rows, a batch at a time: the encoder never waits for one video to be complete."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from encoder import Encoder


class EncodingFailed(Exception):
    """The encoder failed on a single clip; the message says on which and what to try."""


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """What came of the clip of segment `number` of the video at `path`: float32 (D,), unit length."""

    path: str
    number: int
    row: NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class _Batch:
    """Clips side by side, uint8 (B, T, S, S, 3), and whose they are: path and number of segment."""

    owners: list[tuple[str, int]]
    clips: NDArray[np.uint8]


class Batches:
    """Collects clips and has them encoded in a thread of its own while the next are collected,
    put side by side, and what came of the last is stored. Used by one thread; one batch at most is being encoded.

    While the encoder is the slower one, batches are full. While it has nothing to do it takes a part of one: what it
    begins now it need not do once the last clip is there.
    """

    def __init__(self, encoder: Encoder, size: int, *, done: Callable[[], None] = lambda: None) -> None:
        """done: told, in the encoder's thread, when a batch was encoded."""
        self.size = size  # clips encoded at once; halved, for good, when that was too much
        self.seconds = 0.0  # spent in the encoder
        self.clips = 0  # encoded
        self._encoder = encoder
        self._done = done
        self._waiting: list[tuple[str, int, NDArray[np.uint8]]] = []
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="encode")
        self._at_work: Future[list[Row]] | None = None
        self._owners_at_work: list[tuple[str, int]] = []
        self._unwanted: set[str] = set()  # paths that were dropped while their clips may be at work

    def add(self, path: str, number: int, clip: NDArray[np.uint8]) -> list[Row]:
        """uint8 (T, S, S, 3) -> rows that are finished by now, of earlier clips. Waits where a batch is full and the
        one before it is still being encoded."""
        self._waiting.append((path, number, clip))
        return self._begin() if len(self._waiting) >= self.size else self.finished()

    def finished(self) -> list[Row]:
        """Rows of the batch at work if it is done, else none; the next begins where enough clips wait. Never waits."""
        if self._at_work is not None and not self._at_work.done():
            return []
        return self._begin() if len(self._waiting) >= self._enough else self.settle()

    def nudge(self) -> list[Row]:
        """Begin with whatever waits where the encoder has nothing to do, as no other clip is in sight."""
        return self._begin() if self._waiting and self._at_work is None else []

    def flush(self) -> list[Row]:
        """Rows of all clips that wait or are at work."""
        rows = []
        while self._waiting:
            rows += self._begin()
        return rows + self.settle()

    def settle(self) -> list[Row]:
        """Rows of the batch at work, if there is one; waits for it. Raises what the encoder raised."""
        if self._at_work is None:
            return []
        at_work, self._at_work = self._at_work, None
        rows = [row for row in at_work.result() if row.path not in self._unwanted]
        self._unwanted.clear()
        return rows

    def drop(self, path: str) -> None:
        """Forget the clips of a video that will not be completed."""
        self._waiting = [entry for entry in self._waiting if entry[0] != path]
        if self._at_work is not None:
            self._unwanted.add(path)

    def close(self) -> None:
        """Wait for the batch at work, and begin no other. What comes of it is lost."""
        self._thread.shutdown(wait=True, cancel_futures=True)

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def paths(self) -> list[str]:
        """Of the videos whose clips are at work or wait, oldest first."""
        at_work = [] if self._at_work is None else [path for path, _ in self._owners_at_work]
        return list(dict.fromkeys([*at_work, *(path for path, _, _ in self._waiting)]))

    @property
    def _enough(self) -> int:
        """Clips that are worth a call of the encoder: alone, one costs a third more on a processor."""
        return max(1, self.size // 4)

    def _begin(self) -> list[Row]:
        """Send what waits, a batch at most, after the one at work; gives the rows of that one."""
        part, self._waiting = self._waiting[: self.size], self._waiting[self.size :]
        # Copied here, while the encoder is still at the batch before.
        batch = _Batch([(path, number) for path, number, _ in part], np.stack([clip for _, _, clip in part]))
        del part
        rows = self.settle()
        self._at_work, self._owners_at_work = self._thread.submit(self._encode, batch), batch.owners
        self._at_work.add_done_callback(lambda _: self._done())
        return rows

    # In the thread

    def _encode(self, batch: _Batch) -> list[Row]:
        rows: list[Row] = []
        while len(rows) < len(batch.owners):
            part = slice(len(rows), len(rows) + self.size)
            owners = batch.owners[part]
            matrix, problem = self._try(batch.clips[part])
            if matrix is None:
                if len(owners) == 1:
                    raise EncodingFailed(self._advice(owners[0][0], problem))
                # Out of memory, most likely. Another, smaller try only after the error and its frames are let go.
                self.size = (len(owners) + 1) // 2
                continue
            rows += [Row(path, number, row) for (path, number), row in zip(owners, matrix, strict=True)]
        return rows

    def _try(self, clips: NDArray[np.uint8]) -> tuple[NDArray[np.float32] | None, str]:
        """Rows, or None and what the encoder said. RuntimeError is what torch raises, out of memory included."""
        began = perf_counter()
        try:
            matrix = self._encoder.encode_clips(clips)
        except (RuntimeError, MemoryError) as error:
            return None, (str(error).strip().splitlines() or [type(error).__name__])[0]
        finally:
            self.seconds += perf_counter() - began
        if matrix.shape != (len(clips), self._encoder.dim):
            raise EncodingFailed(
                f"The encoder {self._encoder.id} gave {matrix.shape} for {len(clips)} clips instead of "
                f"{(len(clips), self._encoder.dim)}; this is a fault of the encoder."
            )
        self.clips += len(clips)
        return matrix, ""

    def _advice(self, path: str, problem: str) -> str:
        return (
            f"The encoder {self._encoder.id} failed on a single clip of {path!r}: {problem}. "
            "Try another device (--device cpu) or fewer frames (--frames); what was finished is kept."
        )
