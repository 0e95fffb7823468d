"""Which clips hardly move, and what is left of them: a few of their frames say as much as all."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

BLOCKS = 16
"""A frame is looked at in BLOCKS x BLOCKS parts, so that a small thing that moves is not averaged away."""

STEP = 2
"""Every second pixel of every second row is enough."""

LEVELS = 12.0
"""A part that differs by less than this from the first frame, in 8-bit levels on average, does not move: grain and
compression stay below (docs/encoder.md)."""


def change(clips: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Most that any part of any frame differs from the same part of the first: mean |difference| in 8-bit levels.

    uint8 (B, T, S, S, 3) -> float32 (B,). The first frame, not the one before: a slow drift is motion too. Green alone,
    most of what is brightness.
    """
    b, t = clips.shape[:2]
    thinned = clips[:, :, ::STEP, ::STEP, 1]
    blocks = min(BLOCKS, thinned.shape[2])
    side = thinned.shape[2] // blocks  # pixels along a block; what does not fill one is left out
    pixels = np.ascontiguousarray(thinned[:, :, : side * blocks, : side * blocks])
    most = np.zeros(b, np.float32)
    for number in range(1, t):
        difference = np.maximum(pixels[:, number], pixels[:, 0]) - np.minimum(pixels[:, number], pixels[:, 0])
        parts = difference.reshape(b, blocks, side, blocks, side).mean(axis=(2, 4), dtype=np.float32)
        np.maximum(most, parts.max(axis=(1, 2)), out=most)
    return most


def few_frames(frames: int, few: int) -> NDArray[np.int64]:
    """Which of `frames` frames stand for all: `few` of them, each nearest the middle of its share."""
    if not 1 <= few <= frames:
        raise ValueError(f"of {frames} frames 1 to {frames} can be kept, not {few}")
    return ((2 * np.arange(few) + 1) * frames) // (2 * few)
