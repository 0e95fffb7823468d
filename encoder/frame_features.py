"""Encoding in two halves: the features of each frame by itself, and rows of clips that are made of such frames.

Clips that share frames, such as overlapping windows, then share most of the work: the first half is three fifths of it
with LvT-B (`encoder.model`), all of it with an image model. An encoder that has no halves still has the interface: the
features of a frame are its pixels.

    by_frame(encoder).frame_features(frames)      uint8 (M, S, S, 3)  ->  (M, ...)
    by_frame(encoder).encode_features(features)   (B, T, ...)         ->  float32 (B, D)
"""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from encoder.protocol import ClipSpec, Encoder

FEWER_FRAMES = 8
"""The number of frames, where T is more, that clips made of features may have instead: half of the time for LvT-B. On a
GPU, kernels are tested with it."""

Features = NDArray[Any]
"""(M, ...), features of M frames. Their shape and dtype are the encoder's own; only the first axis means anything."""


@runtime_checkable
class FrameEncoder(Protocol):
    """An encoder in two halves. Except for rounding, both together are `Encoder.encode_clips`."""

    @property
    def clip_spec(self) -> ClipSpec:
        """See `Encoder.clip_spec`."""
        ...

    @property
    def batch(self) -> int:
        """See `Encoder.batch`: clips of one call of `encode_features`."""
        ...

    def frame_features(self, frames: NDArray[np.uint8]) -> Features:
        """Return the features of frames, each computed by itself.

        Args:
            frames: uint8 (M, S, S, 3), RGB, of the size that `clip_spec` says. M may be 0.

        Raises:
            ValueError: `frames` has another shape or dtype.
            EncoderError: A lazy encoder cannot be loaded.
        """
        ...

    def encode_features(self, features: Features) -> NDArray[np.float32]:
        """Encode clips of which the features of all frames are known.

        Args:
            features: (B, t, ...), those of `frame_features`, stacked by clip. B may be 0. t is T of `clip_spec`, or
                FEWER_FRAMES if that is less: then positions in time are resized, or frames repeated by an encoder that
                cannot do that.

        Returns:
            float32 (B, D), rows of unit length; those of `encode_clips` if t is T.

        Raises:
            ValueError: t is 0 or more than T.
            EncoderError: A lazy encoder cannot be loaded.
        """
        ...


def by_frame(encoder: Encoder) -> FrameEncoder:
    """Return the encoder in two halves."""
    return encoder if isinstance(encoder, FrameEncoder) else PixelFeatures(encoder)


class PixelFeatures:
    """A FrameEncoder of any encoder, whose features are the pixels."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder

    @property
    def clip_spec(self) -> ClipSpec:
        return self._encoder.clip_spec

    @property
    def batch(self) -> int:
        return self._encoder.batch

    def frame_features(self, frames: NDArray[np.uint8]) -> Features:
        """See `FrameEncoder.frame_features`."""
        require_frames(self.clip_spec, frames)
        return frames

    def encode_features(self, features: Features) -> NDArray[np.float32]:
        """See `FrameEncoder.encode_features`."""
        require_length(self.clip_spec, features)
        return self._encoder.encode_clips(repeated(features, self.clip_spec.frames))


def require_frames(spec: ClipSpec, frames: NDArray[np.uint8]) -> None:
    """Raise ValueError unless `frames` is uint8 (M, S, S, 3)."""
    if frames.dtype != np.uint8 or frames.ndim != 4 or frames.shape[1:] != spec.shape[1:]:
        raise ValueError(
            f"frames must be uint8 (M, {', '.join(map(str, spec.shape[1:]))}), got {frames.dtype} {frames.shape}"
        )


def require_length(spec: ClipSpec, features: Features) -> None:
    """Raise ValueError unless `features` (B, t, ...) are of 1 to T frames a clip."""
    if features.ndim < 3 or not 1 <= features.shape[1] <= spec.frames:
        raise ValueError(f"features of 1 to {spec.frames} frames a clip are needed, got {features.shape}")


def repeated(features: Features, frames: int) -> Features:
    """Return clips (B, t, ...) as ones of `frames` frames, evenly repeated."""
    count = features.shape[1]
    return features if count == frames else features[:, np.arange(frames) * count // frames]
