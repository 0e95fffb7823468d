"""The CPU's runner against the official arrays and against the network as it is written, in every precision."""

from __future__ import annotations

import threading
from typing import Any

import goldens
import numpy as np
import pytest
import torch
from torch import Tensor

from encoder import EncoderUnavailable
from encoder.layers import soft_capped_attention
from encoder.runtime.capped_attention import attend, query_scale
from encoder.runtime.cpu import CpuRunner
from encoder.runtime.cpu_tower import CpuTower
from encoder.runtime.packed_linear import GELU_LOWEST, pack_linear
from encoder.runtime.precision import PRECISION_CHOICES, Precision, choose_precision, packs_layers
from encoder.runtime.runner import PlainRunner, make_runner
from encoder.runtime.workers import Workers

pytestmark = pytest.mark.skipif(not packs_layers(), reason="packed layers are for x86 processors")


def can(precision: Precision) -> bool:
    try:
        choose_precision(precision, "cpu", 768)
    except EncoderUnavailable:
        return False
    return True


def clips_of(*seeds: int, frames: int = 6) -> Any:
    return np.stack([goldens.recipe().clip_u8(seed, frames, 72) for seed in seeds])


@pytest.mark.parametrize("name", ["tiny", "odd"])
def test_float32_is_the_network(name: str) -> None:
    network = goldens.lvt(name)
    runner, plain = CpuRunner(network, "float32"), PlainRunner(network, "cpu")
    c = network.config
    rng = np.random.default_rng(3)
    for frames in (c.frames, 1, c.frames + 3):
        clips = rng.integers(0, 256, (2, frames, c.patch * c.rows, c.patch * c.columns, 3), dtype=np.uint8)
        assert np.abs(runner.encode_clips(clips) - plain.encode_clips(clips)).max() < goldens.UNIT


@pytest.mark.parametrize("precision", [each for each in ("float32", "bfloat16", "int8") if can(each)])
def test_the_halves_make_the_rows_of_the_whole(precision: Precision) -> None:
    runner, clips = CpuRunner(goldens.lvt("tiny"), precision), clips_of(1, 2)
    features = runner.frame_features(clips.reshape(-1, *clips.shape[2:]))
    rows = runner.encode_features(features.reshape(2, 6, *features.shape[1:]))
    assert np.abs(rows - runner.encode_clips(clips)).max() < 1e-6
    mixed = [0, 7, 2, 9, 4, 11]
    expected = runner.encode_clips(clips.reshape(1, -1, *clips.shape[2:])[:, mixed])
    assert np.abs(runner.encode_features(features[None, mixed]) - expected).max() < 1e-6


def test_float32_gives_the_official_rows() -> None:
    g = goldens.golden("tiny")
    runner = CpuRunner(goldens.lvt("tiny"), "float32")
    for frames in (1, 2, 3, 4, 5, 6, 8, 11, 12, 16):
        expected = g[f"video/frames_{frames}/emb"]
        assert np.abs(runner.encode_clips(g["in/clip16_u8"][None, :frames]) - expected).max() < goldens.UNIT
    for size in (54, 90, 144):
        found = runner.encode_clips(g[f"in/clip_size_{size}_u8"][None])
        assert np.abs(found - g[f"video/size_{size}/emb"]).max() < goldens.UNIT
    for case in ("len64", "left_and_hole"):
        found = runner.encode_texts(g[f"in/text/{case}/ids"], g[f"in/text/{case}/paddings"])
        assert np.abs(found - g[f"text/{case}/emb"]).max() < goldens.UNIT


@pytest.mark.parametrize("name", ["tiny", "odd"])
def test_float32_gives_the_official_tokens(name: str) -> None:
    g, network = goldens.golden(name), goldens.lvt(name)
    clips = np.stack([g["in/clip16_u8"][: network.config.frames], g["in/clip_b_u8"]]).astype(np.uint8)
    for runner in (
        CpuRunner(network, "float32"),
        PlainRunner(network, "cpu"),
        CpuRunner(goldens.plain(name), "float32"),
    ):
        tokens = runner.encode_tokens(clips)
        assert tokens.dtype == np.float32
        assert np.abs(tokens - g["video/main/spatiotemporal"]).max() < goldens.SIDE
        assert np.abs(runner.encode_tokens(clips[1:])[0] - tokens[1]).max() < goldens.SIDE


