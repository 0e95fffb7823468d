"""The frames of which clips, posters and previews are made: kept within bounds, scaled only when they are taken."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, TypeVar

import numpy as np

from indexer.media.downscale import can_halve, luma
from indexer.media.sampling import sample_indices

if TYPE_CHECKING:
    from collections.abc import Iterable

    from av.video.frame import VideoFrame
    from numpy.typing import NDArray

    from indexer.media.scale import Scaler

    Pixels = NDArray[np.uint8]
    Size = tuple[int, int]

T = TypeVar("T")

KEPT_BYTES = 320 * 1024 * 1024
"""Of one video, however large its frames: 411 frames of 1080p (halved), 242 of 720p (as decoded)."""
_LEAST = 32  # frames, whatever they take: fewer would repeat frames in clips of 16


class Thinned(Generic[T]):
    """Keeps every `stride`-th item offered; when `bound` are kept, every other one goes and the stride doubles.

    So up to `bound` items are kept exactly, and of a longer stretch between bound / 2 and bound, evenly spread.
    Items are made only when they are kept: `offer` takes a function.
    """

    def __init__(self, bound: int) -> None:
        if bound < 2:
            raise ValueError(f"a thinned memory needs room for at least 2 items, got {bound}")
        self.bound = bound
        self.stride = 1
        self._skip = 0  # offers to let pass until the next is kept
        self._indices: list[int] = []
        self._items: list[T] = []

    def __len__(self) -> int:
        return len(self._items)

    def offer(self, index: int, make: Callable[[], T]) -> None:
        """The next item, by ascending index (gaps allowed: strides count offers)."""
        if self._skip:
            self._skip -= 1
            return
        if len(self._items) >= self.bound:  # more where the bound was lowered
            ends_kept = len(self._items) % 2 == 1
            del self._indices[1::2], self._items[1::2]
            self.stride *= 2
            if ends_kept:  # then this one lies half a stride after the last: wait the other half
                self._skip = self.stride // 2 - 1
                return
        self._indices.append(index)
        self._items.append(make())
        self._skip = self.stride - 1

    def restart(self, index: int) -> None:
        """A new stretch begins at `index`: forget what is before it and keep every item offered from now on.

        Items from `index` on that are already here stay.
        """
        self.forget_before(index)
        self.stride = 1
        self._skip = 0

    def forget_before(self, index: int) -> None:
        """The stretch goes on, but nothing before `index` is asked for any more."""
        gone = bisect_left(self._indices, index)
        del self._indices[:gone], self._items[:gone]

    def nearest(self, index: int, low: int, high: int) -> T:
        """The item nearest to `index`, of those within [low, high) where there is one, else of all.

        Raises LookupError when nothing is kept.
        """
        if not self._items:
            raise LookupError("nothing is kept")
        first, last = bisect_left(self._indices, low), bisect_left(self._indices, high)
        if first == last:
            first, last = 0, len(self._indices)
        at = bisect_left(self._indices, index, first, last)
        if at == last or (at > first and index - self._indices[at - 1] <= self._indices[at] - index):
            at -= 1
        return self._items[at]

    def within(self, low: int, high: int) -> list[T]:
        """The items of [low, high), in order."""
        return self._items[bisect_left(self._indices, low) : bisect_left(self._indices, high)]


class KeptFrames:
    """Thinned frames of a stretch, by their index in the video, and what is made of spans of them.

    A clip takes 16 of the hundred frames of a shot, a preview 32, a poster 1: scaling only those is what makes a pass
    cheap. The frames are kept as Scaler.reduce gives them, `bound` of them or as many as fit in KEPT_BYTES.
    """

    def __init__(self, scaler: Scaler, bound: int) -> None:
        self._scaler = scaler
        self._most = bound
        self._size: Size = (0, 0)  # of the frame that came last
        self._kept: Thinned[tuple[VideoFrame, Size]] = Thinned(bound)
        self.restart = self._kept.restart
        self.forget_before = self._kept.forget_before

    def __len__(self) -> int:
        return len(self._kept)

    def offer(self, index: int, picture: VideoFrame, coded_size: Size) -> None:
        """The next frame, after Scaler.reduce. coded_size: (width, height) before."""
        if coded_size != self._size:
            self._size = coded_size
            bytes_each = sum(plane.buffer_size for plane in picture.planes)
            self._kept.bound = min(self._most, max(_LEAST, KEPT_BYTES // max(1, bytes_each)))
        self._kept.offer(index, lambda: (picture, coded_size))

    def clip(self, low: int, high: int) -> Pixels:
        """uint8 (T, S, S, 3): of the frames low <= index < high those that the reference takes, or the nearest kept."""
        scaled: dict[int, Pixels] = {}
        frames = []
        for offset in sample_indices(high - low, self._scaler.spec.frames):
            picture, size = self._kept.nearest(low + offset, low, high)
            if id(picture) not in scaled:
                scaled[id(picture)] = self._scaler.clip_frame(picture, coded_size=size)
            frames.append(scaled[id(picture)])
        return np.stack(frames)

    def pictures(self, indices: Iterable[int], low: int, high: int) -> list[VideoFrame]:
        """Those kept that are nearest to `indices`, within low <= index < high if any are, each once, in order."""
        nearest = [self._kept.nearest(index, low, high)[0] for index in indices]
        return list({id(picture): picture for picture in nearest}.values())

    def contrast(self, picture: VideoFrame) -> float:
        """Standard deviation of brightness, to compare pictures of this video by."""
        if can_halve(picture):
            return float(luma(picture)[::4, ::4].std())
        return float(self._scaler.shown(picture, 160).std())
