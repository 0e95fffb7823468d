"""The parity tests notice each mistake that ports of VideoPrism are known to make: with it, a golden must break."""

from __future__ import annotations

import math
from collections.abc import Callable

import goldens
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from encoder import layers, model
from encoder.model import VideoPrismLvT

Mutation = Callable[[pytest.MonkeyPatch, VideoPrismLvT], None]


def no_logit_cap(patch: pytest.MonkeyPatch, network: VideoPrismLvT) -> None:
    def attend(q: Tensor, k: Tensor, v: Tensor, cap: float, visible: Tensor | None) -> Tensor:
        logits = q @ k.transpose(-2, -1)
        logits = logits if visible is None else logits.masked_fill(~visible, layers.MASKED)
        return torch.softmax(logits, -1) @ v

    patch.setattr(layers, "_attend", attend)


def cap_in_the_pooler(patch: pytest.MonkeyPatch, network: VideoPrismLvT) -> None:
    softmax = torch.softmax
    pooler = network.pooler.forward

    def forward(tokens: Tensor) -> Tensor:
        patch.setattr(torch, "softmax", lambda x, dim: softmax(50 * torch.tanh(x / 50), dim=dim))
        out = pooler(tokens)
        patch.setattr(torch, "softmax", softmax)
        return out

    patch.setattr(network.pooler, "forward", forward)


def tanh_gelu(patch: pytest.MonkeyPatch, network: VideoPrismLvT) -> None:
    gelu = F.gelu
    patch.setattr(layers.F, "gelu", lambda x: gelu(x, approximate="tanh"))


def layer_norm_eps(patch: pytest.MonkeyPatch, network: VideoPrismLvT) -> None:
    for module in network.modules():
        if isinstance(module, layers.LayerNorm):
            module.eps = 1e-5


def layer_norm_gain_without_one(patch: pytest.MonkeyPatch, network: VideoPrismLvT) -> None:
    for module in network.modules():
        if isinstance(module, layers.LayerNorm):
            module.weight = nn.Parameter(module.weight - 1, requires_grad=False)


def gelu_in_the_text_tower(patch: pytest.MonkeyPatch, network: VideoPrismLvT) -> None:
    for module in network.text_encoder.modules():
        if isinstance(module, layers.FeedForward):
            module.activation = "gelu"


def bidirectional_text(patch: pytest.MonkeyPatch, network: VideoPrismLvT) -> None:
    network.text_encoder.stack.causal = False


def text_paddings_ignored(patch: pytest.MonkeyPatch, network: VideoPrismLvT) -> None:
    stack = network.text_encoder.stack.forward
    patch.setattr(network.text_encoder.stack, "forward", lambda x, paddings: stack(x, None))


def sinusoid_divisor(patch: pytest.MonkeyPatch, network: VideoPrismLvT) -> None:
    def wrong(length: int, dim: int) -> np.ndarray:  # type: ignore[type-arg]
        half = dim // 2
        angle = np.arange(length)[:, None] * np.exp(-np.arange(half) * math.log(10000.0) / half)
        return np.concatenate([np.sin(angle), np.cos(angle)], axis=1).astype(np.float32)

    patch.setattr(model, "sinusoid", wrong)


def interleaved_sinusoid(patch: pytest.MonkeyPatch, network: VideoPrismLvT) -> None:
    right = layers.sinusoid

    def wrong(length: int, dim: int) -> np.ndarray:  # type: ignore[type-arg]
        sines, cosines = np.split(right(length, dim), 2, axis=1)
        return np.stack([sines, cosines], axis=2).reshape(length, dim)

    patch.setattr(model, "sinusoid", wrong)


def no_antialias(patch: pytest.MonkeyPatch, network: VideoPrismLvT) -> None:
    def wrong(n_in: int, n_out: int) -> np.ndarray:  # type: ignore[type-arg]
        centre = (np.arange(n_out) + 0.5) * n_in / n_out - 0.5
        weights = np.maximum(0, 1 - np.abs(centre[:, None] - np.arange(n_in)[None]))
        return (weights / weights.sum(1, keepdims=True)).astype(np.float32)

    patch.setattr(layers, "resize_matrix", wrong)


def sliced_temporal_table(patch: pytest.MonkeyPatch, network: VideoPrismLvT) -> None:
    right = layers.resize_positions

    def wrong(table: Tensor, old: tuple[int, ...], new: tuple[int, ...]) -> Tensor:
        if len(old) == 1 and new[0] <= old[0]:
            return table[: new[0]]
        return right(table, old, new)

    patch.setattr(model, "resize_positions", wrong)


def no_per_dim_scale(patch: pytest.MonkeyPatch, network: VideoPrismLvT) -> None:
    network.pooler.per_dim_scale.data.zero_()


def heads_and_head_size_swapped(patch: pytest.MonkeyPatch, network: VideoPrismLvT) -> None:
    for module in network.modules():
        if isinstance(module, layers.Attention):
            dim = module.out.weight.shape[0]
            weight = module.qkv.weight.reshape(3, module.heads, dim // module.heads, dim)
            module.qkv.weight = nn.Parameter(weight.transpose(1, 2).reshape(3 * dim, dim), requires_grad=False)


MUTATIONS: list[Mutation] = [
    no_logit_cap,
    cap_in_the_pooler,
    tanh_gelu,
    layer_norm_eps,
    layer_norm_gain_without_one,
    gelu_in_the_text_tower,
    bidirectional_text,
    text_paddings_ignored,
    sinusoid_divisor,
    interleaved_sinusoid,
    no_antialias,
    sliced_temporal_table,
    no_per_dim_scale,
    heads_and_head_size_swapped,
]


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda m: m.__name__)
def test_a_known_mistake_breaks_a_golden(mutation: Mutation, monkeypatch: pytest.MonkeyPatch) -> None:
    worst = 0.0
    for name in ("tiny", "odd"):
        network = goldens.lvt(name)
        with monkeypatch.context() as patch:
            mutation(patch, network)
            worst = max(worst, *goldens.disagreements(name, network).values())
    assert worst > 1, f"{mutation.__name__} went unnoticed: at most {worst:.2f} of the tolerance"
