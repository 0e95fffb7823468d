"""Pre-norm transformer blocks for a CPU, of packed layers: all but the attention, which depends on the tokens."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from encoder.runtime.packed_linear import GELU_LOWEST, PackedLinear, pack_linear
from encoder.runtime.precision import Precision

_DEVIATIONS = 4.0
"""Typical largest value of a normalised channel, in standard deviations."""


class Affine(NamedTuple):
    """A linear layer, weight (N, K) and bias (N,), or the gain and bias of a norm, both (D,). float32."""

    weight: Tensor
    bias: Tensor


class BlockWeights(NamedTuple):
    """The weights of x + Attention(norm(x)), then x + FeedForward(norm(x)), in the layout of this package.

    Attributes:
        attention_norm, feed_forward_norm: The norms before attention and before the feed-forward layers.
        qkv: Queries, keys and values of all heads, in this order along N.
        out: The projection of the result of attention.
        up, down: The feed-forward layers.
        heads: The number of heads.
        eps: Of the norms.
        activate: The activation between `up` and `down`, which may work in place; no output is below `GELU_LOWEST`.
    """

    attention_norm: Affine
    qkv: Affine
    out: Affine
    feed_forward_norm: Affine
    up: Affine
    down: Affine
    heads: int
    eps: float
    activate: Callable[[Tensor], Tensor]


class PackedNorm:
    """A layer norm over the last axis."""

    def __init__(self, norm: Affine, eps: float, scales: Tensor | None = None) -> None:
        """Copy a norm. scales: (D,), divisors of its channels, which the next layer must multiply back."""
        self._weight, self._bias, self._eps = norm.weight.detach(), norm.bias.detach(), eps
        if scales is not None:
            self._weight, self._bias = self._weight / scales, self._bias / scales

    def __call__(self, x: Tensor) -> Tensor:
        return F.layer_norm(x, x.shape[-1:], self._weight, self._bias, self._eps)


class PackedBlock:
    """A packed block without its attention, for rows of tokens (M, D)."""

    def __init__(self, weights: BlockWeights, precision: Precision) -> None:
        """Pack copies of the weights."""
        w = weights
        self.heads = w.heads
        self._attention_norm, self._qkv = _pack_after(w.attention_norm, w.eps, w.qkv, precision)
        self._out = pack_linear(*w.out, precision)
        self._feed_forward_norm, self._up = _pack_after(w.feed_forward_norm, w.eps, w.up, precision)
        self._activate = w.activate
        self._down = pack_linear(*w.down, precision, lowest=GELU_LOWEST)

    def project(self, x: Tensor) -> Tensor:
        """Return queries, keys and values: (M, D) to (M, 3 D)."""
        return self._qkv(self._attention_norm(x))

    def finish_(self, x: Tensor, attended: Tensor) -> None:
        """Add the projected result of attention, (M, D), and then the feed-forward layer to x, in place."""
        x.add_(self._out(attended))
        x.add_(self._down(self._activate(self._up(self._feed_forward_norm(x)))))


def gelu_(x: Tensor, approximate: str = "none") -> Tensor:
    """Apply GELU in place, exact or its approximation by `tanh`; return x."""
    return torch.ops.aten.gelu_(x, approximate=approximate)  # type: ignore[no-any-return]


def _pack_after(norm: Affine, eps: float, linear: Affine, precision: Precision) -> tuple[PackedNorm, PackedLinear]:
    """Pack a norm and the linear layer behind it.

    Trained networks have channels that are far larger than the others and leave these few of the int8 steps. So each
    channel of the norm is divided by a scale and the weights are multiplied by it, and both sides share the spread:
    SmoothQuant (arXiv 2211.10438), with the norm's gain and bias in place of measured activations.
    """
    if precision != "int8":
        return PackedNorm(norm, eps), pack_linear(*linear, precision)
    weight = linear.weight.detach()
    inputs = _DEVIATIONS * norm.weight.detach().abs() + norm.bias.detach().abs()
    scales = (inputs.clamp_min(1e-5) / weight.abs().amax(dim=0).clamp_min(1e-5)).sqrt()
    return PackedNorm(norm, eps, scales), pack_linear(weight * scales, linear.bias, precision)
