"""Low-rank adapters (LoRA, arXiv 2106.09685) in the linear layers of chosen stacks. Imports torch.

A layer becomes W x + alpha/r * B A x, with W frozen, A drawn at random and B zero: at the start nothing changes.
Merged, it is a plain layer again, so that the network can be exported as any other. Where VideoPrism's low-rank
adapters are inserted is NOT PUBLISHED; ours are in `qkv`, `out`, `up` and `down` of every block. As `qkv` is one fused
layer, its three parts share A.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Collection
from typing import TypeVar

import torch
from torch import Tensor, nn

from encoder.layers import Block
from training.initialisation import stack_of

Module = TypeVar("Module", bound=nn.Module)

PARTS = ("attention.qkv", "attention.out", "feed_forward.up", "feed_forward.down")
"""The linear layers of a block that get an adapter."""


class AdaptedLinear(nn.Module):
    """A frozen linear layer and its adapter."""

    def __init__(self, base: nn.Linear, rank: int, alpha: float, random: torch.Generator) -> None:
        """Freeze a layer and put an adapter beside it, on the same device and of the same dtype.

        Args:
            base: The layer.
            rank: r, at least 1.
            alpha: The adapter is scaled by alpha / r.
            random: Draws A, uniform as a linear layer of torch is (as peft does).

        Raises:
            ValueError: `rank` is below 1, or above the layer's width.
        """
        super().__init__()
        most = min(base.in_features, base.out_features)
        if not 1 <= rank <= most:
            raise ValueError(f"an adapter's rank is from 1 to the layer's width of {most}, not {rank}")
        self.base = base.requires_grad_(False)
        self.a = nn.Linear(base.in_features, rank, bias=False)
        self.b = nn.Linear(rank, base.out_features, bias=False)
        self.scale = alpha / rank
        with torch.no_grad():
            nn.init.kaiming_uniform_(self.a.weight, a=math.sqrt(5), generator=random)
            self.b.weight.zero_()
        self.a.to(base.weight)
        self.b.to(base.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Apply the layer to x (..., in)."""
        return self.base(x) + self.scale * self.b(self.a(x))  # type: ignore[no-any-return]

    def merged(self) -> nn.Linear:
        """Return the layer with the adapter added to its weight, which is changed in place."""
        with torch.no_grad():
            added = self.scale * (self.b.weight.double() @ self.a.weight.double())
            self.base.weight.copy_(self.base.weight.double() + added)
        return self.base


def add_adapters(network: nn.Module, stacks: Collection[str], *, rank: int, alpha: float, seed: int = 0) -> None:
    """Put adapters into all blocks of stacks, in place. What has none is neither frozen nor changed.

    Args:
        network: The network.
        stacks: Names of stacks, such as "vision_encoder.spatial".
        rank: r.
        alpha: The scale times r.
        seed: Of the adapters' first weights.

    Raises:
        ValueError: A name is of no stack, a stack has adapters already, or `rank` is below 1 or above a width.
    """
    random = torch.Generator().manual_seed(seed)
    for name in stacks:
        for block in stack_of(network, name).layers:
            assert isinstance(block, Block)
            for part in PARTS:
                layer = block.get_submodule(part)
                if not isinstance(layer, nn.Linear):
                    raise ValueError(f"{name} has adapters already; merge them first")
                block.set_submodule(part, AdaptedLinear(layer, rank, alpha, random))


def adapter_parameters(network: nn.Module) -> list[nn.Parameter]:
    """Return the parameters of all adapters."""
    adapted = [module for module in network.modules() if isinstance(module, AdaptedLinear)]
    return [parameter for module in adapted for each in (module.a, module.b) for parameter in each.parameters()]


def merge_adapters(network: nn.Module) -> None:
    """Replace all adapted layers by plain ones that compute the same, in place: names are those before adapters."""
    for name, module in list(network.named_modules()):
        if isinstance(module, AdaptedLinear):
            network.set_submodule(name, module.merged())


def merged_copy(network: Module) -> Module:
    """Return a copy with all adapters merged; the network keeps its own."""
    result = copy.deepcopy(network)
    merge_adapters(result)
    return result
