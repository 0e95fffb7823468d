"""Clips and sentences to comparable unit vectors. Knows nothing of files, shots or SQL.

Importing this package imports neither torch nor any model: `load_encoder` does, in its body.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from encoder.sources import Sources

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


class EncoderError(Exception):
    """Base of what goes wrong with an encoder; the message says what to do next.

    EncoderError
      +- ModelNotFound        the weights are not on this machine and could not be fetched
      +- WeightsMismatch      the file is not the checkpoint it should be (keys, shapes, checksum)
      +- EncoderUnavailable   a library or device that the encoder needs is missing
    """


class ModelNotFound(EncoderError):
    """The weights are not on this machine and could not be fetched."""


class WeightsMismatch(EncoderError):
    """A checkpoint's keys, shapes or checksum are not what they should be."""


class EncoderUnavailable(EncoderError):
    """A library or a device that the encoder needs is missing."""


DEFAULT_ENCODER = "videoprism_lvt_public_v1_base"


def load_encoder(
    name_or_path: str | Path = DEFAULT_ENCODER,
    device: str = "auto",
    *,
    frames: int | None = None,
    fit: Fit = "stretch",
    still_frames: int = 0,
    precision: str = "auto",
    sources: Sources | None = None,
) -> Encoder:
    """Load an encoder by name or from a file.

    name_or_path: `demo`, `base`, `large`, a name of `encoder.config.CONFIGS`, a path of an official `.npz` or of our
    `.safetensors`, or `open_clip:MODEL/PRETRAINED` (`open_clip:MODEL/random` for tests).
    device: cpu, cuda, cuda:N, mps or auto (the best there is). frames: T, by default the checkpoint's own.
    still_frames: of clips that hardly move (`encoder.stillness`); 0: all. Part of the id, as frames and fit are.
    precision: auto, float32, bfloat16 or int8 (`encoder.precision`); no part of the id, the space stays the same.
    sources: who is asked before a large download, and where files may lie; None downloads nothing above 10 MB.

    Raises ModelNotFound, WeightsMismatch, EncoderUnavailable; ValueError for an unknown name.
    """
    from encoder.loading import load

    return load(
        name_or_path, device, frames=frames, fit=fit, still_frames=still_frames, precision=precision, sources=sources
    )