def test_a_plain_network_has_the_mean_of_its_tokens() -> None:
    network, clips = goldens.plain("tiny"), clips_of(1, 2, 3)
    means = PlainRunner(network, "cpu").encode_tokens(clips).mean(axis=1)
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    for runner in (PlainRunner(network, "cpu"), CpuRunner(network, "float32")):
        assert np.abs(runner.encode_clips(clips) - means).max() < goldens.UNIT


@pytest.mark.parametrize(("precision", "cosine"), [("bfloat16", 0.9998), ("int8", 0.998)])
def test_tokens_in_other_precisions_are_near(precision: Precision, cosine: float) -> None:
    if not can(precision):
        pytest.skip(f"this processor does not compute in {precision}")
    network, clips = goldens.plain("tiny"), clips_of(1, 2)
    exact, found = (
        runner.encode_tokens(clips) for runner in (PlainRunner(network, "cpu"), CpuRunner(network, precision))
    )
    assert found.dtype == np.float32
    lengths = np.linalg.norm(exact, axis=2) * np.linalg.norm(found, axis=2)
    assert float(((exact * found).sum(axis=2) / lengths).min()) > cosine


@pytest.mark.parametrize(("precision", "cosine"), [("bfloat16", 0.9998), ("int8", 0.998)])
def test_other_precisions_are_near(precision: Precision, cosine: float) -> None:
    if not can(precision):
        pytest.skip(f"this processor does not compute in {precision}")
    network = goldens.lvt("tiny")
    clips = clips_of(1, 2, 3)
    exact, rows = PlainRunner(network, "cpu").encode_clips(clips), CpuRunner(network, precision).encode_clips(clips)
    assert float((exact * rows).sum(1).min()) > cosine
    assert np.abs(exact - rows).max() > 0, "it computes in float32"
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)


def test_pictures_met_before_are_not_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    network = goldens.lvt("tiny")
    looked: list[int] = []
    features = CpuTower.frame_features

    def count(self: CpuTower, pictures: Tensor) -> Tensor:
        looked.append(len(pictures))
        return features(self, pictures)

    monkeypatch.setattr(CpuTower, "frame_features", count)
    a, b = clips_of(1, 2)
    alone = [CpuRunner(network, "float32").encode_clips(clip[None])[0] for clip in (a, b)]
    half = np.concatenate([a[3:], b[:3]])
    apart = CpuRunner(network, "float32").encode_clips(half[None])[0]
    still = np.repeat(a[:1], 6, axis=0)
    assert looked == [6, 6, 6]
    looked.clear()
    runner = CpuRunner(network, "float32")
    together = runner.encode_clips(np.stack([a, half, still]))
    assert looked == [9]  # 6 of a, 3 of b, nothing of the still one
    looked.clear()
    later = runner.encode_clips(np.stack([half, b]))
    assert looked == [3]  # the last two clips are remembered: b's first half is among them
    for row, expected in ((together[0], alone[0]), (together[1], apart), (later[0], apart), (later[1], alone[1])):
        np.testing.assert_array_equal(row, expected)


def test_the_cap_holds_where_scores_are_large() -> None:
    torch.manual_seed(0)
    q, k, v = (torch.randn(3, 40, 16) for _ in range(3))
    q *= 60
    expected = soft_capped_attention(q[None].double() * 16**-0.5, k[None].double(), v[None].double(), 50.0)[0]
    out = torch.empty(3, 40, 16)
    attend(q * query_scale(16, 50.0), k.transpose(1, 2).contiguous(), v, 50.0, out)
    assert float((q * 16**-0.5 @ k.transpose(1, 2)).abs().max()) > 100, "not large enough to show anything"
    assert float((out - expected).abs().max()) < 2e-4  # weights of e^50 to 1: a score's rounding is what differs
    assert torch.isfinite(out).all()


def test_int8_rows_do_not_suffer_from_each_other() -> None:
    if not can("int8"):
        pytest.skip("this processor has no VNNI")
    torch.manual_seed(0)
    weight, bias, x = torch.randn(96, 64), torch.randn(96), torch.randn(5, 64)
    for lowest, rows in ((None, x), (GELU_LOWEST, torch.nn.functional.gelu(x))):
        layer = pack_linear(weight, bias, "int8", lowest=lowest)
        expected = rows @ weight.T + bias
        before = layer(rows)
        assert float((before - expected).norm() / expected.norm()) < 0.015
        with_outlier = rows.clone()
        with_outlier[0] *= 1000
        torch.testing.assert_close(layer(with_outlier)[1:], before[1:], rtol=0, atol=0)


