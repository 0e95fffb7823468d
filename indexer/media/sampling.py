"""Sampling of frames for a clip, as the reference code does it."""

from __future__ import annotations


def sample_indices(count: int, frames: int) -> list[int]:
    """The reference's sampling: `frames` indices floor(k * count / frames); frames repeat where count < frames."""
    if count < 1 or frames < 1:
        raise ValueError(f"cannot take {frames} frames of {count}")
    return [k * count // frames for k in range(frames)]
