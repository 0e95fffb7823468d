"""Published outputs of the real checkpoints: a table of numbers, which `encoder.reference_outputs` compares with.

Sources: the outputs were published with huggingface/transformers' port of VideoPrism (its weight converter and tests,
which compare with the official JAX code on CPU); the token ids come from the published tests of projects that use the
same vocabulary. The clip is the sample of the official demo (water_bottle_drumming.mp4), T frames at floor(k * n / T),
resized with Lanczos to 288 x 288.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class LvtOutputs:
    """The outputs of a video-text checkpoint for the five demo queries and the demo clip.

    Attributes:
        text: The first columns of each query's unit row.
        video: The first columns of the clip's unit row.
    """

    text: tuple[tuple[float, ...], ...]
    video: tuple[float, ...]


DEMO_QUERIES: Mapping[str, tuple[int, ...]] = MappingProxyType(
    {
        "a video of playing drums.": (262, 266, 768, 267, 1376, 14293, 259),
        "a video of sitting.": (262, 266, 768, 267, 2865, 259),
        "a video of playing flute.": (262, 266, 768, 267, 1376, 20682, 259),
        "a video of playing at playground.": (262, 266, 768, 267, 1376, 289, 10691, 259),
        "a video of concert.": (262, 266, 768, 267, 4605, 259),
    }
)
"""The queries of the official demo and their ids in the real vocabulary."""

RAW_IDS: Mapping[str, tuple[int, ...]] = MappingProxyType(
    {
        "a long paragraph for summarization": (262, 266, 476, 8532, 270, 4460, 3949, 1682),
        "summary of the text": (6254, 267, 260, 1443),
        "a photo of a dog": (262, 266, 1304, 267, 262, 266, 1571),
        "红": (262, 234, 189, 165),  # bytes E7 BA A2, each plus 3: byte fallback
    }
)
"""Ids of texts that were not canonicalised (no final period), in the real vocabulary."""

LVT: Mapping[str, LvtOutputs] = MappingProxyType(
    {
        "videoprism_lvt_public_v1_base": LvtOutputs(
            text=(
                (-0.00802545, 0.00931361, 0.01555958),
                (0.02245245, 0.00010197, -0.01073526),
                (-0.02258418, 0.00133927, -0.01555064),
                (0.01056228, 0.01835608, -0.01539922),
                (-0.00366718, 0.00370416, 0.00800336),
            ),
            video=(
                -0.01940615, -0.04830061, 0.0069022, 0.02915299, -0.05897291, 0.02168823, -0.01471708, -0.00971614,
                -0.00220576,
            ),
        ),
        "videoprism_lvt_public_v1_large": LvtOutputs(
            text=(
                (0.00454123, -0.02623128, -0.00612541),
                (-0.00042687, -0.0018771, 0.01664249),
                (0.02318677, -0.02984732, 0.00270805),
                (-0.02054974, 0.00793169, 0.00964476),
                (-0.00214194, -0.02825877, 0.01981462),
            ),
            video=(
                -0.00077759, 0.00582959, -0.00158949, 0.04192347, -0.01581791, 0.02410023, -0.00364033, -0.02118852,
                0.00181754,
            ),
        ),
    }
)  # fmt: skip

TOKENS: Mapping[str, tuple[tuple[float, ...], ...]] = MappingProxyType(
    {
        "videoprism_public_v1_base": (
            (0.11648951, 0.4568253, 0.19288044),
            (0.28420594, -0.04224018, 0.377879),
            (0.24594213, -0.3914095, -0.30516925),
        ),
        "videoprism_public_v1_large": (
            (0.39503154, 0.07308281, 0.21407786),
            (0.4963156, -0.02489206, 0.49198192),
            (-0.41461205, 0.24869855, 0.25285226),
        ),
    }
)
"""The first columns of the first tokens of the demo clip, from plain video encoders."""
