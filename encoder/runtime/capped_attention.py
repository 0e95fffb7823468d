"""Soft-capped attention on one CPU core, in blocks whose scores stay in the cache.

softmax(c tanh(s/c)) over keys equals 2^(2 c' sigmoid(2 s/c) - c') divided by its sum, with c' = c / ln 2: tanh is a
stretched and shifted sigmoid, and capped scores need no maximum subtracted before the exponential (at most 2^72 for a
cap of 50). torch's sigmoid and exp2 on a CPU are 6 and 4 times as fast as its tanh and exp; results differ by the
rounding of float32.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

SCORES_AT_ONCE = 1 << 19
"""2 MB of float32, for example 128 queries and 4096 keys: fewer rows make slow products, more leave the cache."""

LARGEST_CAP = 80.0
"""With this cap, 2^(80 / ln 2), and a sum of many such terms, still fits float32."""


def query_scale(head_dim: int, cap: float) -> float:
    """Return the factor of the queries that `attend` expects: it makes scores the arguments of the sigmoid."""
    return 2 / (cap * math.sqrt(head_dim))


def attend(q: Tensor, k_t: Tensor, v: Tensor, cap: float, out: Tensor) -> None:
    """Compute the attention of G heads into `out`.

    Queries, keys and values are float32 or bfloat16. In bfloat16 only the products are computed in it; the softmax
    stays float32.

    Args:
        q: (G, L, d), multiplied by `query_scale`.
        k_t: (G, d, M), the transposed keys.
        v: (G, M, d).
        cap: The soft cap of the logits, at most `LARGEST_CAP`.
        out: float32 (G, L, d), any strides; overwritten.
    """
    heads, length, keys = q.shape[0], q.shape[1], v.shape[1]
    rows = max(1, min(length, SCORES_AT_ONCE // keys))
    group = max(1, SCORES_AT_ONCE // (rows * keys))
    for head in range(0, heads, group):
        some = slice(head, head + group)
        for start in range(0, length, rows):
            block = slice(start, start + rows)
            _attend(q[some, block], k_t[some], v[some], cap, out[some, block])


def _attend(q: Tensor, k_t: Tensor, v: Tensor, cap: float, out: Tensor) -> None:
    stretch = cap / math.log(2)
    weights = torch.bmm(q, k_t).float().sigmoid_()
    torch.add(torch.tensor(-stretch), weights, alpha=2 * stretch, out=weights).exp2_()
    total = weights.sum(dim=-1, keepdim=True)
    torch.div(torch.bmm(weights.to(v.dtype), v), total, out=out)
