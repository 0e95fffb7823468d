"""Layers of VideoPrism's towers: attention with a soft cap, pre-norm blocks, stacks, position tables.

Letters in shapes: B clips, T frames, N patches, L tokens, D dimensions, d dimensions of a head.

Source: google-deepmind/videoprism, videoprism/layers.py.
"""

from __future__ import annotations

import math
from typing import Literal, cast

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

LAYER_NORM_EPS = 1e-6
MASKED = -0.7 * float(np.finfo(np.float32).max)
"""The value that replaces a masked logit (it is not added). With all keys masked, the softmax is uniform, not NaN."""

_SCORE_ELEMENTS = 1 << 24
"""Scores held at once, 64 MB of float32. LvT-B's auxiliary layers have 805 MB of them per clip."""


def at_least_float32(x: Tensor) -> Tensor:
    """Return x in float32, or as it is if it is float64, in which gradients are checked."""
    return x if x.dtype == torch.float64 else x.float()


class LayerNorm(nn.LayerNorm):
    """Layer norm with eps 1e-6, computed in float32, or float64 for such input. Checkpoints store `weight - 1`."""

    def __init__(self, dim: int) -> None:
        super().__init__(dim, eps=LAYER_NORM_EPS)

    def forward(self, x: Tensor) -> Tensor:
        if x.dtype == self.weight.dtype and x.dtype in (torch.float32, torch.float64):
            return super().forward(x)
        y = F.layer_norm(x.float(), self.normalized_shape, self.weight.float(), self.bias.float(), self.eps)
        return y.to(x.dtype)


