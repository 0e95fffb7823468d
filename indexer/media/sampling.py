"""Frame sampling for clips, as in VideoPrism's reference code."""

from __future__ import annotations


def sample_indices(count: int, frames: int) -> list[int]:
    """Return the indices of the frames that a clip takes from a range.

    Args:
        count: Frames in the range.
        frames: Frames of the clip.

    Returns:
        `frames` indices, floor(k * count / frames), ascending; some repeat if count < frames.

    Raises:
        ValueError: If either number is below 1.
    """
    if count < 1 or frames < 1:
        raise ValueError(f"cannot take {frames} frames of {count}")
    return [k * count // frames for k in range(frames)]
