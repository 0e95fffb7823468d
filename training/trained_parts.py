"""Parts of a network that a stage trains, counted from its dimensions alone.

A test compares the counts with those of the stages themselves.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from encoder.config import VideoPrismConfig
    from training.configuration import TrainConfig


def parameters(network: VideoPrismConfig) -> int:
    """Return the number of all parameters of a network."""
    return sum(size for _, size in _sizes(network))


def trained_parameters(config: TrainConfig, network: VideoPrismConfig) -> int:
    """Return the number of parameters of a network, and of adapters in it, that a stage trains.

    Those that are thrown away at the end, such as decoders and the temperature, are not among them.
    """
    c = network
    if config.stage == "text" and config.tuned == "lora":
        return c.text_layers * _adapter(c.dim, c.text_mlp, config.rank)
    if config.stage == "text":
        first = max(0, c.text_layers - config.layers)
        kept = tuple(f"text_encoder.stack.layers.{layer}." for layer in range(first, c.text_layers))
        return _of(c, (*kept, "text_encoder.norm."))
    if config.stage == "stage2":
        return _of(c, ("vision_encoder.",)) if c.has_text else parameters(c)
    every = parameters(c) if config.stage == "stage1" else _of(c, ("auxiliary.", "pooler.", "text_encoder."))
    if config.stage == "adapter":
        every += (c.spatial_layers + c.temporal_layers) * _adapter(c.dim, c.mlp, config.rank)
    return every


def said_parts(config: TrainConfig) -> tuple[str, str]:
    """Return in words what a stage trains, and what stays as it is."""
    if config.stage == "text":
        adapters = f"low-rank adapters (rank {config.rank}) in the text tower"
        last = f"the last {config.layers} layers of the text tower"
        return adapters if config.tuned == "lora" else last, "everything that reads video"
    if config.stage == "lit":
        return "the text tower, the pooler and the layers before it", "the video encoder"
    if config.stage == "adapter":
        lit = "the text tower, the pooler and the layers before it"
        return (
            f"{lit}, and low-rank adapters (rank {config.rank}) in the video encoder",
            "the video encoder's own weights",
        )
    if config.stage == "stage1":
        return "everything", "nothing"
    return "the video encoder", "its teacher, a copy of it as it is now; text tower and pooler do not take part"


def _of(network: VideoPrismConfig, parts: tuple[str, ...]) -> int:
    return sum(size for name, size in _sizes(network) if name.startswith(parts))


def _sizes(network: VideoPrismConfig) -> list[tuple[str, int]]:
    from encoder.weights import entries

    return [(each.torch, prod(each.shape)) for each in entries(network)]


def _adapter(dim: int, mlp: int, rank: int) -> int:
    """Return the parameters of the adapters in one layer: on qkv, out, up and down."""
    return rank * ((dim + 3 * dim) + (dim + dim) + 2 * (dim + mlp))
