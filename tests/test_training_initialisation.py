"""First weights: the arrays of the official code, of the right size, from a seed."""

from __future__ import annotations

import math
from dataclasses import replace

import goldens
import pytest
import torch
from torch import nn

from encoder.config import DEMO, VideoPrismConfig
from encoder.model import VideoPrismLvT, build, vision_of
from encoder.weights import flax_from_state_dict
from training.initialisation import initialise, is_identity, make_identity, stack_of


def made(config: VideoPrismConfig, seed: int = 0, **options: tuple[str, ...]) -> VideoPrismLvT:
    network = build(config)
    assert isinstance(network, VideoPrismLvT)
    initialise(network, seed, **options)
    return network


@pytest.mark.parametrize("name", ["tiny", "odd"])
def test_keys_and_shapes_are_those_of_a_flax_init(name: str) -> None:
    arrays = flax_from_state_dict(made(goldens.config(name)).state_dict(), goldens.config(name))
    found = {key: value.shape for key, value in arrays.items()}
    assert found == goldens.recipe().shapes(goldens.recipe().CONFIGS[name])


def test_every_kind_of_array_has_its_own_deviation() -> None:
    network = made(replace(DEMO, frames=64))
    c = network.config
    deviation = {
        "vision_encoder.spatial_positions": 0.02 * 0.88, "vision_encoder.temporal_positions": 0.02 * 0.88,
        "text_encoder.token_embedding.weight": c.dim**-0.5, "text_encoder.class_embedding": c.dim**-0.5,
        "pooler.query": c.dim**-0.5, "vision_encoder.patch_projection.weight": (c.patch**2 * 3) ** -0.5,
        "vision_encoder.spatial.layers.0.attention.qkv.weight": c.dim**-0.5,
        "auxiliary.layers.1.feed_forward.down.weight": c.mlp**-0.5, "pooler.out.weight": (4 * c.dim) ** -0.5,
    }  # fmt: skip
    state = network.state_dict()
    for name, expected in deviation.items():
        tolerance = 4 / math.sqrt(2 * state[name].numel())  # four standard errors
        assert float(state[name].std()) == pytest.approx(expected, rel=tolerance), name
    for name, value in state.items():
        if name.endswith("norm.weight"):
            assert (value == 1).all(), name
        elif name.endswith(("bias", "per_dim_scale")):
            assert not value.any(), name
        else:
            assert len(value.unique()) > 0.9 * value.numel(), name


def test_arrays_depend_on_the_seed_and_their_own_name() -> None:
    network, again, other = made(DEMO), made(DEMO), made(DEMO, 1)
    plain = build(DEMO.plain)
    initialise(plain, 0)

    def equal(one: nn.Module, two: nn.Module) -> list[bool]:
        return [torch.equal(a, b) for a, b in zip(one.parameters(), two.parameters(), strict=True) if a.any()]

    assert all(equal(network, again))
    assert sum(equal(network, other)) == sum(bool((p == 1).all()) for p in network.parameters())  # the norms' alone
    layers = network.vision_encoder.spatial.layers
    assert not torch.equal(*(layer.get_parameter("attention.out.weight") for layer in layers[:2]))
    assert [p.shape for p in plain.parameters()] == [p.shape for p in vision_of(network).parameters()]


def test_a_stack_can_begin_as_the_identity_and_learns_from_there() -> None:
    network = made(DEMO, identity=("auxiliary",))
    x = torch.randn(2, 5, DEMO.dim, generator=torch.Generator().manual_seed(0))
    assert is_identity(network.auxiliary)
    assert not is_identity(network.vision_encoder.temporal)
    found = network.auxiliary(x)
    assert torch.equal(found, x)
    found.square().sum().backward()
    for layer in network.auxiliary.layers:
        grad = layer.get_parameter("attention.out.weight").grad
        assert grad is not None
        assert grad.any()
    make_identity(network.vision_encoder.temporal)
    assert is_identity(network.vision_encoder.temporal)


def test_unknown_names_are_refused() -> None:
    with pytest.raises(ValueError, match=r"no stack nothing; there are vision_encoder\.spatial"):
        made(DEMO, identity=("nothing",))
    network = build(DEMO)
    network.register_parameter("strange", nn.Parameter(torch.zeros(3)))
    with pytest.raises(ValueError, match="strange"):
        initialise(network, 0)
    assert stack_of(network, "text_encoder.stack").causal
