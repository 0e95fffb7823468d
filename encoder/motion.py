"""Motion of clips: a measure of it, and the choice of frames that represent a still clip."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

BLOCKS = 16
"""A frame is compared in BLOCKS x BLOCKS blocks, so that a small moving thing is not averaged away."""

STEP = 2
"""Every second pixel of every second row is compared, which is enough."""

STILL_BELOW_LEVELS = 12.0
"""A clip whose `largest_change` is below this is still: grain and compression stay below it (docs/encoder.md)."""


def largest_change(clips: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return for each clip the largest mean absolute difference between a block and the same block of the first frame.

    The first frame, not the one before, because a slow drift is motion too. Only the green channel is compared, which
    carries most of the brightness.

    Args:
        clips: uint8 (B, T, S, S, 3), RGB.

    Returns:
        float32 (B,), in 8-bit levels (0 to 255).
    """
    b, t = clips.shape[:2]
    thinned = clips[:, :, ::STEP, ::STEP, 1]
    blocks = min(BLOCKS, thinned.shape[2])
    side = thinned.shape[2] // blocks  # pixels along a block; the rest at the edges is left out
    pixels = np.ascontiguousarray(thinned[:, :, : side * blocks, : side * blocks])
    most = np.zeros(b, np.float32)
    for number in range(1, t):
        difference = np.maximum(pixels[:, number], pixels[:, 0]) - np.minimum(pixels[:, number], pixels[:, 0])
        parts = difference.reshape(b, blocks, side, blocks, side).mean(axis=(2, 4), dtype=np.float32)
        np.maximum(most, parts.max(axis=(1, 2)), out=most)
    return most


def representative_frames(frames: int, count: int) -> NDArray[np.int64]:
    """Return the indices, int64 (count,), of frames that represent a still clip: the middles of `count` equal parts.

    Raises:
        ValueError: `count` is not between 1 and `frames`.
    """
    if not 1 <= count <= frames:
        raise ValueError(f"of {frames} frames 1 to {frames} can be kept, not {count}")
    return ((2 * np.arange(count) + 1) * frames) // (2 * count)
