"""First weights of a VideoPrism network. Imports torch.

The public code draws kernels, position tables and the pooler's query as LeCun does, and token and class embeddings from
N(0, 1/D) (google-deepmind/videoprism, layers.py, encoders.py); what the authors trained with is NOT PUBLISHED. Ours
differs in two tables: positions have a deviation of 0.02, as in ViT (arXiv 2010.11929), cut at two deviations, and the
pooler's query is drawn as the class embedding is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection

import torch
from torch import Tensor, nn

from encoder.layers import Block, Stack
from encoder.model import Network

POSITIONS_DEVIATION = 0.02
_CUT_AT_TWO = 0.87962566103423978
"""The deviation of a standard normal that is cut at two, which makes it narrower: as in Flax, it is made up for."""


def initialise(network: Network, seed: int, *, identity: Collection[str] = ()) -> None:
    """Draw all weights of a network, in place.

    Each array depends on the seed and its own name alone, so that networks that share a part begin with the same one.

    Args:
        network: The network.
        seed: Of all arrays.
        identity: Names of stacks that begin as the identity, such as "auxiliary"; see `make_identity`.

    Raises:
        ValueError: A parameter is of no known kind, or `identity` names no stack.
    """
    for name, module in network.named_modules():
        for own, parameter in module.named_parameters(recurse=False):
            full = f"{name}.{own}" if name else own
            _draw(module, own, full, parameter.data, _generator(seed, full))
    for name in identity:
        make_identity(stack_of(network, name))


def make_identity(stack: Stack) -> None:
    """Set the output projections of all blocks to zero, so that a stack returns its input, and can learn from there."""
    with torch.no_grad():
        for parameter in _output_projections(stack):
            parameter.zero_()


def is_identity(stack: Stack) -> bool:
    """Return whether a stack returns its input, because its output projections are zero or it has no layers."""
    return not any(bool(parameter.any()) for parameter in _output_projections(stack))


def stack_of(network: nn.Module, name: str) -> Stack:
    """Return the stack of that name.

    Raises:
        ValueError: There is none.
    """
    stacks = {each: module for each, module in network.named_modules() if isinstance(module, Stack)}
    if name not in stacks:
        raise ValueError(f"there is no stack {name}; there are {', '.join(stacks)}")
    return stacks[name]


def _output_projections(stack: Stack) -> list[nn.Parameter]:
    blocks = [block for block in stack.layers if isinstance(block, Block)]
    return [p for block in blocks for out in (block.attention.out, block.feed_forward.down) for p in out.parameters()]


def _draw(module: nn.Module, own: str, full: str, values: Tensor, random: torch.Generator) -> None:
    if isinstance(module, nn.LayerNorm):
        values.fill_(1.0 if own == "weight" else 0.0)
    elif own in ("bias", "per_dim_scale"):
        values.zero_()
    elif isinstance(module, nn.Linear):  # (out, in)
        _cut_normal(values, values.shape[1] ** -0.5 / _CUT_AT_TWO, random)
    elif own in ("spatial_positions", "temporal_positions"):
        _cut_normal(values, POSITIONS_DEVIATION, random)
    elif isinstance(module, nn.Embedding) or own in ("class_embedding", "query"):
        nn.init.normal_(values, std=values.shape[-1] ** -0.5, generator=random)
    else:
        raise ValueError(f"no first weights are known for {full}")


def _cut_normal(values: Tensor, deviation: float, random: torch.Generator) -> None:
    """Draw from a normal distribution that is cut at two deviations."""
    nn.init.trunc_normal_(values, std=deviation, a=-2 * deviation, b=2 * deviation, generator=random)


def _generator(seed: int, name: str) -> torch.Generator:
    digest = hashlib.sha256(f"{seed}:{name}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:7], "big"))
