"""The networks with gradients: what training needs of the encoder, and nothing that inference would notice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import goldens
import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from encoder.checkpoints.checkpoint import load_network
from encoder.config import DEMO, VideoPrismConfig
from encoder.layers import Attention, Stack, checkpoint_activations, soft_capped_attention
from encoder.model import VideoEncoder, VideoPrismLvT, build, vision_of
from encoder.model_files import DEMO_FOLDER
from encoder.runtime.fused_tower import FusedTower
from encoder.runtime.plain_kernels import PlainKernels

SMALL = VideoPrismConfig(
    name="small", patch=2, frames=2, rows=2, columns=2, dim=8, heads=2, mlp=12,
    spatial_layers=1, temporal_layers=1, auxiliary_layers=1, text_layers=1, vocabulary=11, text_tokens=5,
)  # fmt: skip


def clips_of(network: VideoPrismLvT | VideoEncoder, count: int = 2, frames: int | None = None) -> Tensor:
    c = network.config
    shape = (count, frames or c.frames, c.rows * c.patch, c.columns * c.patch, 3)
    return torch.from_numpy(np.random.default_rng(5).random(shape, dtype=np.float32))


def small(*, double: bool = False) -> VideoPrismLvT:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        network = build(SMALL)
        assert isinstance(network, VideoPrismLvT)
        for parameter in network.parameters():
            nn.init.normal_(parameter, std=0.3)
    return network.double() if double else network


def gradients(network: nn.Module, loss: Callable[[], Tensor]) -> dict[str, Tensor]:
    network.zero_grad()
    loss().backward()  # type: ignore[no-untyped-call]
    return {name: p.grad.clone() for name, p in network.named_parameters() if p.grad is not None}


def kept_bytes(run: Callable[[], Tensor]) -> int:
    """Return the bytes that autograd keeps for the backward pass, beside parameters."""
    kept: dict[int, int] = {}

    def keep(x: Tensor) -> Tensor:
        if not isinstance(x, nn.Parameter):
            kept[x.untyped_storage().data_ptr()] = x.untyped_storage().nbytes()
        return x

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda x: x):
        run()
    return sum(kept.values())


class LargestTensor(TorchDispatchMode):
    """The number of elements of the largest tensor that any operation returns."""

    def __init__(self) -> None:
        super().__init__()
        self.elements = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        for each in out if isinstance(out, (tuple, list)) else (out,):
            if isinstance(each, Tensor):
                self.elements = max(self.elements, each.untyped_storage().nbytes() // each.element_size())
        return out


@pytest.mark.parametrize("name", ["tiny", "odd"])
def test_rows_with_gradients_are_those_without(name: str) -> None:
    network = goldens.lvt(name).requires_grad_()
    clips = clips_of(network)
    with torch.no_grad():
        expected = network.encode_video(clips)
    found = network.encode_video(clips)
    assert found.requires_grad
    assert float((found - expected).detach().abs().max()) <= 1e-6


def test_gradients_are_right_in_every_part() -> None:
    network = small(double=True)
    clips = clips_of(network).double()
    ids, paddings = torch.tensor([[4, 2, 9, 0, 0], [1, 0, 0, 0, 0]]), torch.tensor([[0.0, 0, 0, 1, 1], [0, 1, 1, 1, 1]])

    class Towers(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self) -> tuple[Tensor, Tensor]:
            return self.network.encode_video(clips), self.network.encode_text(ids, paddings.double())

    towers = Towers()
    names, values = zip(*towers.named_parameters(), strict=True)

    def rows(*parameters: Tensor) -> tuple[Tensor, Tensor]:
        return torch.func.functional_call(towers, dict(zip(names, parameters, strict=True)), ())  # type: ignore[no-any-return]

    assert torch.autograd.gradcheck(rows, values, fast_mode=True)


def test_attention_in_blocks_has_the_same_gradients(monkeypatch: pytest.MonkeyPatch) -> None:
    network = goldens.lvt("tiny").requires_grad_()
    clips = clips_of(network)
    whole = gradients(network, lambda: network.encode_video(clips)[:, 0].sum())
    monkeypatch.setattr("encoder.layers._SCORE_ELEMENTS", 5000)
    blocks = gradients(network, lambda: network.encode_video(clips)[:, 0].sum())
    assert whole.keys() == blocks.keys()
    for name, value in whole.items():
        assert float((value - blocks[name]).abs().max()) <= 1e-6 * max(1.0, float(value.abs().max())), name


def test_masked_attention_in_blocks_has_the_same_gradients(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    q, k, v = (torch.from_numpy(rng.normal(size=(2, 2, 7, 4))).requires_grad_() for _ in range(3))
    visible = torch.ones(7, 7, dtype=torch.bool).tril()[None, None]

    def grads() -> tuple[Tensor, ...]:
        out = soft_capped_attention(q, k, v, 50.0, visible)
        return torch.autograd.grad((out * torch.arange(4)).sum(), (q, k, v))

    whole = grads()
    monkeypatch.setattr("encoder.layers._SCORE_ELEMENTS", 2 * 2 * 7 * 2)  # blocks of 2 queries, the last of 1
    for expected, found in zip(whole, grads(), strict=True):
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)


def test_attention_to_4096_tokens_takes_little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    length, scores = 4096, 1 << 20
    monkeypatch.setattr("encoder.layers._SCORE_ELEMENTS", scores)  # a sixteenth, to be quick
    attention = Attention(8, 1, 50.0)
    x = torch.randn(1, length, 8, generator=torch.Generator().manual_seed(0))
    kept = kept_bytes(lambda: attention(x, None).sum())
    with LargestTensor() as largest:
        attention(x, None).sum().backward()
    assert length * length // scores == 16
    assert largest.elements <= scores
    assert kept < 4 * scores  # less than one block of scores, although there are 16


def test_checkpointing_keeps_less_and_changes_no_gradient() -> None:
    network = goldens.lvt("tiny").requires_grad_()
    clips = clips_of(network)
    loss = lambda: network.encode_video(clips)[:, 0].sum()  # noqa: E731
    plain, kept = gradients(network, loss), kept_bytes(loss)
    checkpoint_activations(network)
    try:
        again, fewer = gradients(network, loss), kept_bytes(loss)
    finally:
        checkpoint_activations(network, False)
    assert plain.keys() == again.keys()
    assert all(torch.equal(value, again[name]) for name, value in plain.items())
    assert fewer < kept / 2
    assert not any(part.checkpointing for part in network.modules() if isinstance(part, Stack))


@pytest.mark.parametrize("name", ["tiny", "odd"])
def test_pixels_of_hidden_tokens_reach_no_visible_token(name: str) -> None:
    encoder = vision_of(goldens.lvt(name))
    c = encoder.config
    clips, rng = clips_of(encoder), np.random.default_rng(1)
    hidden = torch.from_numpy(rng.random((2, c.frames, c.rows * c.columns)) < 0.65)
    hidden[0, 0] = True  # a frame without a visible token
    pixels = hidden.view(2, c.frames, c.rows, c.columns).repeat_interleave(c.patch, 2).repeat_interleave(c.patch, 3)
    noisy = torch.where(pixels[..., None], torch.rand(clips.shape), clips)
    with torch.no_grad():
        found, other = encoder(clips, hidden=hidden), encoder(noisy, hidden=hidden)
        assert not torch.equal(encoder(clips), encoder(noisy))
    seen = ~hidden.flatten(1)
    assert torch.equal(found[seen], other[seen])
    assert torch.isfinite(found).all()
    pixel = clips.clone().requires_grad_()
    (slope,) = torch.autograd.grad(encoder(pixel, hidden=hidden)[seen].square().sum(), pixel)
    assert not slope[pixels].any()
    assert slope[~pixels].any()


@pytest.mark.parametrize("name", ["tiny", "odd", "demo"])
def test_patches_that_are_left_out_are_as_if_hidden(name: str) -> None:
    encoder = vision_of(demo() if name == "demo" else goldens.lvt(name))
    c, patches = encoder.config, encoder.config.rows * encoder.config.columns
    clips = clips_of(encoder)
    rng = np.random.default_rng(2)
    kept = torch.from_numpy(np.stack([np.sort(rng.permutation(patches)[: patches // 2]) for _ in range(2)]))
    hidden = torch.ones(2, patches, dtype=torch.bool).scatter(1, kept, False)[:, None].expand(2, c.frames, patches)
    with torch.no_grad():
        masked = encoder(clips, hidden=hidden)[~hidden.flatten(1)].view(2, -1, c.dim)
        gathered = encoder(clips, kept=kept)
    assert gathered.shape == (2, c.frames * (patches // 2), c.dim)
    assert float((gathered - masked).abs().max() / masked.abs().max()) <= 3e-6  # tokens are not of unit length


def demo() -> VideoPrismLvT:
    network = load_network(DEMO_FOLDER / f"{DEMO.name}.npz", DEMO)
    assert isinstance(network, VideoPrismLvT)
    return network


def test_paddings_are_given_in_one_way() -> None:
    network = small()
    clips, hidden = clips_of(network), torch.zeros(2, 2, 4, dtype=torch.bool)
    with pytest.raises(ValueError, match="one at a time"):
        network.vision_encoder(clips, hidden=hidden, kept=torch.zeros(2, 1, dtype=torch.int64))
    with pytest.raises(ValueError, match="paddings of"):
        network.vision_encoder(clips, hidden=hidden[..., :3])


def test_texts_of_fixed_length_need_no_answer_from_the_device() -> None:
    network = goldens.lvt("tiny")
    g = goldens.golden("tiny")
    ids, paddings = (goldens.tensor(g[f"in/text/len64/{name}"]) for name in ("ids", "paddings"))
    with torch.no_grad():
        trimmed, fixed = network.encode_text(ids, paddings), network.encode_text(ids, paddings, trim=False)
    assert float((trimmed - fixed).abs().max()) <= 1e-6
    with torch.device("meta"):  # a device that answers nothing
        nowhere = build(SMALL)
        assert isinstance(nowhere, VideoPrismLvT)
        ids, paddings = torch.zeros(2, 5, dtype=torch.int64), torch.zeros(2, 5)
    assert nowhere.encode_text(ids, paddings, trim=False).shape == (2, 8)
    with pytest.raises((RuntimeError, NotImplementedError)):
        nowhere.encode_text(ids, paddings)


def test_the_fused_tower_refuses_gradients() -> None:
    network = goldens.lvt("tiny")
    clips = (clips_of(network) * 255).byte()
    tower = FusedTower(network, PlainKernels(), torch.device("cpu"), torch.float32)
    with pytest.raises(RuntimeError, match="has no gradients"):
        tower(clips)
    with torch.no_grad():
        assert torch.isfinite(tower(clips)).all()
