"""The frames of which clips, posters and previews are made: kept within bounds, scaled only when they are taken."""

from __future__ import annotations

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
