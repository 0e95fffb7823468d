"""The attention pooler of VideoPrism: of the video-text networks, and of the official classifier.

Letters in shapes: B clips, L tokens, D dimensions, d dimensions of a head.

Source: google-deepmind/videoprism, videoprism/layers.py (AttenTokenPoolingLayer); CoCa's pooler (arXiv 2205.01917).
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from encoder.layers import LayerNorm, at_least_float32


class AttentionPooler(nn.Module):
    """Attention of one learned query to all tokens, and a layer norm; no soft cap, no residual."""

    def __init__(self, dim: int, heads: int, inner: int) -> None:
        """Create an untrained pooler.

        Args:
            dim: D, the width of tokens and of the result.
            heads: The number of attention heads.
            inner: The width of all heads together, a multiple of `heads`: 4 D in LvT, D in the classifier.
        """
        super().__init__()
        self.heads = heads
        self.query = nn.Parameter(torch.zeros(1, dim))
        self.q = nn.Linear(dim, inner)
        self.k = nn.Linear(dim, inner)
        self.v = nn.Linear(dim, inner)
        self.out = nn.Linear(inner, dim)
        self.per_dim_scale = nn.Parameter(torch.zeros(inner // heads))
        self.norm = LayerNorm(dim)

    def forward(self, tokens: Tensor) -> Tensor:
        """Pool tokens (B, L, D) to (B, D), not normalised.

        The query is a constant, so keys and values are not computed for every token: a score is the token times W_k q
        (the bias of the keys adds the same to all scores of a head), and W_v is applied to weighted means of tokens.
        """
        heads, d = self.heads, self.per_dim_scale.shape[0]
        # 1.442695041 = 1 / softplus(0): a stored scale of 0 means plain 1/sqrt(d).
        scale = 1.442695041 / math.sqrt(d) * F.softplus(at_least_float32(self.per_dim_scale))
        q = self.q(self.query).reshape(heads, 1, d) * scale.to(tokens.dtype)
        key_query = (q @ self.k.weight.reshape(heads, d, -1))[:, 0]  # (heads, D)
        scores = at_least_float32(key_query @ tokens.transpose(1, 2))
        weights = torch.softmax(scores, dim=-1).to(tokens.dtype)  # (B, heads, L)
        means = weights @ tokens  # (B, heads, D)
        pooled = torch.einsum("bhi,hoi->bho", means, self.v.weight.reshape(heads, d, -1)).flatten(1) + self.v.bias
        return self.norm(self.out(pooled))  # type: ignore[no-any-return]
