"""Protocols of a model that scores frames as shot boundaries, and the form of its frames.

A frame has two scores, both probabilities:
    column SINGLE     the frame is the middle of a transition. A hard cut scores at the last frame of the old shot.
    column MANY_HOT   the frame is part of a transition, however long.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FRAME_HEIGHT, FRAME_WIDTH = 27, 48
"""Frames are squeezed to this size whatever their shape, as those that the network was trained with."""

SINGLE, MANY_HOT = 0, 1


class ScoreStream(Protocol):
    """The scores of one video, whose frames arrive in pieces of any size.

    Concatenated, all results are what `ShotBoundaryScorer.scores` returns for all frames, on a CPU bit for bit.
    Scores are late by the frames of one window at most, and the stream holds no more frames than that.
    """

    @property
    def until_scores(self) -> int:
        """Number of frames to feed until some scores come, at least 1; fewer give none."""
        ...

    def feed(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Take the next frames, uint8 (n, 27, 48, 3) RGB; n may be 0.

        Returns:
            float32 (m, 2): the scores of the next m frames, m from 0 on, that have become final.
        """
        ...

    def finish(self) -> NDArray[np.float32]:
        """End the stream, and return the scores of the remaining frames."""
        ...


class ShotBoundaryScorer(Protocol):
    """A model that scores each frame of a video as a shot boundary. Several threads may use it at the same time."""

    def prepare(self) -> None:
        """Load what is not loaded yet.

        Raises:
            EncoderError: The weights are missing or damaged, or the device is.
        """
        ...

    def scores(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Score all frames of a video: uint8 (n, 27, 48, 3) RGB to float32 (n, 2); n may be 0."""
        ...

    def stream(self) -> ScoreStream:
        """Begin a video whose frames arrive in pieces."""
        ...
