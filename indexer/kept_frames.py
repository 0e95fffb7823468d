"""The frames of which clips, posters and previews are made: kept within bounds, scaled only when they are taken."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import numpy as np

from indexer.halving import can_halve, luma
from indexer.segments import sample_indices
from indexer.thinning import Thinned

if TYPE_CHECKING:
    from collections.abc import Iterable

    from av.video.frame import VideoFrame
    from numpy.typing import NDArray

    from indexer.scale import Scaler

    Pixels = NDArray[np.uint8]
    Size = tuple[int, int]

KEPT_BYTES = 320 * 1024 * 1024
"""Of one video, however large its frames: 411 frames of 1080p (halved), 242 of 720p (as decoded)."""
_LEAST = 32  # frames, whatever they take: fewer would repeat frames in clips of 16


class KeptFrames:
    """Thinned frames of a stretch, by their index in the video, and what is made of spans of them.

    A clip takes 16 of the hundred frames of a shot, a preview 32, a poster 1: scaling only those is what makes a pass
    cheap. Frames are kept as they come, also those that Scaler.reduce would make smaller, while all of them fit in
    KEPT_BYTES; then the oldest are reduced, and of reduced ones `bound` are kept, or as many as fit.
    """

    def __init__(self, scaler: Scaler, bound: int) -> None:
        self._scaler = scaler
        self._most = bound
        self._size: Size = (0, 0)  # of the frame that came last
        self._bytes_whole = self._bytes_reduced = 0  # of a frame of that size
        self._kept: Thinned[_Kept] = Thinned(bound)
        self._whole: deque[_Kept] = deque()  # those of them that are not reduced, oldest first

    def __len__(self) -> int:
        return len(self._kept)

    def offer(self, index: int, picture: VideoFrame, coded_size: Size) -> None:
        """The next frame, as decoded or after Scaler.reduce. coded_size: (width, height) as decoded."""
        kept = _Kept(picture, coded_size)
        if coded_size != self._size:
            self._size = coded_size
            self._bytes_whole = _bytes_of(picture)
            self._bytes_reduced = _bytes_of(kept.reduced(self._scaler))
            self._kept.bound = min(self._most, max(_LEAST, KEPT_BYTES // max(1, self._bytes_reduced)))
        before = len(self._kept)
        self._kept.offer(index, lambda: self._held(kept))
        if len(self._kept) < before:  # thinned
            self._look_again()
        while self._whole and self._bytes() > KEPT_BYTES:
            self._whole.popleft().reduced(self._scaler)

    def restart(self, index: int) -> None:
        """See Thinned.restart."""
        self._kept.restart(index)
        self._look_again()

    def forget_before(self, index: int) -> None:
        """See Thinned.forget_before."""
        self._kept.forget_before(index)
        self._look_again()

    def clip(self, low: int, high: int) -> Pixels:
        """uint8 (T, S, S, 3): of the frames low <= index < high those that the reference takes, or the nearest kept."""
        scaled: dict[int, Pixels] = {}
        frames = []
        for offset in sample_indices(high - low, self._scaler.spec.frames):
            kept = self._kept.nearest(low + offset, low, high)
            picture = kept.reduced(self._scaler)
            if id(picture) not in scaled:
                scaled[id(picture)] = self._scaler.clip_frame(picture, coded_size=kept.coded_size)
            frames.append(scaled[id(picture)])
        return np.stack(frames)

    def pictures(self, indices: Iterable[int], low: int, high: int) -> list[VideoFrame]:
        """Those kept that are nearest to `indices`, within low <= index < high if any are, each once, in order."""
        nearest = [self._kept.nearest(index, low, high).reduced(self._scaler) for index in indices]
        return list({id(picture): picture for picture in nearest}.values())

    def contrast(self, picture: VideoFrame) -> float:
        """Standard deviation of brightness, to compare pictures of this video by."""
        if can_halve(picture):
            return float(luma(picture)[::4, ::4].std())
        return float(self._scaler.shown(picture, 160).std())

    def _held(self, kept: _Kept) -> _Kept:
        if self._bytes_whole > self._bytes_reduced:
            self._whole.append(kept)
        return kept

    def _bytes(self) -> int:
        whole = len(self._whole)
        return whole * self._bytes_whole + (len(self._kept) - whole) * self._bytes_reduced

    def _look_again(self) -> None:
        """Let go of what is not kept any more."""
        there = {id(kept) for kept in self._kept}
        self._whole = deque(kept for kept in self._whole if id(kept) in there)


class _Kept:
    """A frame, reduced when that is first wanted."""

    __slots__ = ("_is_reduced", "_picture", "coded_size")

    def __init__(self, picture: VideoFrame, coded_size: Size) -> None:
        self._picture = picture
        self._is_reduced = False
        self.coded_size = coded_size

    def reduced(self, scaler: Scaler) -> VideoFrame:
        if not self._is_reduced:
            self._picture, self._is_reduced = scaler.reduce(self._picture), True
        return self._picture


def _bytes_of(picture: VideoFrame) -> int:
    return sum(plane.buffer_size for plane in picture.planes)
