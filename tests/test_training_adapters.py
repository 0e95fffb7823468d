"""Low-rank adapters: nothing at the start, peft's numbers, plain layers after merging."""

from __future__ import annotations

import importlib.util
from types import ModuleType

import goldens
import numpy as np
import pytest
import torch

from encoder.layers import Stack
from encoder.model import VideoPrismLvT
from encoder.weights import flax_from_state_dict, state_dict_from_flax
from training.adapters import AdaptedLinear, adapter_parameters, add_adapters, merge_adapters, merged_copy
from training.initialisation import stack_of

VISION = ("vision_encoder.spatial", "vision_encoder.temporal")


def recipe() -> ModuleType:
    spec = importlib.util.spec_from_file_location("adapters_recipe", goldens.GOLDEN / "adapters_recipe.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def clips(network: VideoPrismLvT) -> torch.Tensor:
    c = network.config
    shape = (2, 3, c.rows * c.patch, c.columns * c.patch, 3)
    return torch.from_numpy(np.random.default_rng(5).random(shape, dtype=np.float32))


def adapted(trained: bool = True) -> VideoPrismLvT:
    network = goldens.lvt("tiny")
    add_adapters(network, VISION, rank=3, alpha=6.0, seed=1)
    if trained:
        random = torch.Generator().manual_seed(2)
        with torch.no_grad():
            for parameter in adapter_parameters(network):
                parameter.normal_(0, 0.1, generator=random)
    return network


def test_at_the_start_nothing_changes() -> None:
    network = goldens.lvt("tiny")
    with torch.no_grad():
        assert torch.equal(adapted(trained=False).encode_video(clips(network)), network.encode_video(clips(network)))
    assert torch.equal(*(adapter_parameters(adapted(trained=False))[0] for _ in range(2)))  # the same seed


def test_merged_it_computes_the_same_and_has_the_plain_names() -> None:
    network, plain = adapted(), goldens.lvt("tiny")
    merged = merged_copy(network)
    with torch.no_grad():
        before, found, base = (each.encode_video(clips(plain)) for each in (network, merged, plain))
    assert float((before - found).abs().max()) <= 1e-6
    assert float((before - base).abs().max()) > 1e-3
    assert any(isinstance(module, AdaptedLinear) for module in network.modules())  # it keeps its own
    arrays = flax_from_state_dict(merged.state_dict(), merged.config)
    plain.load_state_dict(state_dict_from_flax(arrays, merged.config), strict=True)
    merge_adapters(network)
    assert not adapter_parameters(network)
    assert all(torch.equal(a, b) for a, b in zip(network.parameters(), merged.parameters(), strict=True))


@pytest.mark.parametrize("part", ["attention.qkv", "attention.out", "feed_forward.up", "feed_forward.down"])
def test_numbers_are_those_of_peft(part: str) -> None:
    made = recipe()
    weight, bias, a, b, x = (torch.from_numpy(each) for each in made.drawn(part))
    stack = Stack(1, 12, 2, 20, 50.0)
    network = torch.nn.ModuleDict({"stack": stack})
    layer = stack.layers[0].get_submodule(part)
    assert isinstance(layer, torch.nn.Linear)
    with torch.no_grad():
        layer.weight.copy_(weight)
        layer.bias.copy_(bias)
        add_adapters(network, ["stack"], rank=made.RANK, alpha=made.ALPHA)
        found = stack.layers[0].get_submodule(part)
        assert isinstance(found, AdaptedLinear)
        found.a.weight.copy_(a)
        found.b.weight.copy_(b)
        with np.load(goldens.GOLDEN / "adapters_golden.npz") as golden:
            assert goldens.difference(found(x), golden[f"{part}/output"]) <= 1e-6
            assert goldens.difference(found.merged().weight, golden[f"{part}/merged"]) <= 1e-6


def test_only_adapters_learn() -> None:
    network = adapted().requires_grad_(False)
    for parameter in adapter_parameters(network):
        parameter.requires_grad_(True)
    network.encode_video(clips(network))[:, 0].sum().backward()
    assert len(adapter_parameters(network)) == 2 * 4 * 4  # A and B, of 4 layers, of 2 + 2 blocks
    for name, parameter in network.named_parameters():
        own = name.rsplit(".", 2)[1] in ("a", "b")
        assert (parameter.grad is not None and bool(parameter.grad.any())) == own, name


def test_what_cannot_be_adapted_is_refused() -> None:
    network = adapted()
    with pytest.raises(ValueError, match="adapters already"):
        add_adapters(network, VISION[:1], rank=2, alpha=2.0)
    with pytest.raises(ValueError, match="no stack vision"):
        add_adapters(network, ["vision"], rank=2, alpha=2.0)
    for rank in (0, 33):
        with pytest.raises(ValueError, match=f"from 1 to the layer's width of 32, not {rank}"):
            add_adapters(network, ["auxiliary"], rank=rank, alpha=2.0)
    assert stack_of(network, "auxiliary")
