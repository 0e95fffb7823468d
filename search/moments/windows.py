"""Windows over the frames of a stretch: which there are, and their rows. Features of a frame are computed once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from encoder.frame_features import FEWER_FRAMES, Features, FrameEncoder

_IN_STRETCH = 8
"""The length of the stretch in windows."""

MOST_FRAMES = _IN_STRETCH * FEWER_FRAMES
"""Frames of a stretch that windows are made of: at most this many go through the spatial stack."""
MOST_WINDOWS = 32
"""Windows that are encoded for one moment at most, each with FEWER_FRAMES frames but for three."""

_LEAST_FRAMES = 4  # of a window


class Window(NamedTuple):
    """Frames first <= n < end of a stretch."""

    first: int
    end: int


def even_windows(frames: int) -> list[Window]:
    """Return windows of equal length that overlap by half and cover a stretch of so many frames.

    The last one ends with the stretch, so it may overlap more. There is one if there are few frames.
    """
    length = min(frames, max(_LEAST_FRAMES, frames // _IN_STRETCH))
    step = max(1, length // 2)
    firsts = list(range(0, frames - length + 1, step))
    if firsts[-1] + length < frames:
        firsts.append(frames - length)
    return [Window(first, first + length) for first in firsts]


class WindowRows:
    """The rows of windows over one stretch. Not thread-safe."""

    def __init__(
        self, encoder: FrameEncoder, frames: NDArray[np.uint8], on_work: Callable[[int], None] = lambda windows: None
    ) -> None:
        """Prepare; nothing is encoded yet.

        Args:
            encoder: Encodes frames, and windows of them.
            frames: uint8 (M, S, S, 3), of the stretch.
            on_work: Called before each call of the encoder with the number of windows encoded so far. What it raises
                ends the work.
        """
        self._encoder = encoder
        self._frames = frames
        self._on_work = on_work
        self._features: dict[int, Features] = {}
        self.encoded = 0
        """Number of windows that were encoded."""

    def rows(self, windows: Sequence[Window], *, fewer: bool = False, reverse: bool = False) -> NDArray[np.float32]:
        """Return the unit rows of windows, float32 (n, D).

        Args:
            windows: At least one; each holds a frame.
            fewer: With FEWER_FRAMES frames, which takes less time, instead of the encoder's own number.
            reverse: Run the frames backwards.
        """
        length = self._encoder.clip_spec.frames
        if fewer:
            length = min(length, FEWER_FRAMES)
        ends = self._encoder.clip_spec.ends
        numbers = np.array([places(window, length, ends=ends) for window in windows])
        if reverse:
            numbers = numbers[:, ::-1]
        self._compute(sorted(set(numbers.ravel().tolist()) - self._features.keys()))
        step, found = max(1, self._encoder.batch), []
        for start in range(0, len(numbers), step):
            self._on_work(self.encoded)
            some = numbers[start : start + step]
            features = np.stack([np.stack([self._features[int(n)] for n in each]) for each in some])
            found.append(self._encoder.encode_features(features))
            self.encoded += len(some)
        return np.concatenate(found)

    def _compute(self, numbers: Sequence[int]) -> None:
        step = max(1, self._encoder.batch * self._encoder.clip_spec.frames)
        for start in range(0, len(numbers), step):
            self._on_work(self.encoded)
            some = list(numbers[start : start + step])
            features = self._encoder.frame_features(np.ascontiguousarray(self._frames[some]))
            self._features.update(zip(some, features, strict=True))


def places(window: Window, count: int, *, ends: bool = False) -> list[int]:
    """Return the frames that a clip of `count` takes from a window, as indexing takes them from a segment.

    Args:
        window: The window.
        count: Frames of the clip.
        ends: Whether the last frame of the window is one of them; see `ClipSpec`.
    """
    length = window.end - window.first
    if ends and count > 1:
        return [window.first + k * (length - 1) // (count - 1) for k in range(count)]
    return [window.first + k * length // count for k in range(count)]
