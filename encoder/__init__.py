"""Encoders: models that map video clips and sentences to unit vectors of one embedding space.

    import numpy as np
    from encoder import load_encoder

    encoder = load_encoder("demo", "cpu")  # or "base", "large", a file, "open_clip:MODEL/PRETRAINED"
    clips = np.zeros((2, *encoder.clip_spec.shape), np.uint8)  # (B, T, S, S, 3), RGB
    texts = ["a penguin rises", "a taxi spins around", "a key"]
    scores = encoder.encode_clips(clips) @ encoder.encode_texts(texts).T  # cosines, float32 (2, 3)

The interfaces are `encoder.protocol.Encoder` and, for heads, `TokenEncoder`; tests/test_encoder_conformance.py tests
every implementation. The package is independent of video files, shots and SQL. Importing it does not import torch;
calling `load_encoder` does.

    loading             names and paths to files, device and id
    videoprism          the VideoPrism encoder; its network is in config, layers, pooler, model and weights
    heads               classifiers on its tokens and rows: head_files stores them, classifier_weights is the official
                        classifier's tree
    openclip            encoders of open_clip's image-text models
    lazy                an encoder that loads its model on the first encode
    checkpoints         files: download, verification, memory-mapped copies
    runtime             execution: precision, runners for CPU and GPU, kernels
    reference_outputs   checks of real checkpoints by the outputs published for them (published_outputs)
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from encoder.errors import EncoderError, EncoderUnavailable, ModelNotFound, WeightsMismatch
from encoder.protocol import ClipSpec, Encoder, Fit, Shape

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
    "Shape",
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
    needs_text: bool = False,
    shapes: Mapping[str, Shape] | None = None,
) -> Encoder:
    """Load an encoder by name or from a file.

    Args:
        name_or_path: One of
            - `base`, `large`, `demo`, or a name of `encoder.config.CONFIGS`; `videoprism_public_v1_base` and
              `_large` are plain video encoders, which have tokens for heads and no text tower;
            - the path of an official `.npz`, of our `.safetensors`, or of a folder that contains one of them;
            - `open_clip:MODEL/PRETRAINED`, for example `open_clip:ViT-B-32/openai`
              (`open_clip:MODEL/random` for tests).
        device: cpu, cuda, cuda:N, mps, or auto for the best that is available.
        frames: T, frames per clip; None for the model's own number. Part of the id.
        fit: How a frame that is not square becomes square: stretch, crop or pad. Part of the id.
        still_frames: Number of frames encoded for a nearly still clip (`encoder.motion`); 0 for all. VideoPrism only.
            Part of the id.
        precision: float32, bfloat16, int8, or auto: bfloat16 if the device multiplies it natively, else float32. Not
            part of the id, because the space is the same (docs/encoder.md has the differences).
        sources: Allowed sources of files, and consent to downloads; None uses the standard locations and downloads
            nothing above 10 MB.
        needs_text: Whether the encoder is to encode sentences: then a plain video encoder is refused.
        shapes: What replaces `frames`, `fit` and `still_frames` for some weights, by the part of the id before the
            shape. So a file whose weights a caller has seen before takes the shape that they had.

    Raises:
        ValueError: An unknown name, a plain video encoder where text is needed, or an option out of range.
        ModelNotFound: The weights are not on this machine and cannot or may not be downloaded.
        WeightsMismatch: The file is not the expected checkpoint.
        EncoderUnavailable: A library or a device is missing, or the device does not support the precision.
    """
    from encoder.loading import load  # here, because importing it makes importing the package a quarter slower

    return load(
        name_or_path,
        device,
        frames=frames,
        fit=fit,
        still_frames=still_frames,
        precision=precision,
        sources=sources,
        needs_text=needs_text,
        shapes=shapes,
    )
