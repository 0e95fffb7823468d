"""Heads: small classifiers on what a frozen encoder returns, its tokens or its rows.

`MapHead` is the head of the official video classifier: an attention pooler over the tokens of the video encoder, a
layer norm and a linear layer. `LinearHead` is a linear layer on unit rows.

Letters in shapes: B clips, L tokens, D dimensions, C classes.

Source: google-deepmind/videoprism, videoprism/encoders.py (FactorizedVideoClassifier) and layers.py
(AttenTokenPoolingLayer, and its initialisation).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from encoder.pooler import AttentionPooler

_ELEMENTS_AT_ONCE = 1 << 24
"""Tokens x columns that are computed at once: 64 MB of float32, five clips of LvT-B."""

_TRUNCATED_STD = 0.87962566103423978
"""The standard deviation of a normal distribution that is cut off at two standard deviations."""


class MapHead(nn.Module):
    """The head of the official classifier, with multi-head attention pooling (MAP).

    Attributes:
        dim: D, the number of columns of tokens.
        heads: The number of attention heads.
        classes: C.
        pooler: Tokens to one row; its heads together are D wide (in LvT's pooler, 4 D).
        projection: That row to a logit for each class.
    """

    def __init__(self, dim: int, heads: int, classes: int, *, seed: int = 0) -> None:
        """Create an untrained head, initialised as the official code does.

        Args:
            dim: D; `TokenEncoder.token_dim`.
            heads: `TokenEncoder.attention_heads`, which the official classifier shares.
            classes: C.
            seed: Chooses the random numbers; the same seed gives the same head on the same version of torch.

        Raises:
            ValueError: A number is below 1, or D is no multiple of `heads`.
        """
        super().__init__()
        if min(dim, heads, classes) < 1 or dim % heads:
            raise ValueError(f"a head of {classes} classes cannot have {heads} attention heads and {dim} columns")
        self.dim, self.heads, self.classes = dim, heads, classes
        self.pooler = AttentionPooler(dim, heads, dim)
        self.projection = nn.Linear(dim, classes)
        self._initialise(torch.Generator().manual_seed(seed))

    def _initialise(self, random: torch.Generator) -> None:
        """Draw weights as Flax's `lecun_normal` does, for arrays in Flax's shapes; biases and norms stay neutral.

        The inputs that it counts of an array (D, heads, D / heads) are D x heads, and one of the query (1, D).
        """
        pooler = self.pooler
        wide = [pooler.q.weight, pooler.k.weight, pooler.v.weight, pooler.out.weight]
        for weight, inputs in [
            (pooler.query, 1),
            *((each, self.dim * self.heads) for each in wide),
            (self.projection.weight, self.dim),
        ]:
            std = 1 / math.sqrt(inputs) / _TRUNCATED_STD
            nn.init.trunc_normal_(weight, std=std, a=-2 * std, b=2 * std, generator=random)
        for layer in (pooler.q, pooler.k, pooler.v, pooler.out, self.projection):
            nn.init.zeros_(layer.bias)

    def embed(self, tokens: Tensor) -> Tensor:
        """Pool tokens (B, L, D) to (B, D), the input of `projection`."""
        return self.pooler(tokens)  # type: ignore[no-any-return]

    def forward(self, tokens: Tensor) -> Tensor:
        """Compute logits (B, C) of tokens (B, L, D)."""
        return self.projection(self.embed(tokens))  # type: ignore[no-any-return]

    def logits(self, tokens: NDArray[np.float32]) -> NDArray[np.float32]:
        """Compute logits of tokens, a few clips at a time, on the device of the head.

        Args:
            tokens: float32 (B, L, D) of `TokenEncoder.encode_tokens`; B may be 0.

        Returns:
            float32 (B, C), before any softmax or sigmoid.

        Raises:
            ValueError: The tokens have another shape, or a value is not finite.
        """
        if tokens.ndim != 3 or tokens.shape[1] < 1 or tokens.shape[2] != self.dim:
            raise ValueError(f"this head takes tokens (B, L, {self.dim}), got {tokens.shape}")
        device = self.projection.weight.device
        logits = np.empty((len(tokens), self.classes), np.float32)
        step = max(1, _ELEMENTS_AT_ONCE // (tokens.shape[1] * self.dim))
        with torch.inference_mode():
            for start in range(0, len(tokens), step):
                part = np.array(tokens[start : start + step], np.float32)
                logits[start : start + step] = self(torch.from_numpy(part).to(device)).float().cpu().numpy()
        return _finite(logits)


@dataclass(frozen=True, slots=True)
class LinearHead:
    """A linear layer on the unit rows of an encoder.

    Attributes:
        weights: float32 (C, D).
        bias: float32 (C,).

    Raises:
        ValueError: The arrays do not belong together, or a value is not finite.
    """

    weights: NDArray[np.float32]
    bias: NDArray[np.float32]

    def __post_init__(self) -> None:
        weights, bias = np.array(self.weights, np.float32), np.array(self.bias, np.float32)
        if weights.ndim != 2 or 0 in weights.shape or bias.shape != weights.shape[:1]:
            raise ValueError(f"a linear head has weights (C, D) and bias (C,), got {weights.shape} and {bias.shape}")
        object.__setattr__(self, "weights", _finite(weights))
        object.__setattr__(self, "bias", _finite(bias))

    @property
    def dim(self) -> int:
        """D, the number of columns of a row."""
        return int(self.weights.shape[1])

    @property
    def classes(self) -> int:
        """C."""
        return len(self.weights)

    def logits(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Compute logits of rows.

        Args:
            rows: float32 (B, D) of `Encoder.encode_clips`; B may be 0.

        Returns:
            float32 (B, C), before any softmax or sigmoid.

        Raises:
            ValueError: The rows have another shape, or a value is not finite.
        """
        if rows.ndim != 2 or rows.shape[1] != self.dim:
            raise ValueError(f"this head takes rows (B, {self.dim}), got {rows.shape}")
        return _finite(rows.astype(np.float32) @ self.weights.T + self.bias)


def _finite(values: NDArray[np.float32]) -> NDArray[np.float32]:
    if not np.isfinite(values).all():
        raise ValueError("a value of the head, or of what it is applied to, is not a finite number")
    return values
