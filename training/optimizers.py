"""Optimizers and the groups of parameters that they treat alike: AdamW and Adafactor, decay on matrices alone.

Imports torch.

VideoPrism was trained with Adafactor (arXiv 2402.13217, Table 10); its beta2, epsilons and factoring are NOT PUBLISHED.
Ours is `torch.optim.Adafactor`. Its differences from optax's, and whether they matter:
- Epsilon. torch takes the greater of sqrt(variance) and epsilon, by default 1.2e-7: parameters whose gradients are
  smaller hardly move. optax and T5X add 1e-30 to squared gradients. Our default epsilon, 1e-18, gives the same updates
  as optax's for gradients from 1e-9 up; below, products of their squares are no float32 numbers.
- Weight decay. torch multiplies it by the learning rate, as AdamW does, and as T5X does with
  `weight_decay_rate_lr_exponent=1`; optax takes off the share `weight_decay_rate` in each step, whatever the rate is.
  With the schedule `rate * weight_decay` there, they are equal.
- The relative step. torch's step is at most 1/sqrt(step), which a rate of 1e-3 reaches after a million steps.
- Factoring. torch factors the second moments of every matrix, over its last two axes; optax and T5X only if two axes
  have 128 entries or more, over the largest two. No setting of torch's changes that. So small matrices differ (those
  of heads and adapters), and a fused `qkv` is one matrix here, but three arrays (D, heads, D / heads) in the official
  code, which optax would not factor, at 64 columns a head.
All three scale the update by the RMS of a parameter, at least 1e-3, clip its RMS at 1, let beta2 be 1 - step^-0.8, and
have no momentum by default.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

ADAMW_EPSILON = 1e-8
"""The default of torch and optax."""

ADAFACTOR_EPSILON = 1e-18
"""The least whose square is a float32 number, with room for rounding; see the module."""


@dataclass(frozen=True, slots=True)
class OptimizerSettings:
    """How parameters are optimized.

    Attributes:
        name: "adamw", the default for small data, or "adafactor", which VideoPrism was trained with.
        learning_rate: Of the first step; a schedule sets it before each.
        betas: Of AdamW.
        epsilon: What keeps a division finite; None for `ADAMW_EPSILON` or `ADAFACTOR_EPSILON`.

    Raises:
        ValueError: A value is out of range.
    """

    name: Literal["adamw", "adafactor"] = "adamw"
    learning_rate: float = 1e-3
    betas: tuple[float, float] = (0.9, 0.999)
    epsilon: float | None = None

    def __post_init__(self) -> None:
        if self.name not in ("adamw", "adafactor"):
            raise ValueError(f"an optimizer is adamw or adafactor, not {self.name}")
        if self.learning_rate < 0 or not all(0 <= beta < 1 for beta in self.betas):
            raise ValueError("a learning rate is at least 0, and betas are from 0 to below 1")


def parameter_groups(module: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Return the parameters that require gradients, in groups for an optimizer.

    Only matrices of linear layers and of `nn.MultiheadAttention` decay. Everything else does not: norms, biases,
    position tables, a pooler's query and scale, class, token and mask embeddings, a temperature.

    Args:
        module: What holds them.
        weight_decay: Of the matrices.

    Returns:
        {"params", "weight_decay"} of the matrices, then of the rest with 0, without empty groups. Their order follows
        from the module alone.

    Raises:
        ValueError: Nothing requires gradients, or `weight_decay` is negative.
    """
    if weight_decay < 0:
        raise ValueError(f"weight decay is at least 0, not {weight_decay:g}")
    matrices = {id(matrix) for each in module.modules() for matrix in _matrices(each)}
    trained = [each for each in module.parameters() if each.requires_grad]
    if not trained:
        raise ValueError("nothing is to be trained: no parameter requires a gradient")
    groups: list[dict[str, Any]] = [
        {"params": [each for each in trained if id(each) in matrices], "weight_decay": weight_decay},
        {"params": [each for each in trained if id(each) not in matrices], "weight_decay": 0.0},
    ]
    return [group for group in groups if group["params"]]


def make_optimizer(groups: list[dict[str, Any]], settings: OptimizerSettings) -> torch.optim.Optimizer:
    """Return an optimizer of groups as `parameter_groups` makes them, each with its own `weight_decay`."""
    if settings.name == "adafactor":
        epsilon = ADAFACTOR_EPSILON if settings.epsilon is None else settings.epsilon
        return torch.optim.Adafactor(groups, lr=settings.learning_rate, eps=(epsilon, 1e-3))
    epsilon = ADAMW_EPSILON if settings.epsilon is None else settings.epsilon
    return torch.optim.AdamW(groups, lr=settings.learning_rate, betas=settings.betas, eps=epsilon, weight_decay=0.0)


def _matrices(module: nn.Module) -> Iterable[Tensor]:
    if isinstance(module, nn.Linear):
        yield module.weight
    elif isinstance(module, nn.MultiheadAttention) and module.in_proj_weight is not None:
        yield module.in_proj_weight
