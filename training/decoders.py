"""Decoders of VideoPrism's stage 2, which are thrown away after training. Imports torch.

The local decoder predicts the teacher's tokens at all positions, the global one its pooled vector, both from the
visible tokens of the student. The local one deals tokens to positions at random before it adds what the positions are:
a token is then found by its content, and copying it to its place does not pay.

Letters in shapes: B clips, L positions, V visible tokens, D columns of the encoders, W columns of the decoders.

Source: the VideoPrism paper (arXiv 2402.13217), 2.3.2, C.2, Algorithm 1 and Table 11: 4 layers, 512 columns, 2048 in
the feed-forward layers. NOT PUBLISHED and ours: 8 attention heads, pre-norm with a norm at the end, the exact GELU, no
soft cap, linear projections in and out, initial weights as in MAE (arXiv 2111.06377), and a global pooler that begins
as a copy of the teacher's.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from encoder.layers import LayerNorm
from encoder.pooler import AttentionPooler


@dataclass(frozen=True, slots=True)
class DecoderShape:
    """The size of a decoder; the published one by default.

    Attributes:
        layers: Transformer layers.
        width: W, a multiple of `heads`.
        hidden: Columns of the feed-forward layers.
        heads: Attention heads.

    Raises:
        ValueError: A number is below 1, or `width` is no multiple of `heads`.
    """

    layers: int = 4
    width: int = 512
    hidden: int = 2048
    heads: int = 8

    def __post_init__(self) -> None:
        if min(self.layers, self.width, self.hidden, self.heads) < 1 or self.width % self.heads:
            raise ValueError(f"a decoder cannot have {self.heads} attention heads in {self.width} columns")


class LocalDecoder(nn.Module):
    """Visible tokens and mask tokens, dealt to all positions, to a prediction for each position."""

    def __init__(self, dim: int, tokens: int, shape: DecoderShape, *, seed: int = 0) -> None:
        """Create an untrained decoder.

        Args:
            dim: D.
            tokens: L, for which positions are learned.
            shape: Its size.
            seed: Of the first weights.
        """
        super().__init__()
        self.proj_in = nn.Linear(dim, shape.width)
        self.mask_token = nn.Parameter(torch.zeros(shape.width))
        self.positions = nn.Parameter(torch.zeros(tokens, shape.width))
        self.layers = _layers(shape)
        self.proj_out = nn.Linear(shape.width, dim)
        _initialise(self, seed)

    def forward(self, visible: Tensor, order: Tensor) -> Tensor:
        """Predict tokens.

        Args:
            visible: (B, V, D), the student's.
            order: int64 (B, L), which token is dealt to each position: the V visible ones, then L - V mask tokens. A
                permutation in each row, of `random_orders` or `own_places`.

        Returns:
            (B, L, D); what stands at position k is the prediction for position k, whatever was dealt there.

        Raises:
            ValueError: `order` has another shape, or there are more tokens than positions.
        """
        (clips, count), length = visible.shape[:2], len(self.positions)
        if count > length or order.shape != (clips, length):
            raise ValueError(f"{count} tokens of {clips} clips, dealt as {tuple(order.shape)}, do not make {length}")
        x = self.proj_in(visible)
        x = torch.cat([x, self.mask_token.to(x.dtype).expand(clips, length - count, -1)], dim=1)
        x = torch.take_along_dim(x, order[..., None], dim=1) + self.positions.to(x.dtype)
        return self.proj_out(self.layers(x))  # type: ignore[no-any-return]


class GlobalDecoder(nn.Module):
    """Visible tokens to one vector, without shuffling and without positions."""

    def __init__(self, dim: int, pooler: AttentionPooler, shape: DecoderShape, *, seed: int = 0) -> None:
        """Create an untrained decoder around a trainable copy of `pooler`.

        Args:
            dim: D.
            pooler: The teacher's, of D columns.
            shape: Its size.
            seed: Of the first weights.
        """
        super().__init__()
        self.proj_in = nn.Linear(dim, shape.width)
        self.layers = _layers(shape)
        self.proj_out = nn.Linear(shape.width, dim)
        _initialise(self, seed)
        self.pooler = copy.deepcopy(pooler).requires_grad_()

    def forward(self, visible: Tensor) -> Tensor:
        """Return predictions (B, D) of the teacher's pooled vectors, from the student's tokens (B, V, D)."""
        return self.pooler(self.proj_out(self.layers(self.proj_in(visible))))  # type: ignore[no-any-return]


def random_orders(clips: int, tokens: int, rng: np.random.Generator, *, shared: bool = False) -> NDArray[np.int64]:
    """Return random permutations of tokens, int64 (B, L): one for each clip, or one that all clips share.

    Algorithm 1 of the paper writes `shuffle(axis=1)`, which in JAX deals one to the batch.
    """
    if shared:
        return np.repeat(rng.permutation(tokens)[None], clips, axis=0)
    return rng.permuted(np.repeat(np.arange(tokens)[None], clips, axis=0), axis=1)


def own_places(hidden: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the orders that leave each visible token of masks (B, L) at its own position: no shuffling, as in MAE."""
    visible_first = np.argsort(hidden, axis=1, kind="stable")  # which position each token comes from
    return np.argsort(visible_first, axis=1, kind="stable")


def _layers(shape: DecoderShape) -> nn.Sequential:
    return nn.Sequential(
        *(
            nn.TransformerEncoderLayer(
                shape.width, shape.heads, shape.hidden, dropout=0.0, activation="gelu", layer_norm_eps=1e-6,
                batch_first=True, norm_first=True,
            )
            for _ in range(shape.layers)
        ),
        LayerNorm(shape.width),
    )  # fmt: skip


def _initialise(decoder: nn.Module, seed: int) -> None:
    """Draw matrices as Xavier does, tables and the mask token with a deviation of 0.02; biases are 0."""
    random = torch.Generator().manual_seed(seed)
    for name, parameter in decoder.named_parameters():
        if name in ("mask_token", "positions"):
            nn.init.trunc_normal_(parameter, std=0.02, generator=random)
        elif parameter.ndim > 1:
            nn.init.xavier_uniform_(parameter, generator=random)
        elif name.endswith("bias"):
            nn.init.zeros_(parameter)
