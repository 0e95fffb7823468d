"""Bounded buffers of frames from which clips, posters and previews are made. Frames are scaled only when taken."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, TypeVar

import numpy as np

from indexer.media.downscale import can_halve, luma
from indexer.media.sampling import sample_indices
from indexer.media.tone_map import tone_map_for

if TYPE_CHECKING:
    from collections.abc import Iterable

    from av.video.frame import VideoFrame
    from numpy.typing import NDArray

    from encoder import ClipSpec
    from indexer.media.scale import Scaler

    Pixels = NDArray[np.uint8]
    Size = tuple[int, int]

T = TypeVar("T")

MAX_BUFFER_BYTES = 320 * 1024 * 1024
"""Limit per video, for frames of any size: 411 frames of 1080p (halved), 242 of 720p (as decoded)."""
_MIN_FRAMES = 32  # regardless of their size; fewer would repeat frames in clips of 16


class DecimatingBuffer(Generic[T]):
    """Keeps every `stride`-th item pushed; at `bound` items, every other one is dropped and the stride doubles.

    So up to `bound` items, all are kept; of a longer range, between bound / 2 and bound, evenly spaced. An item is
    created only if it is kept: `push` takes a function.
    """

    def __init__(self, bound: int) -> None:
        if bound < 2:
            raise ValueError(f"a decimating buffer needs room for at least 2 items, got {bound}")
        self.bound = bound
        self.stride = 1
        self._skip = 0  # pushes to ignore until the next item is kept
        self._indices: list[int] = []
        self._items: list[T] = []

    def __len__(self) -> int:
        return len(self._items)

    def push(self, index: int, make: Callable[[], T]) -> None:
        """Add the next item. Indices ascend and may have gaps, because the stride counts pushes."""
        if self._skip:
            self._skip -= 1
            return
        if len(self._items) >= self.bound:  # more if the bound was lowered
            ends_kept = len(self._items) % 2 == 1
            del self._indices[1::2], self._items[1::2]
            self.stride *= 2
            if ends_kept:  # then this one is half a stride after the last: skip the other half
                self._skip = self.stride // 2 - 1
                return
        self._indices.append(index)
        self._items.append(make())
        self._skip = self.stride - 1

    def restart(self, index: int) -> None:
        """Begin a new range at `index`: drop earlier items and keep every item from now on.

        Items from `index` on that are already buffered stay.
        """
        self.drop_before(index)
        self.stride = 1
        self._skip = 0

    def drop_before(self, index: int) -> None:
        """Drop the items before `index`; the range continues."""
        gone = bisect_left(self._indices, index)
        del self._indices[:gone], self._items[:gone]

    def nearest(self, index: int, low: int, high: int) -> T:
        """Return the item nearest to `index`, among those within [low, high) if there are any.

        Raises:
            LookupError: If the buffer is empty.
        """
        if not self._items:
            raise LookupError("the buffer is empty")
        first, last = bisect_left(self._indices, low), bisect_left(self._indices, high)
        if first == last:
            first, last = 0, len(self._indices)
        at = bisect_left(self._indices, index, first, last)
        if at == last or (at > first and index - self._indices[at - 1] <= self._indices[at] - index):
            at -= 1
        return self._items[at]

    @property
    def indices(self) -> list[int]:
        """The indices of the items, ascending."""
        return list(self._indices)

    def within(self, low: int, high: int) -> list[T]:
        """Return the items within [low, high), in order."""
        return self._items[bisect_left(self._indices, low) : bisect_left(self._indices, high)]


class FrameBuffer:
    """Decimated frames of a range, by their index in the video, and the clips and pictures made from them.

    A clip takes 16 of the hundred frames of a shot, a preview 32, a poster 1: scaling only those makes a pass cheap.
    Frames are kept as Scaler.reduce returns them, at most `bound` of them or as many as fit in MAX_BUFFER_BYTES.
    """

    def __init__(self, scaler: Scaler, bound: int) -> None:
        self._scaler = scaler
        self._bound = bound
        self._size: Size = (0, 0)  # size of the last frame
        self._frames: DecimatingBuffer[tuple[VideoFrame, Size]] = DecimatingBuffer(bound)
        self.restart = self._frames.restart
        self.drop_before = self._frames.drop_before

    def __len__(self) -> int:
        return len(self._frames)

    def push(self, index: int, picture: VideoFrame, coded_size: Size) -> None:
        """Add the next frame.

        Args:
            index: Index of the frame in the video.
            picture: The frame, from Scaler.reduce.
            coded_size: (width, height) before `reduce`.
        """
        if coded_size != self._size:
            self._size = coded_size
            bytes_each = sum(plane.buffer_size for plane in picture.planes)
            self._frames.bound = min(self._bound, max(_MIN_FRAMES, MAX_BUFFER_BYTES // max(1, bytes_each)))
        self._frames.push(index, lambda: (picture, coded_size))

    def clip(self, low: int, high: int) -> Pixels:
        """Return the clip of the frames low <= index < high, uint8 (T, S, S, 3), for the first of several encoders.

        It takes the frames of `sample_indices`, or else the nearest buffered ones.
        """
        return self.clips(low, high)[0]

    def clips(self, low: int, high: int) -> tuple[Pixels, ...]:
        """Return what `clip` does for each encoder of the scaler."""
        scaled: dict[tuple[int, int, str], Pixels] = {}
        return tuple(self._clip(spec, low, high, scaled) for spec in self._scaler.specs)

    def _clip(self, spec: ClipSpec, low: int, high: int, scaled: dict[tuple[int, int, str], Pixels]) -> Pixels:
        frames = []
        for offset in sample_indices(high - low, spec.frames, ends=spec.ends):
            picture, size = self._frames.nearest(low + offset, low, high)
            key = id(picture), spec.size, spec.fit
            if key not in scaled:
                scaled[key] = self._scaler.clip_frame(picture, coded_size=size, spec=spec)
            frames.append(scaled[key])
        return np.stack(frames)

    def evenly(self, most: int) -> tuple[list[int], Pixels]:
        """Return at most `most` buffered frames, evenly spaced from the first on: indices, and uint8 (M, S, S, 3)."""
        indices = self._frames.indices
        chosen = [indices[at] for at in sample_indices(len(indices), min(most, len(indices)))]
        frames = [self._frames.nearest(index, index, index + 1) for index in chosen]
        return chosen, np.stack([self._scaler.clip_frame(picture, coded_size=size) for picture, size in frames])

    def pictures(self, indices: Iterable[int], low: int, high: int) -> list[VideoFrame]:
        """Return the buffered frames nearest to `indices`, each once and in order.

        Only frames low <= index < high are taken, if there are any.
        """
        nearest = [self._frames.nearest(index, low, high)[0] for index in indices]
        return list({id(picture): picture for picture in nearest}.values())

    def contrast(self, picture: VideoFrame) -> float:
        """Return the standard deviation of the brightness; comparable only within one video."""
        if can_halve(picture) and tone_map_for(picture) is None:
            return float(luma(picture)[::4, ::4].std())
        return float(self._scaler.shown(picture, 160).std())
