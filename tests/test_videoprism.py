"""The Encoder over a network: batches on a CPU are cut so that memory stays bounded, and nothing else changes."""

from __future__ import annotations

from typing import Any

import goldens
import numpy as np
import pytest

from encoder import runner
from encoder.videoprism import VideoPrism


def encoder(network: Any) -> VideoPrism:
    return VideoPrism(network, None, "cpu", weights_id="tiny@test")  # type: ignore[arg-type]


def test_a_batch_in_parts_gives_the_same_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    network = goldens.lvt("tiny")
    seen: list[int] = []
    encode = network.encode_video
    monkeypatch.setattr(network, "encode_video", lambda clips: seen.append(len(clips)) or encode(clips))
    clips = np.stack([goldens.recipe().clip_u8(seed, 6, 72) for seed in range(5)])
    whole = encoder(network).encode_clips(clips)
    assert seen == [5]
    one = 6 * 16 * 32  # tokens x width of one clip
    monkeypatch.setattr(runner, "_CPU_ACTIVATION", 2 * one + 1)
    parts = encoder(network).encode_clips(clips)
    assert seen == [5, 2, 2, 1]
    np.testing.assert_allclose(parts, whole, atol=1e-6)


def test_full_size_clips_go_one_by_one() -> None:
    from encoder.config import CONFIGS

    base, demo = CONFIGS["videoprism_lvt_public_v1_base"], CONFIGS["videoprism_lvt_demo"]
    at_once = [runner._CPU_ACTIVATION // (c.frames * c.rows * c.columns * c.dim) for c in (base, demo)]
    assert at_once == [1, 256]
