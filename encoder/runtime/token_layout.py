"""Token layout: the sequences of rows in one token matrix that attend to each other, in each of the three stacks.

The matrix is read in three ways and never rearranged between them.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sequences:
    """`count` sequences of `length` rows of a matrix (R, D) whose rows are in the order clip, frame, patch.

    Row i of sequence s is row (s // inner) * outer + s % inner + i * step of the matrix.
    """

    count: int
    length: int
    inner: int
    outer: int
    step: int

    @classmethod
    def within_frames(cls, clips: int, frames: int, patches: int) -> Sequences:
        """Return a sequence per frame, of its patches: the spatial stack."""
        return cls(count=clips * frames, length=patches, inner=1, outer=patches, step=1)

    @classmethod
    def across_frames(cls, clips: int, frames: int, patches: int) -> Sequences:
        """Return a sequence per clip and patch, of its frames: the temporal stack."""
        return cls(count=clips * patches, length=frames, inner=patches, outer=frames * patches, step=patches)

    @classmethod
    def within_clips(cls, clips: int, frames: int, patches: int) -> Sequences:
        """Return a sequence per clip, of all its tokens: the auxiliary stack."""
        return cls(count=clips, length=frames * patches, inner=1, outer=frames * patches, step=1)
