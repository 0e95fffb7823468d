"""The contract of an encoder: the clips it takes, and rows of unit length in one space."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Fit = Literal["stretch", "crop", "pad"]
"""How a frame that is not square becomes square: squash the whole picture, take the centre, or letterbox."""


@dataclass(frozen=True, slots=True)
class ClipSpec:
    """The shape of the clips an encoder takes: `frames` pictures of `size` x `size` pixels, made square by `fit`."""

    frames: int
    size: int
    fit: Fit = "stretch"

    def __post_init__(self) -> None:
        if self.frames < 1 or self.size < 1:
            raise ValueError(f"a clip needs at least one frame and one pixel, got {self.frames} x {self.size}")
        if self.fit not in ("stretch", "crop", "pad"):
            raise ValueError(f"fit must be stretch, crop or pad, got {self.fit!r}")

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Of one clip: (T, S, S, 3)."""
        return (self.frames, self.size, self.size, 3)

    def require(self, clips: NDArray[np.uint8]) -> None:
        """Raise ValueError unless `clips` is uint8 (B, T, S, S, 3)."""
        if clips.dtype != np.uint8 or clips.ndim != 5 or clips.shape[1:] != self.shape:
            raise ValueError(
                f"clips must be uint8 (B, {', '.join(map(str, self.shape))}), got {clips.dtype} {clips.shape}"
            )


@runtime_checkable
class Encoder(Protocol):
    """What turns clips and sentences into rows of one space; score = row . row (cosine).

    Every row that leaves an encoder is float32 and of unit length; nobody else normalises.
    Implementations pass tests/test_encoder_conformance.py.
    """

    @property
    def id(self) -> str:
        """Names weights and everything else that shapes a vector; stored with each embedding, so spaces never mix."""
        ...

    @property
    def dim(self) -> int:
        """Columns of every row."""
        ...

    @property
    def clip_spec(self) -> ClipSpec:
        """The clips `encode_clips` takes."""
        ...

    @property
    def notice(self) -> str | None:
        """What a person must know before trusting the hits (the demo encoder knows only its own world), or None."""
        ...

    @property
    def batch(self) -> int:
        """Clips a call of `encode_clips` that keep it busy; any number may be given."""
        ...

    def encode_clips(self, clips: NDArray[np.uint8]) -> NDArray[np.float32]:
        """uint8 (B, T, H, W, 3) RGB -> float32 (B, D), rows of unit length. B = 0 gives (0, D).

        Raises ValueError for another shape or dtype than `clip_spec` says.
        """
        ...

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """B sentences -> float32 (B, D), rows of unit length."""
        ...
