"""Frames of a stretch of a video, from which windows are made: scaled as clips are, with the times of all frames."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from encoder import ClipSpec


@dataclass(frozen=True, slots=True, eq=False)
class StretchFrames:
    """Some frames of a stretch.

    Attributes:
        frames: uint8 (M, S, S, 3), RGB, evenly spaced from the first frame on; M >= 1.
        at: The position of each among all frames of the stretch, ascending.
        pts: Of all frames of the stretch, ascending.
    """

    frames: NDArray[np.uint8]
    at: tuple[int, ...]
    pts: tuple[int, ...]


def read_stretch(
    path: str, spec: ClipSpec, start_seconds: Fraction, end_seconds: Fraction, most_frames: int
) -> StretchFrames:
    """Read a stretch of a video, decoding only it where the container can be sought.

    Args:
        path: Path of the video.
        spec: The size of frames, and how they become square; as in `indexer.media.clip.read_clip`.
        start_seconds: Start, from the first frame shown.
        end_seconds: End, exclusive.
        most_frames: The most frames to return, at least 1.

    Raises:
        UnreadableVideo: The file cannot be decoded.
        ValueError: The times are not within the video.
    """
    from indexer.media.clip import read_range

    found = read_range(path, spec, start_seconds=start_seconds, end_seconds=end_seconds)
    at, frames = found.buffer.evenly(most_frames)
    return StretchFrames(frames, tuple(at), tuple(found.pts))
