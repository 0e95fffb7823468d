"""Frame sampling for clips: as in VideoPrism's reference code, or with both ends."""

from __future__ import annotations


def sample_indices(count: int, frames: int, *, ends: bool = False) -> list[int]:
    """Return the indices of the frames that a clip takes from a range.

    Args:
        count: Frames in the range.
        frames: Frames of the clip.
        ends: Whether the last frame of the range is one of them; see `ClipSpec`.

    Returns:
        `frames` indices, ascending; some repeat if count < frames. floor(k * count / frames); with both ends
        floor(k * (count - 1) / (frames - 1)), which is numpy's linspace from the first to the last frame.

    Raises:
        ValueError: If either number is below 1.
    """
    if count < 1 or frames < 1:
        raise ValueError(f"cannot take {frames} frames of {count}")
    if ends and frames > 1:
        return [k * (count - 1) // (frames - 1) for k in range(frames)]
    return [k * count // frames for k in range(frames)]
