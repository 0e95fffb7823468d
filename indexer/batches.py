"""Clips of many videos to rows, a batch at a time: the encoder never waits for one video to be complete."""

from __future__ import annotations

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


class Batches:
    """Collects clips until there are enough; used by one thread."""

    def __init__(self, encoder: Encoder, size: int) -> None:
        self.size = size  # clips encoded at once; halved, for good, when that was too much
        self.seconds = 0.0  # spent in the encoder
        self.clips = 0  # encoded
        self._encoder = encoder
        self._waiting: list[tuple[str, int, NDArray[np.uint8]]] = []

    def add(self, path: str, number: int, clip: NDArray[np.uint8]) -> list[Row]:
        """uint8 (T, S, S, 3) -> rows, of this clip and those before it if that filled a batch, else none."""
        self._waiting.append((path, number, clip))
        return self._encode(self.size) if len(self._waiting) >= self.size else []

    def flush(self) -> list[Row]:
        """Rows of all clips that wait."""
        rows = []
        while self._waiting:
            rows += self._encode(self.size)
        return rows

    def drop(self, path: str) -> None:
        """Forget the clips of a video that will not be completed."""
        self._waiting = [entry for entry in self._waiting if entry[0] != path]

    def __len__(self) -> int:
        return len(self._waiting)

    def _encode(self, count: int) -> list[Row]:
        batch, self._waiting = self._waiting[:count], self._waiting[count:]
        rows: list[Row] = []
        while batch:
            part = batch[: self.size]
            matrix, problem = self._try(np.stack([clip for _, _, clip in part]))
            if matrix is None:
                if len(part) == 1:
                    raise EncodingFailed(self._advice(part[0][0], problem))
                # Out of memory, most likely. Another, smaller try only after the error and its frames are let go.
                self.size = (len(part) + 1) // 2
                continue
            rows += [Row(path, number, row) for (path, number, _), row in zip(part, matrix, strict=True)]
            batch = batch[len(part) :]
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
