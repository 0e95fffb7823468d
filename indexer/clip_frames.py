"""The frames from which clips are taken: kept within bounds, scaled when a clip is made of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from indexer.segments import sample_indices
from indexer.thinning import Thinned

if TYPE_CHECKING:
    from av.video.frame import VideoFrame
    from numpy.typing import NDArray

    from indexer.scale import Scaler

    Pixels = NDArray[np.uint8]
    Size = tuple[int, int]

_UNSCALED_BYTES = 640 * 1024
"""A frame up to this size is kept as it is. A clip takes 16 of the hundred frames of a shot: scaling only those halves
the cost of everything beside decoding at 854x480. A larger frame is scaled at once: memory is bound times this."""


class ClipFrames:
    """Thinned frames of a stretch, by their index in the video, and the clips of spans of them."""

    def __init__(self, scaler: Scaler, bound: int) -> None:
        self._scaler = scaler
        self._kept: Thinned[tuple[VideoFrame, Size] | Pixels] = Thinned(bound)
        self.restart = self._kept.restart
        self.forget_before = self._kept.forget_before

    def __len__(self) -> int:
        return len(self._kept)

    def offer(self, index: int, picture: VideoFrame, coded_size: Size) -> None:
        """The next frame, after Scaler.reduce. coded_size: (width, height) before."""
        small = sum(plane.buffer_size for plane in picture.planes) <= _UNSCALED_BYTES
        self._kept.offer(
            index,
            lambda: (picture, coded_size) if small else self._scaler.clip_frame(picture, coded_size=coded_size),
        )

    def clip(self, low: int, high: int) -> Pixels:
        """uint8 (T, S, S, 3): of the frames low <= index < high those that the reference takes, or the nearest kept."""
        scaled: dict[int, Pixels] = {}
        frames = []
        for offset in sample_indices(high - low, self._scaler.spec.frames):
            kept = self._kept.nearest(low + offset, low, high)
            if isinstance(kept, np.ndarray):
                frames.append(kept)
                continue
            picture, size = kept
            if id(picture) not in scaled:
                scaled[id(picture)] = self._scaler.clip_frame(picture, coded_size=size)
            frames.append(scaled[id(picture)])
        return np.stack(frames)
