"""The Encoder over a network: batches on a CPU are cut so that memory stays bounded, and nothing else changes."""

from __future__ import annotations

from typing import Any

import goldens
import numpy as np
import pytest
import torch

from encoder import EncoderUnavailable
from encoder.runtime import runner
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


def still_clip(seed: int) -> Any:
    """One picture, six times, with a little grain."""
    rng = np.random.default_rng(seed)
    picture = goldens.recipe().clip_u8(seed, 1, 72).clip(10, 245).astype(np.int16)
    return (picture + rng.integers(-4, 5, (6, 72, 72, 3))).astype(np.uint8)


def test_still_clips_are_encoded_by_few_frames_and_others_in_full() -> None:
    network = goldens.lvt("tiny")
    moving = still_clip(2)
    moving[4, 10:16, 10:16] ^= 255  # one small thing in one frame
    clips = np.stack([still_clip(1), moving, still_clip(3)])
    full = encoder(network)
    few = VideoPrism(network, None, "cpu", weights_id="tiny@test", still_frames=2)  # type: ignore[arg-type]
    assert (full.id, few.id) == ("tiny@test:6f:stretch", "tiny@test:6f:stretch:still2")
    assert few.clip_spec == full.clip_spec
    rows = few.encode_clips(clips)
    with torch.inference_mode():
        by_two = network.encode_video(torch.from_numpy(clips[[0, 2]][:, [1, 4]])).numpy()
    np.testing.assert_allclose(rows[[0, 2]], by_two, atol=goldens.UNIT)
    np.testing.assert_allclose(rows[1], full.encode_clips(clips[1:2])[0], atol=goldens.UNIT)
    assert few.encode_clips(clips[:0]).shape == (0, 32)
    for i in range(3):  # alone as well as among others
        np.testing.assert_allclose(few.encode_clips(clips[i : i + 1])[0], rows[i], atol=goldens.UNIT)


def test_no_more_still_frames_than_frames() -> None:
    for wrong in (-1, 7):
        with pytest.raises(ValueError, match="of 6 frames"):
            VideoPrism(goldens.lvt("tiny"), None, "cpu", weights_id="t", still_frames=wrong)  # type: ignore[arg-type]


def test_full_size_clips_go_one_by_one() -> None:
    from encoder.config import CONFIGS

    base, demo = CONFIGS["videoprism_lvt_public_v1_base"], CONFIGS["videoprism_lvt_demo"]
    at_once = [runner._CPU_ACTIVATION // (c.frames * c.rows * c.columns * c.dim) for c in (base, demo)]
    assert at_once == [1, 256]


@pytest.mark.parametrize(("activation", "batch"), [(1 << 22, 8), (5, 5), (2.5, 2), (1, 1), (0.5, 1)])
def test_a_batch_fills_what_is_computed_at_once_and_has_one_clip_at_least(
    monkeypatch: pytest.MonkeyPatch, activation: float, batch: int
) -> None:
    one = 6 * 16 * 32  # tokens x width of one clip
    monkeypatch.setattr(runner, "_CPU_ACTIVATION", int(activation * one))
    assert encoder(goldens.lvt("tiny")).batch == batch


def test_a_precision_that_a_plain_runner_lacks_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "packs_layers", lambda: False)
    assert isinstance(runner.make_runner(goldens.lvt("tiny"), "cpu", "float32"), runner.PlainRunner)
    with pytest.raises(EncoderUnavailable, match="tiny runs in float32 on cpu, not in bfloat16"):
        runner.make_runner(goldens.lvt("tiny"), "cpu", "bfloat16")
