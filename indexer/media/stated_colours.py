"""Colours that the container states (`colr` of MP4, `Colour` of Matroska), for frames that state none of their own.

Decoders take them from the codec's headers alone: a remux whose HEVC headers leave them open has HDR frames without a
word, and players go by the container.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from av.video.codeccontext import VideoCodecContext
    from av.video.frame import VideoFrame

UNSTATED = (0, 2)  # 0 is reserved, or RGB as a matrix


@dataclass(frozen=True, slots=True)
class StatedColours:
    """FFmpeg's numbers of a video's colours as known when it is opened, before a decoder replaces them by its own."""

    primaries: int
    transfer: int
    matrix: int

    @staticmethod
    def of(context: VideoCodecContext) -> StatedColours:
        """Read those of a stream that has just been opened."""
        return StatedColours(int(context.color_primaries), int(context.color_trc), int(context.colorspace))

    def complete(self, picture: VideoFrame) -> None:
        """Fill in what a frame leaves open, where it states no transfer characteristic and the container does."""
        if picture.color_trc not in UNSTATED or self.transfer in UNSTATED:
            return
        picture.color_trc = self.transfer
        if picture.color_primaries in UNSTATED:
            picture.color_primaries = self.primaries
        if picture.colorspace in UNSTATED and not picture.format.is_rgb:
            picture.colorspace = self.matrix
