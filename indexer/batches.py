"""Batching of clips across videos, so that the encoder never waits for one video to be complete."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent import futures
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from encoder import EncoderError
from indexer.media.errors import Cancelled

if TYPE_CHECKING:
    from encoder import Encoder


_WAIT_SECONDS = 0.1  # between checks whether to stop
_END_SECONDS = 0.5  # for the encoder to finish a batch that nobody wants any more


class EncodingFailed(Exception):
    """The encoder failed on a single clip, as one short of memory does; the message names the clip and what to try."""


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """The embedding of segment `number` of the video at `path`: float32 (D,), unit length; or why there is none."""

    path: str
    number: int
    row: NDArray[np.float32]  # empty if there is a problem
    problem: str = ""  # of this clip alone


@dataclass(frozen=True, slots=True, eq=False)
class _Batch:
    """Clips, uint8 (B, T, S, S, 3), with the path and segment number of each."""

    owners: list[tuple[str, int]]
    clips: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class _Problem:
    """Why clips could not be encoded. of_memory: perhaps too many at once; otherwise one of them is at fault."""

    text: str
    of_memory: bool


_NO_PROBLEM = _Problem("", of_memory=False)


class Batches:
    """Collects clips and encodes them in a background thread.

    While a batch is being encoded, the next one is collected and stacked, and the rows of the last one are stored. At
    most one batch is being encoded at a time. Not thread-safe.

    While the encoder is the bottleneck, batches are full. An idle encoder takes partial ones, which leaves less work
    for after the last clip.
    """

    def __init__(
        self,
        encoder: Encoder,
        size: int,
        *,
        on_batch: Callable[[], None] = lambda: None,
        cancelled: Callable[[], bool] = lambda: False,
        turn: threading.Lock | None = None,
    ) -> None:
        """Start the encoding thread.

        Args:
            encoder: Encodes the clips.
            size: Initial number of clips per batch.
            on_batch: Called in the encoding thread after each batch.
            cancelled: Polled while waiting for the encoder; True raises Cancelled.
            turn: Held while a batch is encoded: encoders that share it take turns.
        """
        self.size = size  # clips per batch; halved permanently when that was too many
        self.seconds = 0.0  # spent in the encoder
        self.clips = 0  # encoded
        self._encoder = encoder
        self._on_batch = on_batch
        self._cancelled = cancelled
        self._turn = turn or threading.Lock()
        self._waiting: list[tuple[str, int, NDArray[np.uint8]]] = []
        self._running: futures.Future[list[Row]] | None = None
        self._batches: queue.SimpleQueue[tuple[_Batch, futures.Future[list[Row]]] | None] = queue.SimpleQueue()
        # A daemon, because a batch of a large network takes long, and the end of the program must not wait for it.
        self._thread = threading.Thread(target=self._work, name="encode", daemon=True)
        self._thread.start()
        self._owners_running: list[tuple[str, int]] = []
        self._unwanted: set[str] = set()  # paths dropped while their clips may be in the running batch

    def add(self, path: str, number: int, clip: NDArray[np.uint8]) -> list[Row]:
        """Add a clip; block if a batch is full while the one before it is still being encoded.

        Args:
            path: Path of the video.
            number: Number of the segment.
            clip: uint8 (T, S, S, 3).

        Returns:
            Rows of earlier clips that have been encoded meanwhile.
        """
        self._waiting.append((path, number, clip))
        return self._start_next() if len(self._waiting) >= self.size else self.finished()

    def finished(self) -> list[Row]:
        """Return the rows of the running batch if it is done, else nothing. Start the next one if enough clips wait.

        Never blocks.
        """
        if self._running is not None and not self._running.done():
            return []
        return self._start_next() if len(self._waiting) >= self._enough else self.wait()

    def start_if_idle(self) -> list[Row]:
        """Start a batch of all waiting clips if the encoder is idle; for use when no other clip is expected soon."""
        return self._start_next() if self._waiting and self._running is None else []

    def flush(self) -> list[Row]:
        """Encode all waiting clips and return the rows of these and of the running batch."""
        rows = []
        while self._waiting:
            rows += self._start_next()
        return rows + self.wait()

    def wait(self) -> list[Row]:
        """Wait for the running batch, if any, and return its rows. Re-raise an error of the encoder."""
        if self._running is None:
            return []
        while not futures.wait([self._running], timeout=_WAIT_SECONDS).done:
            if self._cancelled():
                raise Cancelled
        running, self._running = self._running, None
        rows = [row for row in running.result() if row.path not in self._unwanted]
        self._unwanted.clear()
        return rows

    def drop(self, path: str) -> None:
        """Discard the clips of a video that will not be completed."""
        self._waiting = [entry for entry in self._waiting if entry[0] != path]
        if self._running is not None:
            self._unwanted.add(path)

    def close(self) -> None:
        """Discard the rows of the running batch; start no other."""
        self._batches.put(None)
        self._thread.join(_END_SECONDS)

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def paths(self) -> list[str]:
        """Paths of the videos whose clips are being encoded or wait, oldest first."""
        running = [] if self._running is None else [path for path, _ in self._owners_running]
        return list(dict.fromkeys([*running, *(path for path, _, _ in self._waiting)]))

    @property
    def _enough(self) -> int:
        """Return the number of clips worth a call of the encoder: a single one costs a third more on a CPU."""
        return max(1, self.size // 4)

    def _start_next(self) -> list[Row]:
        """Start a batch of waiting clips once the running one is done; return the rows of the latter."""
        part, self._waiting = self._waiting[: self.size], self._waiting[self.size :]
        # Stacked here, while the encoder still works on the batch before.
        batch = _Batch([(path, number) for path, number, _ in part], np.stack([clip for _, _, clip in part]))
        del part
        rows = self.wait()
        self._running, self._owners_running = futures.Future(), batch.owners
        self._batches.put((batch, self._running))
        return rows

    # In the encoding thread

    def _work(self) -> None:
        while (given := self._batches.get()) is not None:
            batch, future = given
            try:
                future.set_result(self._encode(batch))
            except BaseException as error:  # noqa: BLE001  the caller waiting for the rows must learn of it
                future.set_exception(error)
            del given, batch, future  # clips that are encoded take no more memory
            self._on_batch()

    def _encode(self, batch: _Batch) -> list[Row]:
        rows: list[Row] = []
        waiting = [range(len(batch.owners))]
        while waiting:
            part = waiting.pop()
            if len(part) > self.size:
                waiting += [part[self.size :], part[: self.size]]
                continue
            owners = batch.owners[part.start : part.stop]
            matrix, problem = self._try(batch.clips[part.start : part.stop])
            if matrix is not None:
                rows += [Row(path, number, row) for (path, number), row in zip(owners, matrix, strict=True)]
            elif len(part) > 1:
                # Too many at once, or one of them. Retry with fewer once the error and its stack frames are released.
                half = (len(part) + 1) // 2
                self.size = half if problem.of_memory else self.size
                waiting += [part[half:], part[:half]]
            elif problem.of_memory:
                raise EncodingFailed(self._advice(owners[0][0], problem.text))
            else:
                rows.append(Row(*owners[0], np.empty(0, np.float32), problem.text))
        return rows

    def _try(self, clips: NDArray[np.uint8]) -> tuple[NDArray[np.float32] | None, _Problem]:
        """Return the rows, or None and the problem. torch raises RuntimeError, also when out of memory."""
        with self._turn:
            began = perf_counter()
            try:
                matrix = self._encoder.encode_clips(clips)
            except EncoderError:
                raise
            except (RuntimeError, MemoryError) as error:
                return None, _Problem(_text_of(error), of_memory=True)
            except Exception as error:  # noqa: BLE001  no error about a clip may end the run
                return None, _Problem(f"{type(error).__name__}: {_text_of(error)}", of_memory=False)
            finally:
                self.seconds += perf_counter() - began
        if matrix.shape != (len(clips), self._encoder.dim):
            raise EncodingFailed(
                f"The encoder {self._encoder.id} gave {matrix.shape} for {len(clips)} clips instead of "
                f"{(len(clips), self._encoder.dim)}; this is a fault of the encoder."
            )
        self.clips += len(clips)
        return matrix, _NO_PROBLEM

    def _advice(self, path: str, problem: str) -> str:
        return (
            f"The encoder {self._encoder.id} failed on a single clip of {path!r}: {problem}. "
            "Try another device (--device cpu) or fewer frames (--frames); what was finished is kept."
        )


def _text_of(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
