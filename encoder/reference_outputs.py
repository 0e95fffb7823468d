"""Comparisons of real checkpoints with their published outputs (`encoder.published_outputs`).

This is the only check against trained weights that needs no reference implementation. `prismsearch doctor --model` runs
it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from encoder.protocol import Encoder
from encoder.published_outputs import DEMO_QUERIES, LVT, RAW_IDS, TOKENS, LvtOutputs

if TYPE_CHECKING:
    from encoder.model import VideoEncoder
    from encoder.tokenizer import Tokenizer

TEXT_TOLERANCE = 1e-4
VIDEO_TOLERANCE = 1e-5


@dataclass(frozen=True, slots=True)
class Comparison:
    """One comparison with a published output.

    Attributes:
        name: The thing compared.
        ok: Whether the difference is within the tolerance.
        max_difference: The largest absolute difference of a column; for token ids the number of wrong ones.
        tolerance: The largest difference allowed.
    """

    name: str
    ok: bool
    max_difference: float
    tolerance: float


def check(
    encoder: Encoder, clip: NDArray[np.uint8] | None = None, *, outputs: LvtOutputs | None = None
) -> list[Comparison]:
    """Compare a video-text checkpoint with its published outputs.

    Args:
        encoder: From `load_encoder`, with its native number of frames.
        clip: uint8 (T, S, S, 3), the demo clip; None compares the texts only.
        outputs: The expected outputs; None for those published for the encoder's name.

    Raises:
        ValueError: No outputs were published for this encoder, or the clip has another shape.
    """
    if outputs is None:
        name = encoder.id.partition("@")[0]
        if name not in LVT:
            raise ValueError(f"no outputs were published for {encoder.id}; they were for {', '.join(LVT)}")
        outputs = LVT[name]
    rows = encoder.encode_texts(list(DEMO_QUERIES))
    results = [
        _compare(f"text {query!r}", row, expected, TEXT_TOLERANCE)
        for query, row, expected in zip(DEMO_QUERIES, rows, outputs.text, strict=True)
    ]
    if clip is not None:
        results.append(_compare("video", encoder.encode_clips(clip[None])[0], outputs.video, VIDEO_TOLERANCE))
    return results


def check_tokens(
    network: VideoEncoder, clip: NDArray[np.uint8], *, tokens: Sequence[Sequence[float]] | None = None
) -> list[Comparison]:
    """Compare a plain video encoder with its published tokens.

    Args:
        network: A network of one of the official checkpoints.
        clip: uint8 (T, S, S, 3), the demo clip.
        tokens: The expected tokens; None for those published for the network's name.

    Raises:
        KeyError: No tokens were published for this network.
    """
    import torch

    expected = TOKENS[network.config.name] if tokens is None else tokens
    with torch.inference_mode():
        found = network(torch.from_numpy(np.ascontiguousarray(clip))[None])[0].float().cpu().numpy()
    return [_compare(f"token {i}", found[i], row, VIDEO_TOLERANCE) for i, row in enumerate(expected)]


def check_vocabulary(tokenizer: Tokenizer) -> list[Comparison]:
    """Compare a vocabulary with known ids of the real one (c4_en)."""
    ids, paddings = tokenizer.encode(list(DEMO_QUERIES))
    results = []
    for row, padding, (text, expected) in zip(ids, paddings, DEMO_QUERIES.items(), strict=True):
        results.append(_same(text, [int(i) for i in row[padding == 0]], expected))
    return results + [_same(text, tokenizer.raw_ids(text), expected) for text, expected in RAW_IDS.items()]


def _compare(name: str, row: NDArray[np.float32], expected: Sequence[float], tolerance: float) -> Comparison:
    difference = float(np.abs(row[: len(expected)].astype(np.float64) - np.array(expected)).max())
    return Comparison(name, difference <= tolerance, difference, tolerance)  # false for NaN


def _same(text: str, found: Sequence[int], expected: Sequence[int]) -> Comparison:
    wrong = sum(a != b for a, b in zip(found, expected, strict=False)) + abs(len(found) - len(expected))
    return Comparison(f"ids of {text!r}", wrong == 0, float(wrong), 0.0)