def test_int8_stands_channels_that_are_far_larger() -> None:
    if not can("int8"):
        pytest.skip("this processor has no VNNI")
    network, clips = goldens.lvt("tiny"), clips_of(1, 2)
    exact = PlainRunner(network, "cpu").encode_clips(clips)
    with torch.no_grad():  # the same function: what a norm gives 100 times as large is taken a hundredth of
        for stack in (network.vision_encoder.spatial, network.vision_encoder.temporal, network.auxiliary):
            for block in stack.layers:
                for norm, linear in (
                    (block.attention_norm, block.attention.qkv),
                    (block.feed_forward_norm, block.feed_forward.up),
                ):
                    norm.weight[:3] *= 100
                    norm.bias[:3] *= 100
                    linear.weight[:, :3] /= 100
    assert np.abs(PlainRunner(network, "cpu").encode_clips(clips) - exact).max() < 1e-5
    assert float((CpuRunner(network, "int8").encode_clips(clips) * exact).sum(1).min()) > 0.998


def test_int8_of_nothing_is_the_bias() -> None:
    if not can("int8"):
        pytest.skip("this processor has no VNNI")
    layer = pack_linear(torch.randn(32, 64), torch.arange(32.0), "int8")
    torch.testing.assert_close(layer(torch.zeros(3, 64)), torch.arange(32.0).expand(3, 32))


def test_workers_compute_alone_and_leave_the_rest_as_it_was() -> None:
    before = torch.get_num_threads()
    workers = Workers(3)
    seen: dict[str, tuple[int, bool]] = {}
    met = threading.Barrier(3)

    def note(_: int) -> None:
        met.wait(10)
        seen[threading.current_thread().name] = (torch.get_num_threads(), torch.is_inference_mode_enabled())

    workers.each(note, range(3))
    assert list(seen.values()) == [(1, True)] * 3
    assert torch.get_num_threads() == before
    fresh: list[int] = []
    thread = threading.Thread(target=lambda: fresh.append(torch.get_num_threads()))
    thread.start()
    thread.join()
    assert fresh == [before]


def test_an_error_of_a_worker_is_raised_and_ends_the_rest() -> None:
    workers, done = Workers(2), []

    def fail(i: int) -> None:
        if i == 1:
            raise MemoryError("no more")
        done.append(i)

    with pytest.raises(MemoryError, match="no more"):
        workers.each(fail, range(1000))
    workers.each(done.append, [5000])
    assert done[-1] == 5000


def test_precisions() -> None:
    from app.compose import PRECISIONS

    assert PRECISIONS == PRECISION_CHOICES
    assert choose_precision("auto", "cpu", 128) == "float32", "the demo encoder gains nothing"
    assert choose_precision("auto", "cpu", 768) == ("bfloat16" if can("bfloat16") else "float32")
    assert choose_precision("float32", "cpu", 768) == "float32"
    with pytest.raises(ValueError, match="auto, float32, bfloat16, int8"):
        choose_precision("half", "cpu", 768)
    with pytest.raises(EncoderUnavailable, match="VNNI"):
        choose_precision("int8", "cuda:0", 768)
    with pytest.raises(EncoderUnavailable, match="float32"):
        choose_precision("bfloat16", "mps", 768)


def test_a_processor_that_lacks_it_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported", "_is_vnni_supported"):
        monkeypatch.setattr(torch.cpu, name, lambda: False)
    assert choose_precision("auto", "cpu", 768) == "float32"
    for precision in ("bfloat16", "int8"):
        with pytest.raises(EncoderUnavailable):
            choose_precision(precision, "cpu", 768)


def test_small_networks_run_as_they_are_written() -> None:
    assert isinstance(make_runner(goldens.lvt("tiny"), "cpu", "float32"), PlainRunner)
    if can("int8"):
        assert isinstance(make_runner(goldens.lvt("tiny"), "cpu", "int8"), CpuRunner)


@pytest.mark.parametrize(("cores", "batch"), [(1, 1), (3, 2), (4, 2), (12, 8), (64, 8)])
def test_a_batch_gives_every_core_four_pictures(monkeypatch: pytest.MonkeyPatch, cores: int, batch: int) -> None:
    runner = CpuRunner(goldens.lvt("tiny"), "float32")
    monkeypatch.setattr(runner._workers, "count", cores)
    assert runner.batch == batch
