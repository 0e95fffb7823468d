"""The GPU's video tower, run on a CPU: the same function as the network as it is written."""

from __future__ import annotations

import goldens
import numpy as np
import pytest
import torch

from encoder.model import Network, vision_of
from encoder.runtime.fused_tower import FusedTower
from encoder.runtime.plain_kernels import PlainKernels
from encoder.runtime.token_layout import Sequences

CPU = torch.device("cpu")


def clips(network: Network, count: int, frames: int) -> torch.Tensor:
    c = network.config
    rng = np.random.default_rng(3)
    shape = (count, frames, c.rows * c.patch, c.columns * c.patch, 3)
    return torch.from_numpy(rng.integers(0, 256, shape, dtype=np.uint8))


@pytest.mark.parametrize("name", ["tiny", "odd"])
@pytest.mark.parametrize("frames", [None, 1, 3, 9])
def test_same_rows_as_the_network(name: str, frames: int | None) -> None:
    network = goldens.lvt(name)
    some = clips(network, 3, frames or network.config.frames)
    with torch.inference_mode():
        expected = network.encode_video(some)
        found = FusedTower(network, PlainKernels(), CPU, torch.float32)(some)
    assert found.dtype == torch.float32
    assert float((found - expected).abs().max()) < goldens.UNIT


def test_bfloat16_points_the_same_way() -> None:
    network = goldens.lvt("tiny")
    some = clips(network, 4, network.config.frames)
    with torch.inference_mode():
        expected = network.encode_video(some)
        found = FusedTower(network, PlainKernels(), CPU, torch.bfloat16)(some)
    assert float(torch.cosine_similarity(found, expected).min()) > 0.999  # 32 columns; the full size is far nearer


@pytest.mark.parametrize("name", ["tiny", "odd"])
@pytest.mark.parametrize("frames", [None, 3])
def test_same_tokens_as_the_network(name: str, frames: int | None) -> None:
    network = goldens.lvt(name)
    some = clips(network, 3, frames or network.config.frames)
    tower = FusedTower(network, PlainKernels(), CPU, torch.float32)
    with torch.inference_mode():
        expected = vision_of(network)(some)
        assert float((tower.tokens(some) - expected).abs().max()) < goldens.SIDE
        assert float((tower(some) - network.encode_video(some)).abs().max()) < goldens.UNIT  # changed nothing


@pytest.mark.parametrize("name", ["tiny", "odd"])
def test_a_plain_network_has_the_mean_of_its_tokens(name: str) -> None:
    network = goldens.plain(name)
    some = clips(network, 3, network.config.frames)
    with torch.inference_mode():
        expected = network.encode_video(some)
        found = FusedTower(network, PlainKernels(), CPU, torch.float32)(some)
        half = FusedTower(network, PlainKernels(), CPU, torch.bfloat16)(some)
    assert float((found - expected).abs().max()) < goldens.UNIT
    assert half.dtype == torch.float32
    assert float(torch.cosine_similarity(half, expected).min()) > 0.999


@pytest.mark.parametrize(("clips", "frames", "patches"), [(2, 3, 4), (1, 5, 2)])
def test_each_row_is_in_one_sequence_of_each_kind(clips: int, frames: int, patches: int) -> None:
    where = np.arange(clips * frames * patches).reshape(clips, frames, patches)
    expected = {
        Sequences.within_frames: where.reshape(-1, patches),
        Sequences.across_frames: where.transpose(0, 2, 1).reshape(-1, frames),
        Sequences.within_clips: where.reshape(clips, -1),
    }
    for make, rows in expected.items():
        s = make(clips, frames, patches)
        assert rows.shape == (s.count, s.length)
        sequence, i = np.indices(rows.shape)
        np.testing.assert_array_equal((sequence // s.inner) * s.outer + sequence % s.inner + i * s.step, rows)
