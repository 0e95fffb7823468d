"""The cost of a step of a stage: operations and memory, computed from the dimensions of a network. Imports no torch.

One multiplication and one addition count as two operations, as in the VideoPrism paper. A backward pass costs twice
its forward pass where gradients flow through. What is computed here is an estimate, for plans.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from encoder.config import VideoPrismConfig
    from training.configuration import TrainConfig

GUARD_SENTENCES = 64
"""Sentences of everyday life in a step of `text`, beside its captions."""
_FLOAT_BYTES = 4
_KEPT_ACTIVATIONS = 14
"""Tensors of the size of a layer's input that its backward pass needs, beside those as wide as its feed-forward."""
_KEPT_WIDE = 3


@dataclass(frozen=True, slots=True)
class Cost:
    """What a step costs.

    Attributes:
        flops: Operations of a step.
        activation_bytes: What the backward pass of a step needs, beside weights and their optimizer.
    """

    flops: float
    activation_bytes: float


@dataclass(frozen=True, slots=True)
class _Part:
    """Operations of a forward pass, and the bytes that its backward pass needs."""

    flops: float = 0.0
    kept: float = 0.0

    def __add__(self, other: _Part) -> _Part:
        return _Part(self.flops + other.flops, self.kept + other.kept)


def step_cost(config: TrainConfig, network: VideoPrismConfig) -> Cost:
    """Return what a step of a stage costs on a network of these dimensions."""
    c, clips = network, config.batch
    frames = config.frames or c.frames
    if config.stage == "text":
        return _cost(_text(c), clips + (GUARD_SENTENCES if config.guard else 0), config, layers=c.text_layers)
    vision = _vision(c, frames, 1.0)
    if config.stage == "stage2":
        student = vision + _decoders(c, frames, config.mask_ratio)
        trained = _cost(student, clips, config, layers=c.spatial_layers + c.temporal_layers)
        return Cost(trained.flops + vision.flops * clips, trained.activation_bytes)
    kept = 1 - config.drop if config.stage == "stage1" else 1.0
    words = _text(c) + _joined(c, round(c.rows * c.columns * kept) * frames)
    if config.stage == "lit":
        trained = _cost(words, clips, config, layers=c.auxiliary_layers + c.text_layers)
        tokens = clips * frames * c.rows * c.columns * c.dim * _FLOAT_BYTES  # of the whole batch, which run once
        return Cost(trained.flops + vision.flops * clips, trained.activation_bytes + tokens)
    every = _vision(c, frames, kept) + words
    return _cost(every, clips, config, layers=c.spatial_layers + c.temporal_layers)


def forward_flops(network: VideoPrismConfig, frames: int) -> float:
    """Return the operations of the video encoder's forward pass over one clip."""
    return _vision(network, frames, 1.0).flops


def state_bytes(trainable: int, frozen: int, config: TrainConfig) -> int:
    """Return the bytes of weights, gradients, optimizer and moving average."""
    optimizer = 2 if config.loop.optimizer == "adamw" else 0  # Adafactor keeps rows and columns of the second moment
    average = 1 if config.loop.average_decay else 0
    return _FLOAT_BYTES * (frozen + trainable * (2 + optimizer + average))


def checkpoint_bytes(trainable: int, config: TrainConfig) -> int:
    """Return the bytes of one checkpoint: frozen weights are not in it."""
    optimizer = 2 if config.loop.optimizer == "adamw" else 0
    return _FLOAT_BYTES * trainable * (1 + optimizer + (1 if config.loop.average_decay else 0))


def _cost(each: _Part, count: int, config: TrainConfig, *, layers: int) -> Cost:
    """Return the cost of `count` clips with gradients.

    Activations of a chunk are in memory at once; with checkpointing, those of one layer, and the input of each. Either
    computes what it did not keep again.
    """
    passes, at_once = 3, min(config.micro, count) if config.micro else count
    kept = each.kept
    if at_once < count:
        passes += 1
    if config.checkpointing:
        passes += 1
        kept *= min(1.0, 1 / max(1, layers) + 1 / (_KEPT_ACTIVATIONS + 4 * _KEPT_WIDE))  # feed-forwards are 4 D wide
    return Cost(each.flops * count * passes, kept * at_once)


def _stack(layers: int, tokens: float, sequence: float, dim: int, mlp: int) -> _Part:
    """Return a stack of layers over `tokens` tokens, which attend to each other in sequences."""
    weights = 4 * dim * dim + 2 * dim * mlp
    flops = layers * tokens * (2 * weights + 4 * sequence * dim)
    return _Part(flops, layers * tokens * _FLOAT_BYTES * (_KEPT_ACTIVATIONS * dim + _KEPT_WIDE * mlp))


def _vision(c: VideoPrismConfig, frames: int, kept: float) -> _Part:
    patches = c.rows * c.columns * kept
    tokens = frames * patches
    project = _Part(2 * tokens * c.patch * c.patch * 3 * c.dim)
    spatial = _stack(c.spatial_layers, tokens, patches, c.dim, c.mlp)
    return project + spatial + _stack(c.temporal_layers, tokens, frames, c.dim, c.mlp)


def _joined(c: VideoPrismConfig, tokens: int) -> _Part:
    """Return the auxiliary layers and the pooler, whose keys and values are 4 D wide."""
    pooler = _Part(tokens * 2 * 2 * c.dim * 4 * c.dim, tokens * 8 * c.dim * _FLOAT_BYTES)
    return _stack(c.auxiliary_layers, tokens, tokens, c.dim, c.mlp) + pooler


def _text(c: VideoPrismConfig) -> _Part:
    tokens = c.text_tokens + 1  # the class vector
    return _stack(c.text_layers, tokens, tokens, c.dim, c.text_mlp)


def _decoders(c: VideoPrismConfig, frames: int, ratio: float) -> _Part:
    """Return both decoders of stage 2: 4 layers of width 512, over all tokens and over the visible ones."""
    width, hidden, layers = 512, 2048, 4
    tokens = frames * c.rows * c.columns
    visible = tokens * (1 - ratio)
    ends = _Part(2 * 2 * (tokens + visible) * c.dim * width)
    return ends + _stack(layers, tokens, tokens, width, hidden) + _stack(layers, visible, visible, width, hidden)
