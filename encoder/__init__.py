"""Clips and sentences to comparable unit vectors. Knows nothing of files, shots or SQL.

Importing this package imports neither torch nor any model: `load_encoder` does, in its body.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from encoder.errors import EncoderError, EncoderUnavailable, ModelNotFound, WeightsMismatch
from encoder.protocol import ClipSpec, Encoder, Fit

if TYPE_CHECKING:
    from encoder.checkpoints.download_policy import Sources

__all__ = [
    "DEFAULT_ENCODER",
    "ClipSpec",
    "Encoder",
    "EncoderError",
    "EncoderUnavailable",
    "Fit",
    "ModelNotFound",
    "WeightsMismatch",
    "load_encoder",
]

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
    still_frames: of clips that hardly move (`encoder.motion`); 0: all. Part of the id, as frames and fit are.
    precision: auto, float32, bfloat16 or int8 (`encoder.runtime.precision`); no part of the id: the space is the same.
    sources: who is asked before a large download, and where files may lie; None downloads nothing above 10 MB.

    Raises ModelNotFound, WeightsMismatch, EncoderUnavailable; ValueError for an unknown name.
    """
    from encoder.loading import load

    return load(
        name_or_path, device, frames=frames, fit=fit, still_frames=still_frames, precision=precision, sources=sources
    )
