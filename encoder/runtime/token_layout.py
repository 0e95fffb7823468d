"""Which rows of a token matrix attend to each other: the same matrix is read three ways, and never copied between."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sequences:
    """`count` sequences of `length` rows out of a matrix (R, D) in the order b, t, n.

    Row i of sequence s is (s // inner) * outer + s % inner + i * step.
    """

    count: int
    length: int
    inner: int
    outer: int
    step: int

    @classmethod
    def within_frames(cls, clips: int, frames: int, patches: int) -> Sequences:
        """Each frame's patches."""
        return cls(count=clips * frames, length=patches, inner=1, outer=patches, step=1)

    @classmethod
    def across_frames(cls, clips: int, frames: int, patches: int) -> Sequences:
        """Each patch's frames."""
        return cls(count=clips * patches, length=frames, inner=patches, outer=frames * patches, step=patches)

    @classmethod
    def within_clips(cls, clips: int, frames: int, patches: int) -> Sequences:
        """Each clip's tokens."""
        return cls(count=clips, length=frames * patches, inner=1, outer=frames * patches, step=1)