def soft_capped_attention(q: Tensor, k: Tensor, v: Tensor, cap: float, visible: Tensor | None = None) -> Tensor:
    """Compute softmax(cap * tanh(q k^T / cap)) v, with the softmax in float32.

    The queries are processed in blocks, so that memory stays bounded; the rows are independent, so the result is the
    same. With gradients, the scores of a block are dropped after it and computed again in the backward pass.

    Args:
        q: (B, heads, L, d), already scaled.
        k, v: (B, heads, M, d).
        cap: The soft cap of the logits.
        visible: bool, broadcastable to (B, heads, L, M); where False, the capped logit becomes `MASKED`.

    Returns:
        (B, heads, L, d).
    """
    length = q.shape[-2]
    scores_a_row = max(1, q.shape[0] * q.shape[1] * k.shape[-2])
    block = max(1, _SCORE_ELEMENTS // scores_a_row)
    if block >= length:
        return _attend(q, k, v, cap, visible)

    def part(start: int) -> tuple[Tensor, Tensor, Tensor, float, Tensor | None]:
        rows = slice(start, start + block)
        seen = visible if visible is None or visible.shape[-2] == 1 else visible[..., rows, :]
        return q[..., rows, :], k, v, cap, seen

    starts = range(0, length, block)
    if _recorded(q, k, v):
        # Nothing here is random, so no state of a generator has to be kept.
        kept = [checkpoint(_attend, *part(i), use_reentrant=False, preserve_rng_state=False) for i in starts]
        return torch.cat(cast("list[Tensor]", kept), dim=-2)
    out = torch.empty(*q.shape[:-1], v.shape[-1], dtype=v.dtype, device=v.device)
    for i in starts:
        out[..., i : i + block, :] = _attend(*part(i))
    return out


def _recorded(*inputs: Tensor) -> bool:
    """Return whether autograd records what is computed from these."""
    return torch.is_grad_enabled() and any(x.requires_grad for x in inputs)


def _attend(q: Tensor, k: Tensor, v: Tensor, cap: float, visible: Tensor | None) -> Tensor:
    logits = q @ k.transpose(-2, -1)
    if _recorded(logits):
        logits = torch.tanh(logits / cap) * cap
    else:  # in place: the scores are by far the largest tensor here
        logits = logits.div_(cap).tanh_().mul_(cap)
    logits = at_least_float32(logits)
    if visible is not None:
        logits = logits.masked_fill(~visible, MASKED)
    return torch.softmax(logits, dim=-1).to(v.dtype) @ v


class Attention(nn.Module):
    """Self-attention. q, k and v come from one fused projection, in this order along its output."""

    def __init__(self, dim: int, heads: int, cap: float) -> None:
        super().__init__()
        self.heads = heads
        self.cap = cap
        self.qkv = nn.Linear(dim, 3 * dim)
        self.out = nn.Linear(dim, dim)

    def forward(self, x: Tensor, visible: Tensor | None) -> Tensor:
        b, length, dim = x.shape
        q, k, v = (
            self.qkv(x).view(b, length, 3, self.heads, dim // self.heads).permute(2, 0, 3, 1, 4)
        )  # (B, heads, L, d)
        q = q * (dim // self.heads) ** -0.5  # after the bias, as in the reference
        y = soft_capped_attention(q, k, v, self.cap, visible)
        return self.out(y.transpose(1, 2).reshape(b, length, dim))  # type: ignore[no-any-return]


class FeedForward(nn.Module):
    """Two linear layers with an activation between them, which leave padding at zero."""

    def __init__(self, dim: int, hidden: int, activation: Literal["gelu", "relu"]) -> None:
        super().__init__()
        self.up = nn.Linear(dim, hidden)
        self.down = nn.Linear(hidden, dim)
        self.activation = activation

    def forward(self, x: Tensor, keep: Tensor | None) -> Tensor:
        """Apply the layer to x (B, L, D). keep: (B, L, 1), 0 for padding, whose result is zero, without the bias."""
        x = self.up(x)
        x = F.gelu(x) if self.activation == "gelu" else F.relu(x)  # the exact (erf) GELU
        if keep is None:
            return self.down(x)  # type: ignore[no-any-return]
        return self.down(x * keep) * keep  # type: ignore[no-any-return]


class Block(nn.Module):
    """x + Attention(norm(x)), then x + FeedForward(norm(x)): pre-norm, no norm at the end."""

    def __init__(self, dim: int, heads: int, hidden: int, cap: float, activation: Literal["gelu", "relu"]) -> None:
        super().__init__()
        self.attention_norm = LayerNorm(dim)
        self.attention = Attention(dim, heads, cap)
        self.feed_forward_norm = LayerNorm(dim)
        self.feed_forward = FeedForward(dim, hidden, activation)

    def forward(self, x: Tensor, visible: Tensor | None, keep: Tensor | None) -> Tensor:
        x = x + self.attention(self.attention_norm(x), visible)
        return x + self.feed_forward(self.feed_forward_norm(x), keep)  # type: ignore[no-any-return]


class Stack(nn.Module):
    """A sequence of blocks, with an optional padding mask and an optional causal mask.

    Attributes:
        checkpointing: Whether a forward pass with gradients keeps only the input of each block, and computes the rest
            again in the backward pass: a third more time, for memory that no longer grows with what a block keeps.
    """

    def __init__(
        self,
        layers: int,
        dim: int,
        heads: int,
        hidden: int,
        cap: float,
        activation: Literal["gelu", "relu"] = "gelu",
        *,
        causal: bool = False,
    ) -> None:
        super().__init__()
        self.causal = causal
        self.checkpointing = False
        self.layers = nn.ModuleList(Block(dim, heads, hidden, cap, activation) for _ in range(layers))

    def forward(self, x: Tensor, paddings: Tensor | None = None) -> Tensor:
        """Apply the blocks.

        Args:
            x: (B, L, D).
            paddings: (B, L), 1 = padding: masked as a key, and zero from the feed-forward layers.

        Returns:
            (B, L, D).
        """
        length = x.shape[1]
        visible: Tensor | None = None
        keep: Tensor | None = None
        if self.causal:
            visible = torch.ones(length, length, dtype=torch.bool, device=x.device).tril()[None, None]
        if paddings is not None:
            real = paddings < 0.5  # (B, L)
            keys = real[:, None, None, :]  # (B, 1, 1, L)
            visible = keys if visible is None else visible & keys
            keep = real[..., None].to(x.dtype)
        again = self.checkpointing and torch.is_grad_enabled()
        for layer in self.layers:
            if again:
                x = checkpoint(layer, x, visible, keep, use_reentrant=False, preserve_rng_state=False)
            else:
                x = layer(x, visible, keep)
        return x


def checkpoint_activations(module: nn.Module, on: bool = True) -> None:
    """Set `Stack.checkpointing` of all stacks in a module."""
    for part in module.modules():
        if isinstance(part, Stack):
            part.checkpointing = on


def resize_matrix(n_in: int, n_out: int) -> NDArray[np.float32]:
    """Return the weights of jax.image.resize(method="bilinear") along one axis, which antialiases when shrinking.

    The kernel is a triangle around half-pixel centres, widened when shrinking; each row is divided by its sum, which
    renormalises the borders.

    Returns:
        float32 (n_out, n_in).
    """
    scale = n_out / n_in
    width = max(1.0, 1.0 / scale)
    centre = (np.arange(n_out) + 0.5) / scale - 0.5
    weights = np.maximum(0.0, 1.0 - np.abs(centre[:, None] - np.arange(n_in)[None, :]) / width)
    normalised: NDArray[np.float32] = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
    return normalised


def resize_positions(table: Tensor, old: tuple[int, ...], new: tuple[int, ...]) -> Tensor:
    """Resize a position table (prod(old), D), whose rows are a grid of shape `old`, to (prod(new), D)."""
    if old == new:
        return table
    dim = table.shape[-1]
    x = at_least_float32(table).reshape(*old, dim)
    for axis, (n_in, n_out) in enumerate(zip(old, new, strict=True)):
        if n_in != n_out:
            weights = torch.from_numpy(resize_matrix(n_in, n_out)).to(x)
            x = torch.tensordot(weights, x, dims=([1], [axis])).movedim(0, axis)
    return x.reshape(-1, dim).to(table.dtype)


def sinusoid(length: int, dim: int) -> NDArray[np.float32]:
    """Return the positions of the text tower, float32 (length, dim): sines, then cosines.

    The slowest frequency is exactly 1/10000, because the divisor of the exponent is dim/2 - 1. (transformers divides by
    dim/2, which moves the rows of long texts by up to 3.4e-3.)
    """
    half = dim // 2
    inverse = np.exp(np.arange(half, dtype=np.float32) * np.float32(-math.log(10000.0) / max(half - 1, 1)))
    angle = np.arange(length, dtype=np.float32)[:, None] * inverse[None, :].astype(np.float32)
    return np.concatenate([np.sin(angle), np.cos(angle)], axis=1).astype(np.float32)


def unit_rows(x: Tensor) -> Tensor:
    """Return x / sqrt(sum(x^2) + 1e-12) along the last axis, computed in float32 or more and cast back."""
    y = at_least_float32(x)
    y = y / torch.sqrt((y * y).sum(dim=-1, keepdim=True) + 1e-12)
    return y.to(x.dtype)
